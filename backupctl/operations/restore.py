"""Restore: validate an archive, restore from it, and reconcile afterwards.

An appliance has at most one restore, which has no id. While it runs, the services restart and the appliance is
unreachable for minutes, so it is followed like a backup through a reboot.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Generic, TypeVar

import msgspec

from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    InterruptedRunError,
    NotFoundError,
    OperationFailedError,
    OutcomeUnknownError,
    SessionExpiredError,
    UsageError,
)
from backupctl.models import (
    JobState,
    ReconciliationSpec,
    ReconciliationStatus,
    RestoreJobStatus,
    RestoreMetadata,
    RestoreRequest,
    as_utc,
)
from backupctl.operations import job_conversion
from backupctl.operations.cancel import CANCEL_TIMEOUTS, cancel_outcome, request_cancel
from backupctl.operations.follow import Follower, Timeouts, bug_while_starting, follow
from backupctl.operations.outcome import Outcome
from backupctl.operations.watch import outcome_of, return_started
from backupctl.results.archive_results import ArchiveMetadata
from backupctl.results.events import Attached, Cancelling, Started, Warned
from backupctl.results.job import RECONCILIATION_ID, RESTORE_ID, Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import retry
from backupctl.scheduler.task import Task, attempt, response_deadline

S = TypeVar("S", RestoreJobStatus, ReconciliationStatus)

Fetch = Callable[[Appliance, Follower], Task[Job | BackupctlError]]

UNREACHABLE_GRACE_SECONDS: Final = 900.0
"""How long the appliance may be unreachable when following begins in the middle of a restore."""

_NO_RESTORE_KIND: Final = "ERROR"
"""The ``kind`` of the error for the status of a restore on an appliance that was never restored."""

_RETRY_HINT: Final = "run the command again: the appliance refuses a second reconciliation"
"""The error is FEATURE_IN_USE then. Source: specification of ``POST /appliance/recovery/reconciliation/job``."""

_RECONCILIATION_STATES = {"RUNNING": JobState.INPROGRESS}


def validate_restore(appliance: Appliance, request: RestoreRequest) -> Task[ArchiveMetadata]:
    """Return the contents of an archive, and whether this appliance can be restored from it."""
    try:
        metadata = yield from retry(appliance, partial(appliance.api.validate_restore, request))
    except ApplianceAnswerError as error:
        if request.backup_password is not None or not error.certain or error.facts.hint:
            raise
        hint = "if the backup is encrypted, give --backup-password-file"
        raise error.with_facts(hint=hint) from error
    return ArchiveMetadata(
        applicable=metadata.applicable,
        boxname=metadata.boxname,
        version=metadata.version,
        timestamp=as_utc(metadata.timestamp),
        parts=tuple(metadata.parts or ()),
        comment=metadata.comment,
        sso_login_required=metadata.sso_login_required,
        messages=job_conversion.messages_of(metadata.messages),
    )


def create_restore(appliance: Appliance, request: RestoreRequest, timeouts: Timeouts, wait: bool) -> Task[Outcome[Job]]:
    """Start a restore and, with ``wait``, follow it to its end; warn if the appliance is not freshly deployed."""
    deadline = appliance.clock.monotonic() + timeouts.timeout
    before = yield from attempt(appliance.api.restore_job)
    if isinstance(before, ApplianceAnswerError) and before.facts.kind == _NO_RESTORE_KIND:
        message = f"the appliance does not look freshly deployed: {before.message}"
        hint = "restore only to an appliance that is deployed but not yet set up"
        appliance.emit(Warned(message=message, hint=hint))
    start = partial(appliance.api.create_restore, request)
    operation = _Operation(RESTORE_ID, start, appliance.api.restore_job, _restore_job)
    started = yield from _start_job(appliance, operation, deadline)
    if not wait:
        return return_started(appliance, started)
    return (yield from _follow_to_end(appliance, started, timeouts, _fetch_restore, deadline))


def check_and_create_restore(
    appliance: Appliance, request: RestoreRequest, timeouts: Timeouts, wait: bool
) -> Task[Outcome[Job]]:
    """Do ``create_restore`` where there was no prompt for an SSO administrator.

    Raises UsageError: if the archive needs one, and the request names none.
    """
    if request.sso_admin_user_name is None and (yield from needs_sso(appliance, request)):
        raise UsageError(
            "a restore from this backup needs its SSO administrator",
            server=appliance.name,
            hint="give --sso-username and --sso-password-file; nothing was changed",
        )
    return (yield from create_restore(appliance, request, timeouts, wait))


def needs_sso(appliance: Appliance, request: RestoreRequest) -> Task[bool]:
    """Return whether a restore needs the SSO administrator of the archive; False if the appliance does not say so."""
    metadata = yield from attempt(partial(appliance.api.validate_restore, request))
    return isinstance(metadata, RestoreMetadata) and bool(metadata.sso_login_required)


def restore_status(appliance: Appliance) -> Task[Outcome[Job]]:
    """Read the status of the restore once."""
    return outcome_of(appliance, (yield from _read_restore(appliance)))


def watch_restore(appliance: Appliance, timeouts: Timeouts, deadline: float) -> Task[Outcome[Job]]:
    """Follow the restore to its end, until ``deadline`` (monotonic seconds)."""
    grace = max(0.0, min(UNREACHABLE_GRACE_SECONDS, deadline - appliance.clock.monotonic()))
    job = yield from _read_restore(appliance, unreachable_grace=grace)
    if not job.ended:
        appliance.emit(Attached(job=job))
    return (yield from _follow_to_end(appliance, job, timeouts, _fetch_restore, deadline))


def cancel_restore(appliance: Appliance) -> Task[Outcome[Job]]:
    """Cancel the restore, and follow it for up to a minute."""
    job = yield from _read_restore(appliance)
    cancel_error = yield from request_cancel(appliance, appliance.api.cancel_restore, job)
    appliance.emit(Cancelling(job=job))
    return cancel_outcome((yield from follow(appliance, job, CANCEL_TIMEOUTS, fetch=_fetch_restore)), cancel_error)


def reconcile(appliance: Appliance, spec: ReconciliationSpec, timeouts: Timeouts, wait: bool) -> Task[Outcome[Job]]:
    """Start a reconciliation and, with ``wait``, follow it to its end."""
    start = partial(appliance.api.create_reconciliation, spec)
    operation = _Operation(RECONCILIATION_ID, start, appliance.api.reconciliation, _reconciliation_job, _RETRY_HINT)
    deadline = appliance.clock.monotonic() + timeouts.timeout
    started = yield from _start_job(appliance, operation, deadline)
    if not wait:
        return return_started(appliance, started)
    return (yield from _follow_to_end(appliance, started, timeouts, _fetch_reconciliation, deadline))


class _Operation(msgspec.Struct, Generic[S], frozen=True):
    """The requests of a restore or a reconciliation; ``hint`` says how to find out whether it is running."""

    job_id: str
    start: Callable[[], S]
    read: Callable[[], S]
    as_job: Callable[[S], Job]
    hint: str | None = None


def _start_job(appliance: Appliance, operation: _Operation[S], deadline: float) -> Task[Job]:
    """Send the start request, once, and return the job.

    It is sent again only if the appliance itself reported an expired session and nothing is running. After a lost
    response it is never sent again.

    Raises OutcomeUnknownError: if the job may be running.
    """
    response = yield from _send_start(appliance, operation, deadline)
    if isinstance(response, SessionExpiredError) and response.certain:
        if (yield from _may_be_running(operation)):
            raise _outcome_unknown(appliance, operation, response)
        response = yield from _send_start(appliance, operation, deadline)
    if isinstance(response, BackupctlError):
        raise response if response.certain else _outcome_unknown(appliance, operation, response)
    job = operation.as_job(response)
    appliance.emit(Started(job=job))
    return job


def _send_start(appliance: Appliance, operation: _Operation[S], deadline: float) -> Task[S | BackupctlError]:
    if appliance.clock.monotonic() >= deadline:
        raise ApplianceUnreachableError(
            "timed out before $job was requested; it was not started",
            server=appliance.name,
            job=operation.job_id,
            hint="use a longer --timeout",
        )
    try:
        with bug_while_starting(appliance, operation.job_id):
            return (yield from attempt(operation.start, until=deadline, shielded=True, once=True))
    except InterruptedRunError as interruption:
        raise InterruptedRunError(
            "$cause: unknown whether $job was started",
            cause=interruption,
            job=operation.job_id,
            hint=operation.hint,
            attach=appliance.attach(operation.job_id),
            certain=False,
        ) from interruption


def _may_be_running(operation: _Operation[S]) -> Task[bool]:
    """Return whether the job is running, True if that is unknown.

    Raises AuthenticationError: if the login is rejected.
    """
    response = yield from attempt(operation.read)
    if isinstance(response, AuthenticationError):
        raise response
    if isinstance(response, BackupctlError):
        return not isinstance(response, OperationFailedError | NotFoundError)
    job = operation.as_job(response)
    return not job.ended and job.state != JobState.NONE


def _outcome_unknown(appliance: Appliance, operation: _Operation[S], lost: BackupctlError) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "unknown whether $job was started: $cause",
        server=appliance.name,
        job=operation.job_id,
        cause=lost,
        hint=operation.hint,
        attach=appliance.attach(operation.job_id),
        details=lost.facts.details,
    )


def _follow_to_end(
    appliance: Appliance, job: Job, timeouts: Timeouts, fetch: Fetch, deadline: float
) -> Task[Outcome[Job]]:
    if job.ended:
        return outcome_of(appliance, job)
    return (yield from follow(appliance, job, timeouts, fetch=fetch, deadline=deadline))


def _read_restore(appliance: Appliance, *, unreachable_grace: float = 0.0) -> Task[Job]:
    """Return the restore.

    Raises NotFoundError: if there never was one. The appliance then responds with a generic ``error`` when in service,
    and with the state NONE without progress and messages when freshly deployed.
    """
    try:
        job = _restore_job(
            (yield from retry(appliance, appliance.api.restore_job, unreachable_grace=unreachable_grace))
        )
    except ApplianceAnswerError as error:
        if error.facts.kind != _NO_RESTORE_KIND:
            raise
        raise NotFoundError(
            "no restore found on $server: $cause",
            server=appliance.name,
            cause=error,
            hint="this is the response of an appliance that was never restored",
            details=error.facts.details,
        ) from error
    if job.state == JobState.NONE and not job.progress and not job.messages:
        hint = "`backupctl restore create` starts one"
        raise NotFoundError("no restore was started on $server", server=appliance.name, hint=hint)
    return job


def _fetch_restore(appliance: Appliance, follower: Follower) -> Task[Job | BackupctlError]:
    until = response_deadline(appliance.clock.monotonic(), follower.deadline)
    status = yield from attempt(appliance.api.restore_job, until=until)
    return status if isinstance(status, BackupctlError) else _restore_job(status)


def _fetch_reconciliation(appliance: Appliance, follower: Follower) -> Task[Job | BackupctlError]:
    until = response_deadline(appliance.clock.monotonic(), follower.deadline)
    status = yield from attempt(appliance.api.reconciliation, until=until)
    if isinstance(status, BackupctlError):
        return status
    job, started = _reconciliation_job(status), follower.job.start_time
    is_previous = started is not None and job.start_time is not None and job.start_time < started
    return follower.job if is_previous else job


def _restore_job(status: RestoreJobStatus) -> Job:
    return Job(
        id=RESTORE_ID,
        state=status.state,
        progress=job_conversion.percent(status.progress),
        messages=job_conversion.messages_of(status.messages),
        parts=None if status.parts is None else tuple(status.parts),
    )


def _reconciliation_job(status: ReconciliationStatus) -> Job:
    start, end = as_utc(status.start_time), as_utc(status.end_time)
    return Job(
        id=RECONCILIATION_ID,
        state=_RECONCILIATION_STATES.get(status.status, status.status),
        progress=job_conversion.percent(status.progress),
        messages=job_conversion.messages_of(status.messages),
        start_time=start,
        end_time=end,
        duration_seconds=job_conversion.seconds_between(start, end),
    )
