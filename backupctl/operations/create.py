"""Create: start exactly one backup, and follow it to its end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from backupctl.error_facts import ErrorFacts
from backupctl.errors import (
    ApplianceAnswerError,
    AuthenticationError,
    AuthorizationError,
    BackupctlError,
    BackupFailedError,
    BusyError,
    ContradictionError,
    InterruptedRunError,
    NotStartedNoAnswerError,
    OperationFailedError,
    SessionExpiredError,
    StalledError,
    TimedOutError,
)
from backupctl.models import BackupJobStatus, BackupRequest
from backupctl.operations import job_conversion, jobs
from backupctl.operations.busy_job import describe_running, hung_hint
from backupctl.operations.cancel import cancel_and_follow
from backupctl.operations.follow import Timeouts, bug_while_starting, detached_outcome, follow
from backupctl.operations.lost_response import NewJobs, SentRequest, find_lost_job, outcome_unknown, read_new_jobs
from backupctl.operations.outcome import Outcome
from backupctl.operations.unreadable_entries import readable
from backupctl.operations.watch import return_started
from backupctl.results.events import Attached, PartsSelected, Started, Waiting
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import NO_BACKUP, Slot
from backupctl.scheduler.retry import RETRY_SECONDS, Backoff, retry
from backupctl.scheduler.task import Task, Wait, attempt, response_deadline

if TYPE_CHECKING:
    from datetime import datetime

    from backupctl.api.recovery_api import RecoveryApi
    from backupctl.location import Location

_MANUAL_TYPES: Final = frozenset({"MANUAL"})

_LONGER_TIMEOUT_HINT: Final = "use a longer --timeout to wait longer"

_BUSY_RETRY_SECONDS: Final = 30.0
"""How often the start is tried again while the appliance is busy with something that cannot be followed (a restore)."""


def _create_job(api: RecoveryApi, request: BackupRequest) -> BackupJobStatus:
    return api.create_job(request)


class BackupPlan(msgspec.Struct, frozen=True):
    """The backup to start, and how; ``if_running`` is fail, wait or attach.

    ``start`` sends the request that starts it, and ``job_types`` are the types that its job may have. ``location_at``
    returns the location of a backup that starts at a time, None if the time does not matter.
    ``knows_encryption`` is False if the request does not contain the password, as with a schedule. With
    ``require_encryption`` no job is adopted, because job details do not say whether a backup is encrypted.
    """

    request: BackupRequest
    timeouts: Timeouts
    start: Callable[[RecoveryApi, BackupRequest], BackupJobStatus] = _create_job
    location_at: Callable[[datetime], Location] | None = None
    job_types: frozenset[str] = _MANUAL_TYPES
    knows_encryption: bool = True
    wait: bool = True
    if_running: str = "fail"
    cancel_on_interrupt: bool = False
    require_encryption: bool = False

    def job_of(self, request: BackupRequest) -> Job:
        """Return the job that a request will start, as far as the request describes it."""
        job = job_conversion.from_request(request)
        return job if self.knows_encryption else msgspec.structs.replace(job, encrypted=None)


def create(appliance: Appliance, plan: BackupPlan, slot: Slot | None = None) -> Task[Outcome[Job]]:
    """Start a backup when ``slot`` allows it, and follow it; without ``plan.wait``, return when it has started.

    Raises every error before the job is known, with NotStartedError and OutcomeUnknownError after a lost response.
    """
    started_at = appliance.clock.monotonic()
    deadline = started_at + plan.timeouts.timeout
    request = plan.request
    try:
        if not request.parts:
            request = yield from _with_default_parts(appliance, request, response_deadline(started_at, deadline))
        started = yield from _start(appliance, plan, request, deadline, slot)
    except InterruptedRunError as interruption:
        raise _interrupted_start(appliance, interruption) from interruption
    if isinstance(started, Outcome):
        return started
    if not plan.wait:
        return return_started(appliance, started)
    return (
        yield from follow(
            appliance,
            started,
            plan.timeouts,
            deadline=deadline,
            on_interrupt=partial(_cancel_interrupted, appliance) if plan.cancel_on_interrupt else None,
        )
    )


def _interrupted_start(appliance: Appliance, interruption: InterruptedRunError) -> InterruptedRunError:
    """Return the error of an interruption: no backup was started, or (if it abandoned the request) one may be."""
    if interruption.certain:
        return InterruptedRunError(f"$cause: {NO_BACKUP}", cause=interruption)
    return InterruptedRunError(
        "$cause: unknown whether a backup was started",
        cause=interruption,
        attach=appliance.attach(jobs.LATEST),
        certain=False,
    )


def _with_default_parts(appliance: Appliance, request: BackupRequest, until: float) -> Task[BackupRequest]:
    listed = yield from retry(appliance, appliance.api.parts, until=until)
    parts = readable(appliance, listed, "parts")
    if len(parts) < len(listed):
        raise ApplianceAnswerError(
            "cannot tell the default parts: some parts are unreadable",
            server=appliance.name,
            hint="choose parts with --part; `backupctl parts` lists the readable ones",
        )
    selected = tuple(part.id for part in parts if part.selected_by_default)
    appliance.emit(PartsSelected(parts=selected))
    return msgspec.structs.replace(request, parts=selected)


def _start(
    appliance: Appliance, plan: BackupPlan, request: BackupRequest, deadline: float, slot: Slot | None
) -> Task[Job | Outcome[Job]]:
    """Send the request until it starts a job, and handle a running one as ``plan.if_running`` says.

    Returns the started job, or with ``attach`` the outcome of the other one.
    """
    known: frozenset[str] = frozenset()
    announced: set[str | None] = set()
    while True:
        if slot is not None:
            yield from slot.wait_to_start()
        until = response_deadline(appliance.clock.monotonic(), deadline)
        listed = yield from retry(appliance, appliance.api.jobs, until=until)
        # Each earlier request was refused because another job was running, so none of the listed jobs is ours.
        known |= frozenset(listed)
        if plan.location_at is not None:
            request = msgspec.structs.replace(request, location=plan.location_at(appliance.clock.now()))
        with bug_while_starting(appliance, jobs.LATEST):
            answer = yield from _send_request(appliance, plan, request, known, deadline)
        if isinstance(answer, Job):
            return answer
        retry_seconds = RETRY_SECONDS if plan.if_running == "attach" else 0
        running_job, answer = yield from _find_running(appliance, answer, retry_seconds=retry_seconds)
        if plan.if_running == "fail":
            raise _busy_error(appliance, plan, answer, running_job)
        if plan.if_running == "attach" and running_job is not None:
            return (yield from _attach(appliance, plan, request, running_job, deadline))
        running_id = running_job.id if running_job else None
        if plan.if_running == "attach" and running_id in announced:
            raise _busy_error(appliance, plan, answer, running_job)
        if running_id not in announced:
            announced.add(running_id)
            appliance.emit(Waiting(job=running_job))
        yield from _wait_for_job(appliance, plan, running_job, deadline)
        if appliance.clock.monotonic() >= deadline:  # For a known job, _wait_for_job has raised this error.
            raise _busy_error(appliance, plan, answer, None)


def _send_request(
    appliance: Appliance, plan: BackupPlan, request: BackupRequest, known: frozenset[str], deadline: float
) -> Task[Job | BusyError]:
    """Send the request that starts a backup, and return its job, or the BusyError if another one runs.

    It is repeated once, and only if the appliance itself said that the session had expired and no new job is listed.
    Raises the refusal of the request, NotStartedError and OutcomeUnknownError.
    """
    for is_last in (False, True):
        if appliance.clock.monotonic() >= deadline:
            raise NotStartedNoAnswerError(
                f"timed out before the backup was requested; {NO_BACKUP}",
                server=appliance.name,
                hint="use a longer --timeout",
            )
        may_adopt = not plan.require_encryption
        now = appliance.clock.now()
        sent = SentRequest(request, plan.job_types, known, appliance.api.server_time, now, may_adopt=may_adopt)
        start = partial(plan.start, appliance.api, request)
        answer = yield from attempt(start, until=deadline, shielded=True, once=True)
        if isinstance(answer, BackupJobStatus) and answer.id not in known:
            job = job_conversion.from_status(answer, plan.job_of(request))
            appliance.emit(Started(job=job))
            return job
        if isinstance(answer, BackupJobStatus):
            message = "$server returned a backup job that existed before the request ($1)"
            answer = ApplianceAnswerError(message, server=appliance.name, texts=(answer.id,), certain=False)
        if isinstance(answer, BusyError):
            return answer
        if answer.certain:
            found = yield from _check_refusal(appliance, sent, answer, deadline, may_repeat=not is_last)
            if found is None:
                continue
            return found
        if appliance.clock.monotonic() >= deadline:
            raise outcome_unknown(appliance, sent, answer)
        return (yield from find_lost_job(appliance, sent, answer, deadline))
    raise AssertionError("the second request ends it")  # pragma: no cover


def _check_refusal(
    appliance: Appliance, sent: SentRequest, refusal: BackupctlError, deadline: float, *, may_repeat: bool
) -> Task[Job | None]:
    """Raise a refusal, unless a job was started; return None if the request may be repeated after a new login.

    A refused request may have started a job: the response may belong to another request, or a proxy may have repeated
    ours. So the job list is read, and new jobs are treated as after a lost response. If the list cannot be read, a weak
    refusal is treated so as well: an expired session, or the general ``error`` of the API.
    """
    if not isinstance(refusal, ApplianceAnswerError | AuthorizationError | SessionExpiredError):
        raise refusal  # Nothing was sent, or no further request may be made.
    expired = isinstance(refusal, SessionExpiredError)
    weak = expired or isinstance(refusal, OperationFailedError)
    new_jobs = yield from _retry_new_jobs(appliance, sent, deadline, retry_seconds=RETRY_SECONDS if weak else 0.0)
    if expired and isinstance(new_jobs.error, AuthenticationError) and not new_jobs.candidates:
        raise new_jobs.error
    if new_jobs.candidates or (weak and not new_jobs.is_clear):
        return (yield from find_lost_job(appliance, sent, refusal, deadline))
    if expired and may_repeat:
        yield Wait(appliance.clock.monotonic())  # After an interruption, this raises and the request is not repeated.
        return None
    raise refusal


def _retry_new_jobs(appliance: Appliance, sent: SentRequest, deadline: float, *, retry_seconds: float) -> Task[NewJobs]:
    """Read the new jobs, and retry for ``retry_seconds`` while the list cannot be read."""
    clock = appliance.clock
    give_up = min(clock.monotonic() + retry_seconds, max(deadline, clock.monotonic()))
    backoff = Backoff()
    while True:
        new_jobs = yield from read_new_jobs(appliance, sent, response_deadline(clock.monotonic(), give_up))
        next_attempt = clock.monotonic() + backoff.next_seconds()
        if new_jobs.error is None or new_jobs.candidates or not new_jobs.error.retryable or next_attempt > give_up:
            return new_jobs
        yield Wait(next_attempt, shielded=True)


def _find_running(appliance: Appliance, busy: BusyError, *, retry_seconds: float) -> Task[tuple[Job | None, BusyError]]:
    """Return the running job, None if it is unknown, and ``busy``, with a detail that says why it is unknown."""
    try:
        return (yield from jobs.find_running(appliance, retry_seconds=retry_seconds)), busy
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        unseen = ErrorFacts("cannot read the running job: $cause", cause=error.facts)
        return None, busy.with_facts(details=(*busy.facts.details, unseen))


def _busy_error(appliance: Appliance, plan: BackupPlan, error: BusyError, job: Job | None) -> BusyError:
    now = appliance.clock.now()
    hint = "use --if-running wait to start after it finishes"
    if plan.if_running == "wait":
        hint = _LONGER_TIMEOUT_HINT
    elif job is not None and not plan.require_encryption:  # which excludes attach
        hint += ", or attach to follow it"
    return BusyError(
        "$cause",
        server=appliance.name,
        cause=describe_running(job, now),
        hint=hung_hint(job, now) or hint,
        details=error.facts.details,
    )


def _wait_for_job(appliance: Appliance, plan: BackupPlan, job: Job | None, deadline: float) -> Task[None]:
    if job is None:
        yield Wait(min(deadline, appliance.clock.monotonic() + _BUSY_RETRY_SECONDS))
        return
    ended = yield from follow(appliance, job, plan.timeouts, deadline=deadline, on_interrupt=_stop_waiting)
    if isinstance(ended.error, TimedOutError):
        default_hint = None if isinstance(ended.error, StalledError) else _LONGER_TIMEOUT_HINT
        hint = hung_hint(job, appliance.clock.now()) or default_hint
        raise BusyError(f"{NO_BACKUP}: $cause", cause=ended.error, hint=hint)
    if ended.error is not None and not isinstance(ended.error, BackupFailedError | ContradictionError):
        raise ended.error
    if appliance.clock.monotonic() >= deadline:
        sentence = f"{NO_BACKUP}: $job on $server ended too late"
        raise BusyError(sentence, job=job.id, server=appliance.name, hint=_LONGER_TIMEOUT_HINT)


def _stop_waiting(job: Job, interruption: InterruptedRunError) -> Task[Outcome[Job]]:
    yield from ()
    return Outcome(job, interruption)


def _attach(
    appliance: Appliance, plan: BackupPlan, request: BackupRequest, job: Job, deadline: float
) -> Task[Outcome[Job]]:
    appliance.emit(Attached(job=job))
    ended = yield from follow(appliance, job, plan.timeouts, deadline=deadline)
    if ended.error is None and not request.location.contains_backup_at(ended.value.location):
        other = ended.value.location or "an unknown location"
        message = "$job succeeded, but went to $1, not to the requested location"
        return Outcome(ended.value, BusyError(message, server=appliance.name, job=job.id, texts=(other,)))
    if isinstance(ended.error, BackupFailedError | ContradictionError):
        facts = ended.error.facts
        message = "$cause; the requested backup was not started"
        return Outcome(
            ended.value, BusyError(message, cause=facts, reason=facts.reason, hint=facts.hint, details=facts.details)
        )
    return ended


def _cancel_interrupted(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Task[Outcome[Job]]:
    """Cancel the job of an interrupted run (``--cancel-on-interrupt``)."""
    try:
        ended = yield from cancel_and_follow(appliance, job)
    except BackupctlError as error:
        detached = detached_outcome(appliance, job, interruption)
        assert detached.error is not None  # noqa: S101 - a detached outcome always has an error
        why = ErrorFacts("could not cancel it: $cause", cause=error.facts)
        return Outcome(detached.value, detached.error.with_facts(details=[why]))
    if isinstance(ended.error, InterruptedRunError):
        return ended
    if ended.error is None:
        return Outcome(ended.value, InterruptedRunError("$cause: $job was cancelled", cause=interruption, job=job.id))
    facts = ended.error.facts
    not_cancelled = InterruptedRunError(
        "$cause: cancelling $job failed: $then",
        cause=interruption,
        job=job.id,
        then=facts,
        reason=facts.reason,
        hint=facts.hint,
        details=facts.details,
        attach=facts.attach,
    )
    return Outcome(ended.value, not_cancelled)
