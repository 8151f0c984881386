"""Where backups go, and who logs in there: out of settings and prompts, judged before anything is sent."""

from typing import Final

from backupctl.cli.appliance_settings import Scope
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


def location_of(scope: Scope) -> tuple[str, str]:
    """Return type and location, judged as they will be once its placeholders are filled in."""
    location_type, text = scope.value(LOCATION_TYPE), scope.value(LOCATION)

    def checked(template: str) -> Location:
        return parse_location(_filled(scope, template), location_type)

    if text is None:
        if not scope.prompter.present:
            raise no_such_value(LOCATION)
        text = scope.once(LOCATION.name, lambda: scope.prompter.ask("Location (such as sftp://host/folder)", checked))
    with scope.attribute_errors(LOCATION, LOCATION_TYPE):
        return checked(text).location_type, text


def located(scope: Scope, template: str) -> str:
    """Return a location for the appliance of a scope: its placeholders are filled in."""
    with scope.attribute_errors(LOCATION):
        return _filled(scope, template)


def _filled(scope: Scope, template: str) -> str:
    """Fill in placeholders; an appliance of which only the defaults are known has no name, and any will do."""
    return fill_location(template, server=scope.name or SERVER.name, now=scope.clock.now())


def location_login(scope: Scope, location_type: str, location: str) -> tuple[str | None, Secret | None]:
    """Return user and password for the location: both, or neither for one that wants no login."""
    check_password_is_for(scope, location_type, location)
    user, found = scope.value(LOCATION_USER), scope.secret(LOCATION_PASSWORD)
    password = found.value if found else None
    asks = scope.prompter.present and not scope.value(DRY_RUN)
    if user is not None and password is None:
        if asks:
            question = f"Password of {user} at {location} (Enter for none)"
            password = scope.ask_secret(question, lambda: scope.prompter.ask_secret(question))
        else:
            scope.warn(
                f"no password for the location user {user}",
                hint=f"give {LOCATION_PASSWORD.file_option} or set {LOCATION_PASSWORD.variable}",
            )
    if user is None and password is not None:
        if asks:
            asked = f"User at {location}"
            user = scope.once(asked, lambda: scope.prompter.ask(asked, parser_of(LOCATION_USER)))
        else:
            scope.warn(
                "a location password without a location user is of no use", hint=f"give {LOCATION_USER.flag} as well"
            )
    return user, password


def check_password_is_for(scope: Scope, location_type: str, location: str) -> None:
    """Raise where a password of the configuration file would be shown to a host that it is not for, or to everybody.

    Who moves a backup to another host, or to a protocol without encryption, by a table, a variable or an option, has to
    say with which password.
    """
    password, here = location_of_password(scope), located(scope, location)
    if password.value is None or location_type == _WITHOUT_LOGIN:
        return
    asked, meant = host_of(here), host_of(password.value)
    if asked == meant:
        if location_type not in IN_CLEAR or scheme_of(password.value).upper() in IN_CLEAR:
            return
        asked, meant = f"{location_type}, which anyone on the way can read", f"{scheme_of(password.value)}://{meant}"
    with attribute_errors(scope.sourced(LOCATION).source, password.source):
        raise UsageError(
            f"the location is on {asked}, and the password is for {meant}",
            hint=f"say which {LOCATION_PASSWORD.name} is to be shown there, where that location is said",
        )


def location_of_password(scope: Scope) -> Value[str | None]:
    """Return the location that a location password of the file is for, None for any, and what names the password.

    That is the location that stands in the same table, or else in ``[defaults]``.
    """
    found = scope.app.locate_secret(LOCATION_PASSWORD, scope.profile.layers)
    if found is None:
        return Value(None, DEFAULT)
    beside = resolve(LOCATION, None, {}, scope.profile.layers_from(found.source)).value
    return Value(located(scope, beside) if beside else None, found.source)


def location_spec(scope: Scope) -> LocationSpec:
    """Return where archives are looked for; ``{server}`` in it is still to be filled in.

    Schedules and archives know no location type but the scheme of the URL.
    """
    location_type, location = location_of(scope)
    user, password = location_login(scope, location_type, location)
    return LocationSpec(location=location, location_user=user, location_password=password)
