"""What to back up and where to, out of settings and prompts, judged by the local rules before anything is sent."""

from datetime import datetime
from typing import Final, TypeVar

from msgspec import structs

from backupctl.cli.app import no_such_value
from backupctl.cli.prompts import Prompter
from backupctl.cli.scope import Scope
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
from backupctl.settings.value import DEFAULT, blaming

Q = TypeVar("Q", BackupRequest, RestoreRequest)


def backup_plan(scope: Scope, request: BackupRequest | None = None) -> BackupPlan:
    """Return what is asked for and how to go about it; ``{server}`` in the location is still to be filled in.

    Without a ``request`` it is made of the settings. Raises UsageError for what breaks a rule, or is missing where
    nobody can be asked.
    """
    check_encryption_can_be_told(scope)
    return BackupPlan(
        request=request or backup_request(scope),
        patience=patience(scope),
        wait=not scope.value(NO_WAIT),
        if_running=scope.value(IF_RUNNING),
        cancel_on_interrupt=scope.value(CANCEL_ON_INTERRUPT),
    )


def check_encryption_can_be_told(scope: Scope) -> None:
    """Raise UsageError where encryption is required of a backup that may be somebody else's."""
    if scope.value(REQUIRE_ENCRYPTION) and scope.value(IF_RUNNING) == "attach":
        with scope.blaming(REQUIRE_ENCRYPTION, IF_RUNNING):
            raise UsageError(
                "nobody can tell whether a running backup to attach to is encrypted",
                hint=f"{IF_RUNNING.flag} wait makes one that is",
            )


def patience(scope: Scope) -> Patience:
    """Return how long is waited."""
    return Patience(scope.value(TIMEOUT), scope.value(STALL_TIMEOUT), scope.value(INTERVAL))


def backup_request(scope: Scope) -> BackupRequest:
    """Return the request, complete but for its parts where none are named."""
    location_type, location = location_of(scope)
    parts = scope.value(PART)
    user, location_password = location_login(scope, location)
    return BackupRequest(
        parts=check_parts(parts),
        location_type=location_type,
        location=location,
        location_user=user,
        location_password=location_password,
        backup_password=backup_password(scope),
        comment=scope.value(COMMENT),
        fast_backup=scope.value(FAST_BACKUP),
    )


def filled_in(request: Q, server: str, now: datetime) -> Q:
    """Return the request for one appliance: ``{server}``, ``{date}`` and ``{time}`` in its location are filled in."""
    text = fill_location(request.location, server=server, now=now)
    return structs.replace(request, location=parse_location(text, request.location_type).location)


def location_of(scope: Scope) -> tuple[str, str]:
    """Return type and location, judged as they will be once its placeholders are filled in."""
    location_type, text = scope.value(LOCATION_TYPE), scope.value(LOCATION)

    def checked(template: str) -> Location:
        return parse_location(fill_location(template, server=scope.name, now=scope.clock.now()), location_type)

    if text is None:
        if not scope.prompter.present:
            raise no_such_value(LOCATION)
        text = scope.once(LOCATION.name, lambda: scope.prompter.ask("Location (such as sftp://host/folder)", checked))
    with scope.blaming(LOCATION, LOCATION_TYPE):
        return checked(text).location_type, text


def located(scope: Scope, template: str, server: str) -> str:
    """Return a location for one appliance: its placeholders are filled in."""
    with scope.blaming(LOCATION):
        return fill_location(template, server=server, now=scope.clock.now())


def location_login(scope: Scope, location: str) -> tuple[str | None, Secret | None]:
    """Return user and password for the location: both, or neither for one that wants no login."""
    user, found = scope.value(LOCATION_USER), scope.secret(LOCATION_PASSWORD)
    password = found.value if found else None
    asks = scope.prompter.present and not scope.value(DRY_RUN)
    if user is not None and password is None:
        if asks:
            question = f"Password of {user} at {location} (Enter for none)"
            password = scope.once(question, lambda: scope.prompter.ask_secret(question))
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


def backup_password(scope: Scope) -> Secret | None:
    """Return the password that encrypts the backup, None for none.

    It is asked for twice on a terminal, unless it was said that none is required: that is an answer.
    """
    found, required = scope.secret(BACKUP_PASSWORD), scope.sourced(REQUIRE_ENCRYPTION)
    if found is not None:
        with blaming(found.source):
            check_backup_password(found.value)
        return found.value
    password = None
    asks = required.value or required.source == DEFAULT
    if asks and scope.prompter.present and not scope.value(DRY_RUN):
        password = scope.once(BACKUP_PASSWORD.name, lambda: ask_backup_password(scope.prompter, _OR_NONE))
    if password is None and required.value:
        with blaming(required.source):
            raise UsageError(
                "there is no backup password",
                hint=f"give {BACKUP_PASSWORD.file_option} or set {BACKUP_PASSWORD.variable}",
            )
    return password


_OR_NONE: Final = " (Enter for a backup that is not encrypted)"


def ask_backup_password(prompter: Prompter, addition: str = "") -> Secret | None:
    """Ask for the backup password twice, until it keeps the rules; None for an empty answer."""
    while True:
        password = prompter.ask_secret(f"Backup password{addition}")
        if password is None:
            return None
        try:
            check_backup_password(password)
        except UsageError as error:
            prompter.say("\n".join((error.message, *(f"  {rule}" for rule in error.details))))
            continue
        if prompter.ask_secret("Backup password again") == password:
            return password
        prompter.say("The two are not the same.")


def location_spec(scope: Scope) -> LocationSpec:
    """Return where archives are looked for; ``{server}`` in it is still to be filled in.

    Schedules and archives know no location type but the scheme of the URL.
    """
    _, location = location_of(scope)
    user, password = location_login(scope, location)
    return LocationSpec(location=location, location_user=user, location_password=password)
