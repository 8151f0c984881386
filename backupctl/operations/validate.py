"""Validate: what can be checked before a backup, without starting one."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from msgspec import structs

from backupctl.errors import (
    ApplianceAnswerError,
    AuthorizationError,
    BackupctlError,
    BackupFailedError,
    BusyError,
    NotFoundError,
    NotSupportedError,
)
from backupctl.models import BackupRequest, DatabaseHealth, HealthSettings, ReturnResult, SystemVersion
from backupctl.operations import jobs
from backupctl.operations.busy_job import describe_running, hung_hint
from backupctl.operations.location_warnings import location_warnings
from backupctl.operations.parts import read_parts, total_mb
from backupctl.results.backup_results import Check, PartSize
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import RETRY_SECONDS, Task, retry

T = TypeVar("T")

OK: Final = "OK"
WARNING: Final = "WARNING"
FAIL: Final = "FAIL"

RUNNING_JOB: Final = "running job"
"""The name of the check that says whether a backup or restore is running."""


_VALIDATION: Final = "appliance validation"


def validate(appliance: Appliance, request: BackupRequest, if_running: str = "fail") -> Task[tuple[Check, ...]]:
    """Return the checks with OK, WARNING or FAIL each; a check that cannot be made is a WARNING.

    A running job is a FAIL only where ``if_running`` (fail, wait or attach) says so. Raises what says that nothing can
    be asked at all: unreachable, not trusted, refused, or an answer by somebody else.
    """
    checks, chosen = yield from _common_checks(appliance, request)
    busy = yield from _what_runs(appliance)
    answer: list[Check] | BusyError = [_not_validated("another backup is running")]
    if not isinstance(busy, Job):
        answer = yield from _appliance_checks(appliance, request, chosen)
    if isinstance(answer, BusyError):
        busy, answer = answer, [_not_validated("another backup or restore is running")]
    return (*checks, _running_check(busy, if_running, appliance.clock.now()), _encryption_check(request), *answer)


def validate_schedule(
    appliance: Appliance, request: BackupRequest, if_running: str = "fail"
) -> Task[tuple[Check, ...]]:
    """Return the checks of the backup that running a schedule starts, as ``validate`` does.

    The appliance cannot be asked about its location, as that needs the password which only the schedule knows.
    """
    checks, _ = yield from _common_checks(appliance, request)
    busy = yield from _what_runs(appliance)
    message = "not checked: only the schedule knows its password"
    return (
        *checks,
        _running_check(busy, if_running, appliance.clock.now()),
        Check(name="backup location", status=WARNING, message=message),
    )


def checks_error(checks: Iterable[Check]) -> BackupFailedError | None:
    """Return the error for checks of which some failed, None where none did."""
    names = dict.fromkeys(check.name for check in checks if check.status == FAIL)
    return BackupFailedError(f"a backup would fail: {', '.join(names)}") if names else None


def _common_checks(appliance: Appliance, request: BackupRequest) -> Task[tuple[list[Check], tuple[str, ...]]]:
    """Return the checks that need no secret of the backup, and the parts that it would have."""
    version = yield from _told(appliance, appliance.api.version)
    release = version.version if isinstance(version, SystemVersion) else ""
    parts, unreadable = yield from read_parts(appliance)
    chosen = request.parts or tuple(part.id for part in parts if part.selected_by_default)
    checks = [_login_check(appliance, release)]
    checks += yield from _health_checks(appliance)
    checks += [_parts_check(parts, chosen, unreadable), *location_checks(request.location_type, release)]
    checks += _location_warnings(appliance, request)
    return checks, chosen


def _login_check(appliance: Appliance, release: str) -> Check:
    message = f"{appliance.user} may use /{appliance.api.family}; release {release or 'unknown'}"
    return Check(name="login and rights", status=OK, message=message)


def _health_checks(appliance: Appliance) -> Task[list[Check]]:
    """Return the checks of the appliance's own health; a release without such an operation gives no check."""
    checks = []
    supported = yield from _told(appliance, appliance.api.recovery_supported)
    if not isinstance(supported, NotSupportedError):
        checks.append(_judged("recovery", supported, {True: OK, False: FAIL}, "supported", "not supported"))
    health = yield from _told(appliance, appliance.api.system_health)
    if not isinstance(health, NotSupportedError):
        checks.append(_judged("system health", health, {"green": OK, "gray": OK, "red": FAIL}))
    database = yield from _told(appliance, appliance.api.database_health)
    if not isinstance(database, NotSupportedError):
        consulted = yield from _told(appliance, appliance.api.health_settings)
        checks.append(_database_check(database, consulted))
    return checks


def _told(appliance: Appliance, ask: Callable[[], T]) -> Task[T | BackupctlError]:
    """Return what the appliance tells, or why it does not; raises what says that nothing can be asked at all."""
    try:
        return (yield from retry(appliance, ask))
    except (ApplianceAnswerError, AuthorizationError, NotFoundError) as error:
        return error


def _judged(name: str, answer: object, statuses: Mapping[object, str], *words: str) -> Check:
    """Return the check for an answer; an error, or a value that is not in ``statuses``, is a WARNING."""
    if isinstance(answer, BackupctlError):
        return Check(name=name, status=WARNING, message=f"unknown: {answer.message}")
    message = words[list(statuses).index(answer)] if words and answer in statuses else str(answer)
    return Check(name=name, status=statuses.get(answer, WARNING), message=message)


