"""The request for a backup and its plan, from settings and prompts, checked before anything is sent."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.location_settings import ResolvedLocation, location_keys, location_login, location_of
from backupctl.cli.prompts import Prompter, lines_of
from backupctl.config.option_table import (
    BACKUP_PASSWORD,
    CANCEL_ON_INTERRUPT,
    COMMENT,
    DRY_RUN,
    FAST_BACKUP,
    IF_RUNNING,
    INTERVAL,
    NO_WAIT,
    PART,
    REQUIRE_ENCRYPTION,
    STALL_TIMEOUT,
    TIMEOUT,
)
from backupctl.config.value import DEFAULT, attribute_errors
from backupctl.errors import UsageError
from backupctl.models import BackupRequest
from backupctl.operations.create import BackupPlan
from backupctl.operations.follow import Timeouts
from backupctl.operations.validate import refusals
from backupctl.results.backup_results import JobResult, StartedResult
from backupctl.rules.password import check_backup_password
from backupctl.rules.request_fields import check_parts
from backupctl.secrets.secret import Secret


def backup_plan(settings: ApplianceSettings) -> Callable[[BackupRequest], BackupPlan]:
    """Return a function that adds a request, which a schedule knows only after a login, to the plan of a backup.

    Raises UsageError and ConfigError: for an invalid setting, before the function is called.
    """
    return partial(
        BackupPlan,
        timeouts=job_timeouts(settings),
        wait=not settings.value(NO_WAIT),
        if_running=settings.value(IF_RUNNING),
        cancel_on_interrupt=settings.value(CANCEL_ON_INTERRUPT),
        require_encryption=settings.value(REQUIRE_ENCRYPTION),
    )


def job_result(context: Context) -> type[JobResult]:
    """Return the type of the result; with ``--no-wait`` it reports the id of the started job."""
    return StartedResult if context.value(NO_WAIT) else JobResult


def check_encryption_options(settings: ApplianceSettings) -> None:
    """Check that a required encryption can be verified.

    Raises UsageError: for ``--if-running attach``, as the API does not tell whether a running backup is encrypted.
    """
    if settings.value(REQUIRE_ENCRYPTION) and settings.value(IF_RUNNING) == "attach":
        with settings.attribute_errors(REQUIRE_ENCRYPTION, IF_RUNNING):
            raise UsageError(
                f"{REQUIRE_ENCRYPTION.flag} cannot be combined with {IF_RUNNING.flag} attach",
                hint=f"use ${IF_RUNNING.flag} wait to start an encrypted backup after it finishes",
            )


def job_timeouts(settings: ApplianceSettings) -> Timeouts:
    """Return the timeouts and the poll interval of a job."""
    return Timeouts(settings.value(TIMEOUT), settings.value(STALL_TIMEOUT), settings.value(INTERVAL))


def backup_request(settings: ApplianceSettings, *, attempts: float = 3) -> tuple[BackupRequest, ResolvedLocation]:
    """Return the request and its location; its parts are empty if none are named.

    The appliance checks a typed location. If it refuses, this prompts again, for ``attempts`` prompts in all.

    Raises UsageError and ConfigError: for a setting that is invalid, or missing without a terminal.
    """
    parts = check_parts(settings.value(PART))
    while True:
        resolved = location_of(settings)
        user, password = location_login(settings, resolved)
        request = BackupRequest(
            parts=parts,
            location_type=resolved.location.type,
            location=resolved.location,
            location_user=user,
            location_password=password,
            comment=settings.value(COMMENT),
            fast_backup=settings.value(FAST_BACKUP),
        )
        attempts -= 1
        if not _refused(settings, request, location_keys(resolved, user)) or not attempts:
            return replace(request, backup_password=backup_password(settings)), resolved


def _refused(settings: ApplianceSettings, request: BackupRequest, keys: Sequence[tuple[str, ...]]) -> bool:
    """Return whether the appliance refuses a location that was typed; say why, and forget the answers with ``keys``.

    One appliance checks it for all that share the answers.
    """
    context, checked = settings.context, ("checked", *keys[-1])
    contact, typed = context.contact, list(filter(context.is_answered, keys))
    if contact is None or not typed or context.is_answered(checked):
        return False
    settings.prompter.say(f"{settings.name}: checking the location")
    reasons = context.run_once(checked, lambda: contact.run(settings, partial(refusals, request=request)))
    for reason in reasons:
        settings.prompter.say(f"{settings.name}: {reason}")
    if reasons:
        context.forget(*typed, checked)
    return bool(reasons)


def backup_password(settings: ApplianceSettings) -> Secret | None:
    """Return the password that encrypts the backup, None for no encryption.

    Prompts for it if it is missing, unless a setting says that encryption is not required.

    Raises UsageError and ConfigError: if it breaks vCenter's rules, or is required and missing.
    """
    password, required = set_backup_password(settings), settings.resolve(REQUIRE_ENCRYPTION)
    prompts = password is None and (required.value or required.source == DEFAULT)
    if prompts and settings.prompter.interactive and not settings.value(DRY_RUN):
        suffix = " (leave empty for no encryption)"
        password = settings.ask_secret(
            (BACKUP_PASSWORD.name,), lambda _: ask_backup_password(settings.prompter, suffix)
        )
    check_encrypted(settings, password)
    return password


def set_backup_password(settings: ApplianceSettings) -> Secret | None:
    """Return the backup password that is set, None without one. Raises UsageError and ConfigError: if it is invalid."""
    secret = settings.secret(BACKUP_PASSWORD)
    if secret is None:
        return None
    with attribute_errors(secret.source):
        check_backup_password(secret.value)
    return secret.value


def check_encrypted(settings: ApplianceSettings, password: Secret | None) -> None:
    """Check that there is a backup password if one is required. Raises UsageError and ConfigError: if there is none."""
    required = settings.resolve(REQUIRE_ENCRYPTION)
    if required.value and password is None:
        with attribute_errors(required.source):
            raise UsageError(
                "the backup password is missing",
                hint=f"give ${BACKUP_PASSWORD.file_option} or set {BACKUP_PASSWORD.variable}",
            )


_KEEP_A_COPY: Final = (
    "The backup password encrypts the backups. Keep a copy outside the vCenter: without it nobody can restore them."
)


def ask_backup_password(prompter: Prompter, suffix: str = "") -> Secret | None:
    """Prompt twice for the backup password, until it is valid; return None for an empty answer."""
    prompter.say(_KEEP_A_COPY)
    while True:
        password = prompter.ask_secret(f"Backup password{suffix}")
        if password is None:
            return None
        try:
            check_backup_password(password)
        except UsageError as error:
            prompter.say(lines_of(error))
            continue
        if prompter.ask_secret("Backup password again") == password:
            return password
        prompter.say("Passwords do not match.")
