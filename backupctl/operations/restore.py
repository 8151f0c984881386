"""Restore: judge an archive, restore from it, reconcile afterwards.

There is one restore on an appliance, without an id, and while it runs the appliance falls silent for minutes as its
services restart: following it is like following a backup through a reboot.
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
)
from backupctl.models import (
    JobState,
    ReconciliationSpec,
    ReconciliationStatus,
    RestoreJobStatus,
    RestoreRequest,
    as_utc,
)
from backupctl.operations import job_conversion
from backupctl.operations.cancel import after_cancelling, ask_to_cancel
from backupctl.operations.follow import Follower, Timeouts, follow
from backupctl.operations.outcome import Outcome
from backupctl.operations.watch import outcome_of, return_started
from backupctl.results.archive_results import ArchiveMetadata
from backupctl.results.events import Attached, Cancelling, Started, Warned
from backupctl.results.job import RECONCILIATION_ID, RESTORE_ID, Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task, attempt, response_deadline, retry

S = TypeVar("S", RestoreJobStatus, ReconciliationStatus)

Fetch = Callable[[Appliance, Follower], Task[Job | BackupctlError]]

UNREACHABLE_GRACE_SECONDS: Final = 900.0
"""How long the appliance may be unreachable when following begins in the middle of a restore."""

_NO_RESTORE: Final = "ERROR"
"""The type of the error with which an appliance answers that was never restored, with a message or without."""

_ASK_AGAIN: Final = "ask for it once more: an appliance on which one runs refuses another"
"""It answers FEATURE_IN_USE then, says the specification of ``POST /appliance/recovery/reconciliation/job``."""

_RECONCILIATION_STATES = {"RUNNING": JobState.INPROGRESS}


def validate_restore(appliance: Appliance, request: RestoreRequest) -> Task[ArchiveMetadata]:
    """Return what an archive is and whether it can be restored on this appliance."""
    found = yield from retry(appliance, partial(appliance.api.validate_restore, request))
    return ArchiveMetadata(
        applicable=found.applicable,
        boxname=found.boxname,
        version=found.version,
        timestamp=as_utc(found.timestamp),
        parts=tuple(found.parts or ()),
        comment=found.comment,
        sso_login_required=found.sso_login_required,
        messages=job_conversion.messages_of(found.messages),
    )


def create_restore(appliance: Appliance, request: RestoreRequest, timeouts: Timeouts, wait: bool) -> Task[Outcome[Job]]:
    """Start a restore and follow it to its end; warn where the appliance does not look as if it waited for one."""
    deadline = appliance.clock.monotonic() + timeouts.timeout
    before = yield from attempt(appliance.api.restore_job)
    if isinstance(before, ApplianceAnswerError) and before.facts.kind == _NO_RESTORE:
        appliance.emit(
            Warned(
                time=appliance.clock.now(),
                server=appliance.name,
                message=f"{appliance.host} does not look freshly deployed: {before.message}",
                hint="only an appliance after its deployment and before its first setup can be restored",
            )
        )
    start = partial(appliance.api.create_restore, request)
    asked = _Request(RESTORE_ID, start, appliance.api.restore_job, _restore_job)
    started = yield from _start(appliance, asked, deadline)
    if not wait:
        return return_started(appliance, started)
    return (yield from _followed(appliance, started, timeouts, _fetch_restore, deadline))


def restore_status(appliance: Appliance) -> Task[Outcome[Job]]:
    """Look at the restore once."""
    return outcome_of(appliance, (yield from _read_restore(appliance)))


def watch_restore(appliance: Appliance, timeouts: Timeouts, deadline: float) -> Task[Outcome[Job]]:
    """Follow the restore to its end, until ``deadline`` (monotonic seconds)."""
    grace = max(0.0, min(UNREACHABLE_GRACE_SECONDS, deadline - appliance.clock.monotonic()))
    job = yield from _read_restore(appliance, unreachable_grace=grace)
    if not job.ended:
        appliance.emit(Attached(time=appliance.clock.now(), server=appliance.name, job=job))
    return (yield from _followed(appliance, job, timeouts, _fetch_restore, deadline))


def cancel_restore(appliance: Appliance, timeouts: Timeouts) -> Task[Outcome[Job]]:
    """Cancel the restore and see it end."""
    job = yield from _read_restore(appliance)
    doubt = yield from ask_to_cancel(appliance, appliance.api.cancel_restore, job)
    appliance.emit(Cancelling(time=appliance.clock.now(), server=appliance.name, job=job))
    return after_cancelling((yield from follow(appliance, job, timeouts, fetch=_fetch_restore)), doubt)


def reconcile(appliance: Appliance, spec: ReconciliationSpec, timeouts: Timeouts, wait: bool) -> Task[Outcome[Job]]:
    """Start a reconciliation and follow it to its end."""
    start = partial(appliance.api.create_reconciliation, spec)
    asked = _Request(RECONCILIATION_ID, start, appliance.api.reconciliation, _reconciliation_job, _ASK_AGAIN)
    deadline = appliance.clock.monotonic() + timeouts.timeout
    started = yield from _start(appliance, asked, deadline)
    if not wait:
        return return_started(appliance, started)
    return (yield from _followed(appliance, started, timeouts, _fetch_reconciliation, deadline))


class _Request(msgspec.Struct, Generic[S], frozen=True):
    """How a restore or a reconciliation is started and looked at; ``hint`` says how to find out whether it runs."""

    job_id: str
    start: Callable[[], S]
    look: Callable[[], S]
    as_job: Callable[[S], Job]
    hint: str | None = None


def _start(appliance: Appliance, request: _Request[S], deadline: float) -> Task[Job]:
    """Send the request that starts it, once; after a lost answer, only looking tells whether it runs.

    It is sent once more only where the appliance itself said that the session had expired, and nothing runs.
    """
    answer = yield from _sent(appliance, request, deadline)
    if isinstance(answer, SessionExpiredError) and answer.certain:
        if (yield from _may_run(request)):
            raise _unknown(appliance, request, answer)
        answer = yield from _sent(appliance, request, deadline)
    if isinstance(answer, BackupctlError):
        raise answer if answer.certain else _unknown(appliance, request, answer)
    job = request.as_job(answer)
    appliance.emit(Started(time=appliance.clock.now(), server=appliance.name, job=job))
    return job


def _sent(appliance: Appliance, request: _Request[S], deadline: float) -> Task[S | BackupctlError]:
    if appliance.clock.monotonic() >= deadline:
        raise ApplianceUnreachableError(
            "timed out before $job was requested; it was not started",
            server=appliance.name,
            job=request.job_id,
            hint="use a longer --timeout",
        )
    try:
        return (yield from attempt(request.start, until=deadline, shielded=True, once=True))
    except InterruptedRunError as interruption:
        raise InterruptedRunError(
            "$cause: unknown whether $job was started",
            cause=interruption,
            job=request.job_id,
            hint=request.hint,
            attach=appliance.attach(request.job_id),
            certain=False,
        ) from interruption


def _may_run(request: _Request[S]) -> Task[bool]:
    """Whether it runs, or the appliance does not say; raises a refused login."""
    answer = yield from attempt(request.look)
    if isinstance(answer, AuthenticationError):
        raise answer
    if isinstance(answer, BackupctlError):
        return not isinstance(answer, OperationFailedError | NotFoundError)
    return not request.as_job(answer).ended and request.as_job(answer).state != JobState.NONE


def _unknown(appliance: Appliance, request: _Request[S], lost: BackupctlError) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "unknown whether $job was started: $cause",
        server=appliance.name,
        job=request.job_id,
        cause=lost,
        hint=request.hint,
        attach=appliance.attach(request.job_id),
        details=lost.facts.details,
    )


def _followed(appliance: Appliance, job: Job, timeouts: Timeouts, fetch: Fetch, deadline: float) -> Task[Outcome[Job]]:
    if job.ended:
        return outcome_of(appliance, job)
    return (yield from follow(appliance, job, timeouts, fetch=fetch, deadline=deadline))


def _read_restore(appliance: Appliance, *, unreachable_grace: float = 0.0) -> Task[Job]:
    """Return the restore as it is.

    An appliance in service on which none ever ran answers with a plain ``error``, a fresh one NONE without progress and
    without a message. Raises NotFoundError for both.
    """
    try:
        job = _restore_job(
            (yield from retry(appliance, appliance.api.restore_job, unreachable_grace=unreachable_grace))
        )
    except ApplianceAnswerError as error:
        if error.facts.kind != _NO_RESTORE:
            raise
        raise NotFoundError(
            "$server tells of no restore: $cause",
            server=appliance.host,
            cause=error,
            hint="an appliance that was never restored answers so",
            details=error.facts.details,
        ) from error
    if job.state == JobState.NONE and not job.progress and not job.messages:
        hint = "`backupctl restore create` begins one"
        raise NotFoundError("$server has begun no restore", server=appliance.host, hint=hint)
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
    is_earlier_one = started is not None and job.start_time is not None and job.start_time < started
    return follower.job if is_earlier_one else job


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
