"""The ways to tell about a run: pings of a monitor, and messages through Apprise."""

import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NoReturn

import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.config_check import error_text
from backupctl.cli.context import Context
from backupctl.cli.tasks import run_tasks
from backupctl.config.notify_keys import PING, URLS
from backupctl.config.proxy_selection import find_proxy
from backupctl.config.secret_resolver import SecretPlace
from backupctl.config.server_address import parse_server
from backupctl.errors import BackupctlError, BugError, ConfigError, InterruptedRunError, NotSentError, UsageError
from backupctl.monitoring.notification import Notification
from backupctl.output.printable import printable
from backupctl.results.backup_results import FAIL, OK, Check, ChecksResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import complete_result
from backupctl.scheduler.task import Task, Wait, attempt
from backupctl.secrets.secret import Secret

Send = Callable[[Notification], None]

_PING_SECONDS: Final = 10.0
_MESSAGE_SECONDS: Final = 20.0
_PAUSES: Final = (1.0, 2.0, float("inf"))
_PING_URL: Final = re.compile(r"(https?://[^/?#]+)(/[^?#]*)(\?[^#]*)?", re.IGNORECASE)


class Way(msgspec.Struct):
    """A ping URL or an Apprise URL, and the servers of a run that it is about.

    ``name`` shows no secret, and ``place`` identifies the setting. ``on`` is None for a ping. ``send`` raises
    BackupctlError.
    """

    name: str
    place: tuple[str, ...]
    on: str | None
    send: Send
    servers: list[str] = msgspec.field(default_factory=list)


def find_ways(context: Context, selected: Iterable[ApplianceSettings]) -> list[Way]:
    """Return the ways to tell about these appliances, each once, however many share it; reads their secrets."""
    found: dict[tuple[object, ...], list[Way]] = {}
    for settings in selected:
        for secret in (PING, URLS):
            place = context.secrets.in_file(secret, settings.profile.notify)
            if place is None:
                continue
            on = None if secret is PING else notify_value(settings, "on", "failure")
            key = (secret.name, place.key, on)
            if key not in found:
                senders = _senders(context, secret.name, place)
                found[key] = [Way(name, place.key, on, send) for name, send in senders.items()]
            for way in found[key]:
                way.servers.append(settings.name)
    return [way for ways in found.values() for way in ways]


def notify_value(settings: ApplianceSettings, key: str, default: Any) -> Any:  # noqa: ANN401 - as the key has it
    """Return the value of a key of the notify tables for an appliance."""
    return next((each.values[key] for each in settings.profile.notify if key in each.values), default)


def deliver(context: Context, way: Way, message: Notification) -> Task[BackupctlError | None]:
    """Send a message, with retries of a ping, and return why it was not delivered."""
    deadline = context.clock.monotonic() + (_PING_SECONDS if way.on is None else _MESSAGE_SECONDS)
    shown = Notification(message.event, printable(message.title), "\n".join(map(printable, message.body.split("\n"))))
    for pause in _PAUSES:
        try:
            error = yield from attempt(partial(way.send, shown), until=deadline)
        except InterruptedRunError as interruption:
            return interruption
        except Exception as bug:  # noqa: BLE001 - such as one of a plugin of Apprise: the backup is done all the same
            return BugError.of(bug)
        again = context.clock.monotonic() + pause
        if error is None or not error.retryable or again >= deadline:
            break
        yield Wait(again)
    return error


def send_test_messages(context: Context, selected: Iterable[ApplianceSettings]) -> ChecksResult:
    """Send a test message through each way, and return what became of it. Raises ConfigError: if there is none."""
    ways = find_ways(context, selected)
    if not ways:
        hint = "`backupctl help notifications` shows a table [notify]"
        raise ConfigError("no ping and no Apprise URL is configured", hint=hint)
    message = Notification("log", "backupctl: test message", "It works. No backup was made.")  # changes no state
    errors = run_tasks(context, [deliver(context, way, message) for way in ways])
    checks, undelivered = [], []
    for way, error in zip(ways, errors, strict=True):
        if isinstance(error, InterruptedRunError):
            raise error
        said = f"delivered for {', '.join(way.servers)}" if error is None else error_text(error)
        checks.append(Check(name=way.name, status=OK if error is None else FAIL, message=said))
        undelivered += [] if error is None else [way.name]
    failure = NotSentError(f"not delivered: {', '.join(undelivered)}") if undelivered else None
    return complete_result(ChecksResult(checks=tuple(checks)), server=DEFAULTS, host="", error=failure)


def _senders(context: Context, name: str, place: SecretPlace) -> dict[str, Send]:
    """Return what sends to each URL of a place, by its name; to one that cannot be read, it raises the error."""
    try:
        text = context.secrets.read(place).reveal()
        if name == PING.name:
            return {name: _ping_sender(context, text)}
    except BackupctlError as error:
        return {name: partial(_fail, error)}
    senders: dict[str, Send] = {}
    for number, url in enumerate(text.split(), 1):
        scheme = re.match("[a-z]{2,20}(?=://)", url)
        senders[f"{name} {number}" + (f" ({scheme[0]})" if scheme else "")] = partial(_send_notice, Secret(url))
    return senders


def _fail(error: BackupctlError, _message: Notification) -> NoReturn:
    raise error


def _send_notice(url: Secret, message: Notification) -> None:
    from backupctl.api.senders import send_notice

    send_notice(url, message.title, message.body, failed=message.failed)


def _ping_sender(context: Context, text: str) -> Send:
    """Return what sends pings of one run: they have the same id, so the monitor measures the time between them."""
    from uuid import UUID

    match = _PING_URL.fullmatch(text)
    try:
        address = parse_server(match[1] if match else "")
    except UsageError:
        raise ConfigError("not a valid ping URL", hint="use https://HOST/UUID; http:// only on this machine") from None
    path, query = (match[2].rstrip("/"), match[3] or "?") if match else ("", "")
    proxy, run_id = find_proxy(address, (), context.environ).value, UUID(bytes=os.urandom(16), version=4)

    def send(message: Notification) -> None:
        from backupctl.api.connect import connection_to
        from backupctl.api.senders import send_ping

        context.view.debug(f"ping {address.host}: {message.title}")
        send_ping(
            connection_to(address.base_url, proxy.url.reveal() if proxy else None, context.clock),
            Secret(f"{path}{message.event and '/'}{message.event}{query}&rid={run_id}".replace("?&", "?")),
            f"{message.title}\n\n{message.body}",
            transport=context.transport_for(address) if context.transport_for else None,
        )

    return send
