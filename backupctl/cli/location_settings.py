"""The backup location and its login, from settings and prompts, checked before anything is sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import missing_option_error
from backupctl.config.option_table import DRY_RUN, LOCATION, LOCATION_PASSWORD, LOCATION_TYPE, LOCATION_USER, SERVER
from backupctl.config.resolve import resolve
from backupctl.config.value import DEFAULT, ENVIRONMENT, FLAG, Source, Value, attribute_errors
from backupctl.errors import UsageError
from backupctl.location import Location, LocationTemplate
from backupctl.models import LocationSpec
from backupctl.rules.location_types import IN_CLEAR
from backupctl.secrets.secret import Secret

_WITHOUT_LOGIN: Final = "NFS"
"""A type whose hosts never get the password (AUTH_SYS, RFC 5531, appendix A), even if the appliance does."""


class ResolvedLocation(msgspec.Struct, frozen=True):
    """The location of one appliance, with its template filled in for ``server``."""

    location: Location
    template: LocationTemplate
    source: Source
    server: str

    def at(self, start: datetime) -> Location:
        """Return the location of a backup that starts at ``start``, perhaps hours after the location was resolved."""
        if not self.template.changes_with_time:
            return self.location
        return self.template.fill(server=self.server, moment=start).of_type(self.location.type)


def location_of(settings: ApplianceSettings) -> ResolvedLocation:
    """Return the location of an appliance, filled in and checked, prompting for it if it is missing.

    Raises UsageError and ConfigError: if it is invalid, or missing without a terminal.
    """
    location_type, setting = settings.resolve(LOCATION_TYPE), settings.resolve(LOCATION)

    def filled(template: LocationTemplate) -> Location:
        return _fill(settings, template).of_type(location_type.value)

    def check(text: str) -> None:
        if location_type.value is None and "://" not in text:
            raise UsageError("write a URL such as sftp://host/folder")
        filled(LocationTemplate.parse(text))

    def prompt(refused: LocationTemplate | None) -> LocationTemplate:
        default = str(refused) if refused else None
        question = "Location, such as sftp://host/folder"
        answer = settings.prompter.ask(question, check, default)
        return LocationTemplate.parse(answer)

    template = setting.value
    if template is None:
        if not settings.prompter.interactive:
            raise missing_option_error(LOCATION, "sftp://host/folder")
        template = settings.ask((LOCATION.name,), prompt)
    with attribute_errors(setting.source, location_type.source):
        return ResolvedLocation(filled(template), template, setting.source, _server(settings))


def fill(settings: ApplianceSettings, template: LocationTemplate, source: Source) -> Location:
    """Fill in a template for an appliance; errors name the ``source`` of the template."""
    with attribute_errors(source):
        return _fill(settings, template)


def _fill(settings: ApplianceSettings, template: LocationTemplate) -> Location:
    return template.fill(server=_server(settings), moment=settings.clock.now())


def _server(settings: ApplianceSettings) -> str:
    """Return the name of the appliance, or any name for the defaults, which have none."""
    return settings.name or SERVER.name


def location_login(settings: ApplianceSettings, resolved: ResolvedLocation) -> tuple[str | None, Secret | None]:
    """Return user and password for the location, prompting for one that is missing; both None without a login."""
    check_password_host(settings, resolved)
    user, secret = settings.value(LOCATION_USER), settings.secret(LOCATION_PASSWORD)
    password = secret.value if secret else None
    if settings.prompter.interactive and not settings.value(DRY_RUN):
        if user is None and (password is not None or resolved.location.type != _WITHOUT_LOGIN):
            user = _ask_user(settings, resolved)
        if user is not None and password is None:
            password = _ask_password(settings, resolved, user)
    elif user is not None and password is None:
        settings.warn(
            f"no password for location user {user}",
            hint=f"give {LOCATION_PASSWORD.file_option} or set {LOCATION_PASSWORD.variable}",
        )
    elif user is None and password is not None:
        settings.warn("a location password needs a location user", hint=f"give {LOCATION_USER.flag} too")
    return user, password


def location_keys(resolved: ResolvedLocation, user: str | None) -> Sequence[tuple[str, ...]]:
    """Return the keys of the answers to the prompts for a location, its user and the password of ``user``."""
    template = str(resolved.template)
    return (LOCATION.name,), (LOCATION_USER.name, template), (LOCATION_PASSWORD.name, str(user), template)


def _ask_user(settings: ApplianceSettings, resolved: ResolvedLocation) -> str | None:
    """Prompt for the user at a location, None for an empty answer."""
    question = f"User at {resolved.location.host} (leave empty for none)"

    def prompt(refused: str | None) -> str | None:
        answer = settings.prompter.ask(question, lambda text: text and LOCATION_USER.parse(text), refused or "")
        return answer or None

    return settings.ask(location_keys(resolved, None)[1], prompt)


def _ask_password(settings: ApplianceSettings, resolved: ResolvedLocation, user: str) -> Secret | None:
    """Prompt for the password at a location; an empty answer keeps the one that was refused."""

    def prompt(refused: Secret | None) -> Secret | None:
        empty = "to keep it" if refused else "for none"
        question = f"Password for {user} at {resolved.location.host} (leave empty {empty})"
        return settings.prompter.ask_secret(question) or refused

    return settings.ask_secret(location_keys(resolved, user)[2], prompt)


def check_password_host(settings: ApplianceSettings, resolved: ResolvedLocation) -> None:
    """Check that a location password of the configuration file is not sent to another host, or unencrypted.

    If a server's table, a variable or an option moves the backup to another host, or to a protocol without encryption,
    it must name the password too.

    Raises UsageError and ConfigError: if it does not.
    """
    password, actual = location_for_password(settings), resolved.location
    intended = password.value
    if intended is None or actual.type == _WITHOUT_LOGIN:
        return
    if actual.host != intended.host:
        target, allowed = actual.host, intended.host
    elif actual.type in IN_CLEAR and intended.type not in IN_CLEAR:
        target, allowed = f"{actual.type} (unencrypted)", f"{intended.scheme}://{intended.host}"
    else:
        return
    with attribute_errors(resolved.source, password.source):
        raise UsageError(
            f"the location is on {target}, but the password is for {allowed}",
            hint=_HOW_TO_SET_PASSWORD.get(resolved.source.kind, f"set {LOCATION_PASSWORD.name} in the same table"),
        )


_HOW_TO_SET_PASSWORD: Final = {
    FLAG: f"give {LOCATION_PASSWORD.file_option} too",
    ENVIRONMENT: f"set {LOCATION_PASSWORD.variable} too",
}
"""How to set the password for a location, by the kind of the location's source."""


def location_for_password(settings: ApplianceSettings) -> Value[Location | None]:
    """Return the location that a location password of the file is for, None for any, with the password's source."""
    place = settings.context.locate_secret(LOCATION_PASSWORD, settings.profile.layers)
    if place is None:
        return Value(None, DEFAULT)
    return Value(location_beside(settings, place.source), place.source)


def location_beside(settings: ApplianceSettings, source: Source) -> Location | None:
    """Return the location in the table of a source, or else in ``[defaults]``; None if the source is not in the file.

    What is in a table to reach a server, such as its password, is for this location.
    """
    location = resolve(LOCATION, (), {}, settings.profile.layers_at_or_below(source))
    return fill(settings, location.value, location.source) if location.value else None


def location_spec(settings: ApplianceSettings) -> LocationSpec:
    """Return the location in which to list archives; its type is the scheme of the URL."""
    resolved = location_of(settings)
    user, password = location_login(settings, resolved)
    return LocationSpec(location=resolved.location, location_user=user, location_password=password)
