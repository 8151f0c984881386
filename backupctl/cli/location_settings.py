"""Where backups go, and who logs in there: out of settings and prompts, judged before anything is sent."""

from typing import Final

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import no_such_value
from backupctl.config.option_table import DRY_RUN, LOCATION, LOCATION_PASSWORD, LOCATION_TYPE, LOCATION_USER, SERVER
from backupctl.config.parsers import parser_of
from backupctl.config.resolve import resolve
from backupctl.config.value import DEFAULT, Value, attribute_errors
from backupctl.errors import UsageError
from backupctl.models import LocationSpec
from backupctl.rules.location import Location, host_of, parse_location, scheme_of
from backupctl.rules.location_types import IN_CLEAR
from backupctl.rules.template import fill_location
from backupctl.secrets.secret import Secret

_WITHOUT_LOGIN: Final = "NFS"
"""Its hosts are shown no password (AUTH_SYS, RFC 5531, appendix A), whatever the appliance gets from us."""


def location_of(settings: ApplianceSettings) -> tuple[str, str]:
    """Return type and location, judged as they will be once its placeholders are filled in."""
    location_type, text = settings.value(LOCATION_TYPE), settings.value(LOCATION)

    def checked(template: str) -> Location:
        return parse_location(_filled(settings, template), location_type)

    if text is None:
        if not settings.prompter.present:
            raise no_such_value(LOCATION)
        text = settings.once(
            LOCATION.name, lambda: settings.prompter.ask("Location (such as sftp://host/folder)", checked)
        )
    with settings.attribute_errors(LOCATION, LOCATION_TYPE):
        return checked(text).location_type, text


def located(settings: ApplianceSettings, template: str) -> str:
    """Return a location for one appliance: its placeholders are filled in."""
    with settings.attribute_errors(LOCATION):
        return _filled(settings, template)


def _filled(settings: ApplianceSettings, template: str) -> str:
    """Fill in placeholders; an appliance of which only the defaults are known has no name, and any will do."""
    return fill_location(template, server=settings.name or SERVER.name, now=settings.clock.now())


def location_login(settings: ApplianceSettings, location_type: str, location: str) -> tuple[str | None, Secret | None]:
    """Return user and password for the location: both, or neither for one that wants no login."""
    check_password_is_for(settings, location_type, location)
    user, found = settings.value(LOCATION_USER), settings.secret(LOCATION_PASSWORD)
    password = found.value if found else None
    asks = settings.prompter.present and not settings.value(DRY_RUN)
    if user is not None and password is None:
        if asks:
            question = f"Password of {user} at {location} (Enter for none)"
            password = settings.ask_secret(question, lambda: settings.prompter.ask_secret(question))
        else:
            settings.warn(
                f"no password for the location user {user}",
                hint=f"give {LOCATION_PASSWORD.file_option} or set {LOCATION_PASSWORD.variable}",
            )
    if user is None and password is not None:
        if asks:
            asked = f"User at {location}"
            user = settings.once(asked, lambda: settings.prompter.ask(asked, parser_of(LOCATION_USER)))
        else:
            settings.warn(
                "a location password without a location user is of no use", hint=f"give {LOCATION_USER.flag} as well"
            )
    return user, password


def check_password_is_for(settings: ApplianceSettings, location_type: str, location: str) -> None:
    """Raise where a password of the configuration file would be shown to a host that it is not for, or to everybody.

    Who moves a backup to another host, or to a protocol without encryption, by a table, a variable or an option, has to
    say with which password.
    """
    password, here = location_of_password(settings), located(settings, location)
    if password.value is None or location_type == _WITHOUT_LOGIN:
        return
    asked, meant = host_of(here), host_of(password.value)
    if asked == meant:
        if location_type not in IN_CLEAR or scheme_of(password.value).upper() in IN_CLEAR:
            return
        asked, meant = f"{location_type}, which anyone on the way can read", f"{scheme_of(password.value)}://{meant}"
    with attribute_errors(settings.sourced(LOCATION).source, password.source):
        raise UsageError(
            f"the location is on {asked}, and the password is for {meant}",
            hint=f"say which {LOCATION_PASSWORD.name} is to be shown there, where that location is said",
        )


def location_of_password(settings: ApplianceSettings) -> Value[str | None]:
    """Return the location that a location password of the file is for, None for any, and what names the password.

    That is the location that stands in the same table, or else in ``[defaults]``.
    """
    found = settings.context.locate_secret(LOCATION_PASSWORD, settings.profile.layers)
    if found is None:
        return Value(None, DEFAULT)
    beside = resolve(LOCATION, None, {}, settings.profile.layers_from(found.source)).value
    return Value(located(settings, beside) if beside else None, found.source)


def location_spec(settings: ApplianceSettings) -> LocationSpec:
    """Return where archives are looked for; ``{server}`` in it is still to be filled in.

    Schedules and archives know no location type but the scheme of the URL.
    """
    location_type, location = location_of(settings)
    user, password = location_login(settings, location_type, location)
    return LocationSpec(location=location, location_user=user, location_password=password)
