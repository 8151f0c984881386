"""The ways to tell about a run: pings of a monitor, and messages through Apprise."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final, NoReturn

import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.config.notify_keys import PING, URLS
from backupctl.config.proxy_selection import find_proxy
from backupctl.config.secret_resolver import SecretPlace
from backupctl.config.server_address import parse_server
from backupctl.errors import BackupctlError, BugError, ConfigError, InterruptedRunError, UsageError
from backupctl.monitoring.notification import Notification
from backupctl.output.printable import printable
from backupctl.scheduler.task import Task, Wait, attempt
from backupctl.secrets.secret import Secret

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
    send: Callable[[Notification], None]
    servers: list[str] = msgspec.field(default_factory=list)


def find_ways(context: Context, selected: Iterable[ApplianceSettings]) -> list[Way]:
    """Return the ways to tell about these appliances, each once, however many share it; reads their secrets."""
    found: dict[tuple[object, ...], list[Way]] = {}
    for settings in selected:
        for secret in (PING, URLS):
            place = context.secrets.in_file(secret, settings.profile.notify)
            on = None if secret is PING else notify_value(settings, "on", "failure")
            if place is not None:
                if (secret.name, place.key, on) not in found:
                    found[secret.name, place.key, on] = list(_ways(context, secret.name, place, on))
                for way in found[secret.name, place.key, on]:
                    way.servers.append(settings.name)
    return [way for ways in found.values() for way in ways]


def _ways(context: Context, name: str, place: SecretPlace, on: str | None) -> Iterator[Way]:
    try:
        text = context.secrets.read(place).reveal()
        if on is None:
            yield Way(name, place.key, on, _ping_sender(context, text))
            return
        for number, url in enumerate(text.split(), 1):
            scheme = re.match("[a-z]{2,20}(?=://)", url)
            shown = f"{name} {number}" + (f" ({scheme[0]})" if scheme else "")
            yield Way(shown, place.key, on, partial(_send_notice, url))
    except BackupctlError as error:
        yield Way(name, place.key, on, partial(_fail, error))


def _fail(error: BackupctlError, _message: Notification) -> NoReturn:
    raise error


def _send_notice(url: str, message: Notification) -> None:
    from backupctl.api.senders import send_notice

    send_notice(Secret(url), message.title, message.body, failed=message.failed)


def _ping_sender(context: Context, text: str) -> Callable[[Notification], None]:
    """Return what sends a ping; all of a run have the same id, so that the monitor measures the time between them."""
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
            error = BugError.of(bug)
        again = context.clock.monotonic() + pause
        if error is None or not error.retryable or again >= deadline:
            break
        yield Wait(again)
    return error


def notify_value(settings: ApplianceSettings, key: str, default: Any) -> Any:  # noqa: ANN401 - as the key has it
    """Return the value of a key of the notify tables for an appliance."""
    return next((each.values[key] for each in settings.profile.notify if key in each.values), default)