def _database_check(health: DatabaseHealth | BackupctlError, settings: HealthSettings | BackupctlError) -> Check:
    """Return the check of the database: it fails a backup only where it is checked before each."""
    checked = not isinstance(settings, HealthSettings) or settings.db_health_check_state_manual_backup is not False
    if isinstance(health, BackupctlError):
        return Check(name="database health", status=WARNING, message=f"unknown: {health.message}")
    said = [message.message.text for message in health.messages or () if message.message]
    use = "checked before each backup" if checked else "not checked before backups"
    message = f"{health.status.lower()} ({use}){''.join(f'; {text}' for text in said)}"
    status = OK if health.status == "HEALTHY" else FAIL if checked else WARNING
    return Check(name="database health", status=status, message=message)


def _what_runs(appliance: Appliance) -> Task[Job | BackupctlError | None]:
    """Return the backup that is running, None where none is, or why that is not known."""
    try:
        return (yield from jobs.find_running(appliance, retry_seconds=RETRY_SECONDS))
    except (ApplianceAnswerError, NotFoundError) as error:
        return error


def _running_check(busy: Job | BackupctlError | None, if_running: str, now: datetime) -> Check:
    match busy:
        case None:
            return Check(name=RUNNING_JOB, status=OK, message="no backup is running")
        case Job():
            message = "; ".join(filter(None, (describe_running(busy, now), hung_hint(busy, now))))
        case BusyError():
            message = "another backup or restore is running"
        case _:
            message = f"cannot tell whether one is running: {busy.message}"
            return Check(name=RUNNING_JOB, status=WARNING, message=message)
    what_follows = _WHAT_FOLLOWS.get(if_running)
    if what_follows is None:
        return Check(name=RUNNING_JOB, status=FAIL, message=message)
    return Check(name=RUNNING_JOB, status=WARNING, message=f"{message}; {what_follows}")


_WHAT_FOLLOWS: Final = {"wait": "waiting for it to finish", "attach": "following it"}
"""What becomes of a backup that is to start while another one runs, by --if-running; else it fails."""


def location_checks(location_type: str, release: str) -> list[Check]:
    """Return whether a location type fits a release: never a FAIL, because the appliance decides.

    SFTP came with 7.0 and replaces SCP, which 6.5 and 6.7 use; NFS and SMB came with 6.7U2 (6.7.0.30000). Source:
    https://github.com/vmware/PowerCLI-Example-Scripts/issues/468 and the API reference of each release.
    """
    if not release:
        return []
    numbers = tuple(int(number) for number in re.findall(r"[0-9]{1,9}", release))
    better = {
        "SFTP": "SCP" if numbers < (7,) else None,
        "SCP": "SFTP" if numbers >= (7,) else None,
        "NFS": "SCP" if numbers < (6, 7, 0, 30000) else None,
        "SMB": "SCP" if numbers < (6, 7, 0, 30000) else None,
    }.get(location_type)
    if better is None:
        return [Check(name="location type", status=OK, message=f"{location_type} fits release {release}")]
    message = f"{location_type} may not work with release {release}; {better} does"
    return [Check(name="location type", status=WARNING, message=message)]


def _location_warnings(appliance: Appliance, request: BackupRequest) -> list[Check]:
    warnings = location_warnings(request.location, appliance.host, password=request.location_password is not None)
    return [Check(name="location", status=WARNING, message=warning) for warning in warnings]


def _encryption_check(request: BackupRequest) -> Check:
    if request.backup_password is None:
        return Check(name="encryption", status=WARNING, message="no backup password: the backup will not be encrypted")
    return Check(name="encryption", status=OK, message="backup password is valid")


def _parts_check(parts: tuple[PartSize, ...], chosen: tuple[str, ...], unreadable: int) -> Check:
    """Return whether the chosen parts are offered; ``unreadable`` is how many more parts cannot be read."""
    known = {part.id: part for part in parts}
    unknown = [part for part in chosen if part not in known]
    if unknown:
        offered = ", ".join(known)
        doubt = f"; {unreadable} more cannot be read" if unreadable else ""
        message = f"not offered: {', '.join(unknown)} (offered: {offered}{doubt})"
        return Check(name="parts", status=WARNING if unreadable else FAIL, message=message)
    taken = tuple(known[part] for part in known if part in chosen or not known[part].optional)
    sizes = ", ".join(f"{part.id} {'?' if part.size_mb is None else part.size_mb} MB" for part in taken)
    doubts = ["an estimate of 0 MB means trouble in that part"] if any(part.size_mb == 0 for part in taken) else []
    doubts += [f"{unreadable} more cannot be read"] if unreadable else []
    if doubts:
        return Check(name="parts", status=WARNING, message=f"{sizes}: {'; '.join(doubts)}")
    return Check(name="parts", status=OK, message=f"{sizes}; {total_mb(taken) or 0} MB in all, before compression")


def _appliance_checks(
    appliance: Appliance, request: BackupRequest, parts: tuple[str, ...]
) -> Task[list[Check] | BusyError]:
    """Return what the appliance says about the request, or that it says nothing while something runs."""
    complete = structs.replace(request, parts=parts)
    try:
        answer = yield from retry(appliance, partial(appliance.api.validate, complete))
    except BusyError as error:
        return error
    except NotSupportedError as error:
        return [Check(name=_VALIDATION, status=WARNING, message=error.message)]
    except ApplianceAnswerError as error:
        if not error.certain or error.retryable:
            raise
        return [Check(name=_VALIDATION, status=FAIL, message=": ".join((error.message, *error.details)))]
    return _validation(answer)


def _not_validated(why: str) -> Check:
    return Check(name=_VALIDATION, status=WARNING, message=f"not checked: {why}")


def _validation(answer: ReturnResult) -> list[Check]:
    status = answer.status if answer.status in {OK, WARNING, FAIL} else WARNING
    texts = [message.text for message in answer.messages or ()] or [f"the appliance says {answer.status}"]
    return [Check(name=_VALIDATION, status=status, message=text) for text in texts]
