"""The notification channels of a run: pings of a monitor, and messages through Apprise."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from backupctl.api.connect import connection_to
from backupctl.api.senders import send_notice, send_ping
from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.config_check import error_text
from backupctl.cli.context import Context
from backupctl.cli.tasks import run_tasks
from backupctl.config.notify_keys import ON, PING, URLS
from backupctl.config.ping_url import parse_ping_url
from backupctl.config.proxy_selection import find_proxy
from backupctl.config.secret_resolver import SecretPlace
from backupctl.errors import BackupctlError, BugError, ConfigError, InterruptedRunError, NotSentError
from backupctl.monitoring.notification import Notification
from backupctl.output.printable import printable
from backupctl.results.backup_results import FAIL, OK, Check, ChecksResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import complete_result
from backupctl.scheduler.task import Task, Wait, attempt
from backupctl.secrets.secret import Secret

T = TypeVar("T")

_PING_SECONDS: Final = 10.0
_MESSAGE_SECONDS: Final = 20.0
_PAUSES: Final = (1.0, 2.0, float("inf"))


class Channel(msgspec.Struct):
    """A ping URL or a text of Apprise URLs, and the servers of a run that it is about.

    ``on`` is None for a ping; its pings have one ``run_id``, so that the monitor measures the time between them.
    ``missing`` are the other configured servers, without read-only ones, which are never backed up.
    """

    place: SecretPlace
    on: str | None
    servers: list[str] = msgspec.field(default_factory=list)
    missing: list[str] = msgspec.field(default_factory=list)
    run_id: str = msgspec.field(default_factory=lambda: str(UUID(bytes=os.urandom(16), version=4)))

    @property
    def name(self) -> str:
        """The table and key that name it; shows no secret."""
        return self.place.source.key.removeprefix("notify.")


class Delivery(msgspec.Struct, frozen=True):
    """The result of sending a message to a URL of a channel; ``name`` shows no secret."""

    channel: Channel
    name: str
    error: BackupctlError | None


def find_channels(context: Context, selected: Sequence[ApplianceSettings]) -> list[Channel]:
    """Return the channels for these appliances, each once, however many share it; reads no secret."""
    found: dict[tuple[object, ...], Channel] = {}
    names = {settings.name for settings in selected}
    configured = (ApplianceSettings(context, profile) for profile in context.configuration.servers.values())
    others = [each for each in configured if each.name not in names and not each.profile.read_only.value]
    for settings in (*selected, *others):
        for secret in (PING, URLS):
            place = context.secrets.in_file(secret, settings.profile.notify)
            if place is not None:
                on = None if secret is PING else settings.notify(ON).value
                channel = found.setdefault((secret, place.key, on), Channel(place, on))
                (channel.servers if settings.name in names else channel.missing).append(settings.name)
    return [channel for channel in found.values() if channel.servers]


def send(context: Context, channel: Channel, message: Notification) -> Task[list[Delivery]]:
    """Read the secret of a channel, and send a message to each of its URLs."""
    text = yield from _attempt(partial(context.secrets.read, channel.place))
    if isinstance(text, BackupctlError):
        return [Delivery(channel, channel.name, text)]
    shown = Notification(message.event, printable(message.title), "\n".join(map(printable, message.body.split("\n"))))
    if channel.on is None:
        ping = partial(_send_ping, context, channel.run_id, text, shown)
        return [Delivery(channel, channel.name, (yield from _retry(context, ping, _PING_SECONDS)))]
    deliveries = []
    for number, url in enumerate(text.reveal().split() or [""], 1):
        notice = partial(send_notice, Secret(url), shown.title, shown.body, failed=shown.failed)
        error = yield from _retry(context, notice, _MESSAGE_SECONDS)
        deliveries.append(Delivery(channel, f"{channel.name} {number}", error))
    return deliveries


def send_all(context: Context, messages: Sequence[tuple[Channel, Notification]]) -> list[Delivery]:
    """Send messages through several channels at once. Raises InterruptedRunError: by a signal."""
    tasks = [send(context, channel, message) for channel, message in messages]
    return list(chain.from_iterable(run_tasks(context, tasks, sets_exit_code=False)))


def send_test_messages(context: Context, selected: Sequence[ApplianceSettings]) -> ChecksResult:
    """Send a test message to each URL, and return the results. Raises ConfigError: if no URL is configured."""
    channels = find_channels(context, selected)
    if not channels:
        hint = "`backupctl help notifications` shows a table [notify]"
        raise ConfigError("no ping and no Apprise URL is configured", hint=hint)
    message = Notification("log", "backupctl: test message", "It works. No backup was made.")  # changes no state
    checks = tuple(map(_check, send_all(context, [(channel, message) for channel in channels])))
    failed = [check.name for check in checks if check.status == FAIL]
    error = NotSentError(f"not delivered: {', '.join(failed)}") if failed else None
    return complete_result(ChecksResult(checks=checks), server=DEFAULTS, host="", error=error)


def _check(delivery: Delivery) -> Check:
    if delivery.error is not None:
        return Check(name=delivery.name, status=FAIL, message=error_text(delivery.error))
    return Check(name=delivery.name, status=OK, message=f"delivered for {', '.join(delivery.channel.servers)}")


def _retry(context: Context, function: Callable[[], None], seconds: float) -> Task[BackupctlError | None]:
    """Call a function until it succeeds, within ``seconds``; return its last error."""
    deadline = context.clock.monotonic() + seconds
    for pause in _PAUSES:
        error = yield from _attempt(function, until=deadline)
        again = context.clock.monotonic() + pause
        if error is None or not error.retryable or again >= deadline:
            break
        yield Wait(again)
    return error


def _attempt(function: Callable[[], T], until: float | None = None) -> Task[T | BackupctlError]:
    """Return the result of ``function``, or its error; a bug, such as one of a plugin of Apprise, is an error too."""
    try:
        return (yield from attempt(function, until=until))
    except InterruptedRunError:
        raise
    except Exception as bug:  # noqa: BLE001 - one channel keeps no other from being used
        return BugError.of(bug)


def _send_ping(context: Context, run_id: str, url: Secret, message: Notification) -> None:
    address, path, query = parse_ping_url(url)
    proxy = find_proxy(address, (), context.environ).value
    send_ping(
        connection_to(address.base_url, proxy.url.reveal() if proxy else None, context.clock),
        Secret(f"{path}{message.event and '/'}{message.event}{query}&rid={run_id}".replace("?&", "?")),
        f"{message.title}\n\n{message.body}",
        transport=context.transport_for(address) if context.transport_for else None,
    )
