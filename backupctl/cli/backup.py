"""What to back up and where to, out of settings and prompts, judged by the local rules before anything is sent."""

from datetime import datetime
from typing import TypeVar

from msgspec import structs

from backupctl.cli.app import App, no_such_value
from backupctl.errors import UsageError
from backupctl.models import BackupRequest, LocationSpec, RestoreRequest
from backupctl.operations.create import BackupPlan
from backupctl.operations.follow import Patience
from backupctl.rules.fields import check_parts
from backupctl.rules.location import Location, parse_location
from backupctl.rules.password import check_backup_password
from backupctl.rules.template import fill_location
from backupctl.secret import Secret
from backupctl.settings.options import (
    BACKUP_PASSWORD,
    CANCEL_ON_INTERRUPT,
    COMMENT,
    DRY_RUN,
    FAST_BACKUP,
    IF_RUNNING,
    INTERVAL,
    LOCATION,
    LOCATION_PASSWORD,
    LOCATION_TYPE,
    LOCATION_USER,
    NO_WAIT,
    PART,
    REQUIRE_ENCRYPTION,
    STALL_TIMEOUT,
    TIMEOUT,
)
from backupctl.settings.parsers import parser_of

Q = TypeVar("Q", BackupRequest, RestoreRequest)


def backup_plan(app: App, request: BackupRequest | None = None) -> BackupPlan:
    """Return what is asked for and how to go about it; ``{server}`` in the location is still to be filled in.

    Without a ``request`` it is made of the settings. Raises UsageError for what breaks a rule, or is missing where
    nobody can be asked.
    """
    if app.value(REQUIRE_ENCRYPTION) and app.value(IF_RUNNING) == "attach":
        raise UsageError(
            f"{REQUIRE_ENCRYPTION.flag} and {IF_RUNNING.flag} attach exclude each other",
            hint="nobody can tell whether a running backup is encrypted; --if-running wait makes one that is",
        )
    return BackupPlan(
        request=request or backup_request(app),
        patience=patience(app),
        wait=not app.value(NO_WAIT),
        if_running=app.value(IF_RUNNING),
        cancel_on_interrupt=app.value(CANCEL_ON_INTERRUPT),
    )


def patience(app: App) -> Patience:
    """Return how long is waited."""
    return Patience(app.value(TIMEOUT), app.value(STALL_TIMEOUT), app.value(INTERVAL))


def backup_request(app: App) -> BackupRequest:
    """Return the request, complete but for its parts where none are named."""
    location_type, location = location_of(app)
    parts = app.value(PART)
    user, location_password = location_login(app, location)
    return BackupRequest(
        parts=check_parts(parts),
        location_type=location_type,
        location=location,
        location_user=user,
        location_password=location_password,
        backup_password=backup_password(app),
        comment=app.value(COMMENT),
        fast_backup=app.value(FAST_BACKUP),
    )


def filled_in(request: Q, server: str, now: datetime) -> Q:
    """Return the request for one appliance: ``{server}``, ``{date}`` and ``{time}`` in its location are filled in."""
    text = fill_location(request.location, server=server, now=now)
    return structs.replace(request, location=parse_location(text, request.location_type).location)


def location_of(app: App) -> tuple[str, str]:
    """Return type and location, judged as they will be once its placeholders are filled in."""
    location_type, text = app.value(LOCATION_TYPE), app.value(LOCATION)

    def checked(template: str) -> Location:
        return parse_location(fill_location(template, server="server", now=app.clock.now()), location_type)

    if text is None:
        if not app.prompter.present:
            raise no_such_value(LOCATION)
        text = app.prompter.ask("Location (such as sftp://host/folder)", checked)
    return checked(text).location_type, text


def located(app: App, template: str, server: str) -> str:
    """Return a location for one appliance: its placeholders are filled in."""
    return fill_location(template, server=server, now=app.clock.now())


def location_login(app: App, location: str) -> tuple[str | None, Secret | None]:
    """Return user and password for the location: both, or neither for one that wants no login."""
    user, found = app.value(LOCATION_USER), app.secret(LOCATION_PASSWORD)
    password = found.value if found else None
    asks = app.prompter.present and not app.value(DRY_RUN)
    if user is not None and password is None:
        if asks:
            password = app.prompter.ask_secret(f"Password of {user} at {location} (Enter for none)")
        else:
            app.view.warn(
                f"no password for the location user {user}",
                hint=f"give {LOCATION_PASSWORD.file_option} or set {LOCATION_PASSWORD.variable}",
            )
    if user is None and password is not None:
        if asks:
            user = app.prompter.ask(f"User at {location}", parser_of(LOCATION_USER))
        else:
            app.view.warn(
                "a location password without a location user is of no use", hint=f"give {LOCATION_USER.flag} as well"
            )
    return user, password


def backup_password(app: App) -> Secret | None:
    """Return the password that encrypts the backup, None for none; asked for twice on a terminal."""
    found = app.secret(BACKUP_PASSWORD)
    if found is not None:
        check_backup_password(found.value)
        return found.value
    password = None
    if app.prompter.present and not app.value(DRY_RUN):
        password = _ask_backup_password(app)
    if password is None and app.value(REQUIRE_ENCRYPTION):
        raise UsageError(
            f"{REQUIRE_ENCRYPTION.flag}: there is no backup password",
            hint=f"give {BACKUP_PASSWORD.file_option} or set {BACKUP_PASSWORD.variable}",
        )
    return password


def _ask_backup_password(app: App) -> Secret | None:
    """Ask for the backup password twice, until it keeps the rules; an empty answer means no encryption."""
    while True:
        password = app.prompter.ask_secret("Backup password (Enter for a backup that is not encrypted)")
        if password is None:
            return None
        try:
            check_backup_password(password)
        except UsageError as error:
            app.prompter.say("\n".join((error.message, *(f"  {rule}" for rule in error.details))))
            continue
        if app.prompter.ask_secret("Backup password again") == password:
            return password
        app.prompter.say("The two are not the same.")


def location_spec(app: App) -> LocationSpec:
    """Return where archives are looked for; ``{server}`` in it is still to be filled in.

    Schedules and archives know no location type but the scheme of the URL.
    """
    _, location = location_of(app)
    user, password = location_login(app, location)
    return LocationSpec(location=location, location_user=user, location_password=password)
