"""Where backups go, and who logs in there: out of settings and prompts, judged before anything is sent."""

from datetime import datetime
from typing import Final

import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import missing_option_error
from backupctl.config.option_table import DRY_RUN, LOCATION, LOCATION_PASSWORD, LOCATION_TYPE, LOCATION_USER, SERVER
from backupctl.config.resolve import resolve
from backupctl.config.value import DEFAULT, Source, Value, attribute_errors
from backupctl.errors import UsageError
from backupctl.location import Location, LocationTemplate
from backupctl.models import LocationSpec
from backupctl.rules.location_types import IN_CLEAR
from backupctl.secrets.secret import Secret

_WITHOUT_LOGIN: Final = "NFS"
"""Its hosts are shown no password (AUTH_SYS, RFC 5531, appendix A), whatever the appliance gets from us."""


class ResolvedLocation(msgspec.Struct, frozen=True):
    """The location of one appliance, filled in for ``server``, and the template that was given for it."""

    location: Location
    template: LocationTemplate
    source: Source
    server: str

    def at(self, moment: datetime) -> Location:
        """Return the location of a backup that starts at ``moment``, which may be hours after it was given."""
        if not self.template.changes_with_time:
            return self.location
        return self.template.fill(server=self.server, moment=moment).of_type(self.location.type)


def location_of(settings: ApplianceSettings) -> ResolvedLocation:
    """Return the location of an appliance, filled in and checked; it is asked for where it is missing.

    Raises UsageError and ConfigError.
    """
    kind, found = settings.resolve(LOCATION_TYPE), settings.resolve(LOCATION)

    def filled(template: LocationTemplate) -> Location:
        return _filled(settings, template).of_type(kind.value)

    def ask() -> LocationTemplate:
        question = "Location (such as sftp://host/folder)"
        answer = settings.prompter.ask(question, lambda text: filled(LocationTemplate.parse(text)))
        return LocationTemplate.parse(answer)

    template = found.value
    if template is None:
        if not settings.prompter.interactive:
            raise missing_option_error(LOCATION)
        template = settings.run_once(LOCATION.name, ask)
    with attribute_errors(found.source, kind.source):
        return ResolvedLocation(filled(template), template, found.source, _server(settings))


def fill(settings: ApplianceSettings, template: LocationTemplate, source: Source) -> Location:
    """Return the location that a template makes for an appliance; errors name the ``source`` of the template."""
    with attribute_errors(source):
        return _filled(settings, template)


def _filled(settings: ApplianceSettings, template: LocationTemplate) -> Location:
    return template.fill(server=_server(settings), moment=settings.clock.now())


def _server(settings: ApplianceSettings) -> str:
    """Return the name of the appliance; one of which only the defaults are known has none, and any will do."""
    return settings.name or SERVER.name


def location_login(settings: ApplianceSettings, given: ResolvedLocation) -> tuple[str | None, Secret | None]:
    """Return user and password for the location: both, or neither for one that wants no login."""
    check_password_host(settings, given)
    user, found = settings.value(LOCATION_USER), settings.secret(LOCATION_PASSWORD)
    password = found.value if found else None
    asks = settings.prompter.interactive and not settings.value(DRY_RUN)
    if user is not None and password is None:
        if asks:
            question = f"Password of {user} at {given.template} (Enter for none)"
            password = settings.ask_secret(question, lambda: settings.prompter.ask_secret(question))
        else:
            settings.warn(
                f"no password for the location user {user}",
                hint=f"give {LOCATION_PASSWORD.file_option} or set {LOCATION_PASSWORD.variable}",
            )
    if user is None and password is not None:
        if asks:
            asked = f"User at {given.template}"
            user = settings.run_once(asked, lambda: settings.prompter.ask(asked, LOCATION_USER.parse))
        else:
            settings.warn(
                "a location password without a location user is of no use", hint=f"give {LOCATION_USER.flag} as well"
            )
    return user, password


def check_password_host(settings: ApplianceSettings, given: ResolvedLocation) -> None:
    """Raise where a password of the configuration file would be shown to a host that it is not for, or to everybody.

    Who moves a backup to another host, or to a protocol without encryption, by a table, a variable or an option, has to
    say with which password.
    """
    password, here = location_for_password(settings), given.location
    meant = password.value
    if meant is None or here.type == _WITHOUT_LOGIN:
        return
    if here.host != meant.host:
        asked, known = here.host, meant.host
    elif here.type in IN_CLEAR and meant.type not in IN_CLEAR:
        asked, known = f"{here.type}, which anyone on the way can read", f"{meant.scheme}://{meant.host}"
    else:
        return
    with attribute_errors(given.source, password.source):
        raise UsageError(
            f"the location is on {asked}, and the password is for {known}",
            hint=f"say which {LOCATION_PASSWORD.name} is to be shown there, where that location is said",
        )


def location_for_password(settings: ApplianceSettings) -> Value[Location | None]:
    """Return the location that a location password of the file is for, None for any, and what names the password.

    That is the location that stands in the same table, or else in ``[defaults]``.
    """
    found = settings.context.locate_secret(LOCATION_PASSWORD, settings.profile.layers)
    if found is None:
        return Value(None, DEFAULT)
    beside = resolve(LOCATION, (), {}, settings.profile.layers_at_or_below(found.source))
    return Value(fill(settings, beside.value, beside.source) if beside.value else None, found.source)


def location_spec(settings: ApplianceSettings) -> LocationSpec:
    """Return where archives are looked for; schedules and archives know no type but the scheme of the URL."""
    given = location_of(settings)
    user, password = location_login(settings, given)
    return LocationSpec(location=given.location, location_user=user, location_password=password)
