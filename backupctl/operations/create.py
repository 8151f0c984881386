"""Create: start a backup exactly once, and follow it to its end."""

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
from backupctl.operations.follow import Timeouts, detached_outcome, follow
from backupctl.operations.lost_response import Look, Sent, find_lost_job, look_for_job, unknown_outcome
from backupctl.operations.outcome import Outcome
from backupctl.operations.unreadable_entries import readable
from backupctl.operations.watch import return_started
from backupctl.results.events import Attached, PartsSelected, Started, Waiting
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import NO_BACKUP, Slot
from backupctl.scheduler.task import RETRY_SECONDS, Backoff, Task, Wait, attempt, response_deadline, retry

if TYPE_CHECKING:
    from backupctl.api.recovery import RecoveryApi

MANUAL: Final = frozenset({"MANUAL"})

_LONGER: Final = "use a longer --timeout to wait longer"

_BUSY_SECONDS: Final = 30.0
"""How often is asked whether a backup can start, while what runs cannot be followed (a restore)."""


def _create_job(api: RecoveryApi, request: BackupRequest) -> BackupJobStatus:
    return api.create_job(request)


class BackupPlan(msgspec.Struct, frozen=True):
    """What is asked for: the backup, and how to go about it; ``if_running`` is fail, wait or attach.

    ``start`` sends the request that starts it, of which ``job_types`` may become. ``knows_encryption`` is False where
    the request does not say whether the backup is encrypted, as a schedule keeps its password to itself. With
    ``require_encryption`` no job is taken for ours that was only found, as details do not tell that either.
    """

    request: BackupRequest
    timeouts: Timeouts
    start: Callable[[RecoveryApi, BackupRequest], BackupJobStatus] = _create_job
    job_types: frozenset[str] = MANUAL
    knows_encryption: bool = True
    wait: bool = True
    if_running: str = "fail"
    cancel_on_interrupt: bool = False
    require_encryption: bool = False

    def job_of(self, request: BackupRequest) -> Job:
        """Return the job that a request asks for, before anything is known of it."""
        job = job_conversion.from_request(request)
        return job if self.knows_encryption else msgspec.structs.replace(job, encrypted=None)


def create(appliance: Appliance, plan: BackupPlan, slot: Slot | None = None) -> Task[Outcome[Job]]:
    """Start a backup when ``slot`` allows it, and follow it; without ``plan.wait``, return when it has started.

    Raises what went wrong before a job was there; NotStartedError and OutcomeUnknownError where the answer was lost.
    """
    began = appliance.clock.monotonic()
    deadline = began + plan.timeouts.timeout
    request = plan.request
    try:
        if not request.parts:
            request = yield from _with_default_parts(appliance, request, response_deadline(began, deadline))
        started = yield from _start(appliance, plan, request, deadline, slot)
    except InterruptedRunError as interruption:
        raise _nothing_started(appliance, interruption) from interruption
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
            on_interrupt=partial(_cancel, appliance) if plan.cancel_on_interrupt else None,
        )
    )


def _nothing_started(appliance: Appliance, interruption: InterruptedRunError) -> InterruptedRunError:
    """Say that no backup was started, or (a second interruption, while the answer was waited for) that one may be."""
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
            "cannot tell which parts are selected by default, since some cannot be read",
            server=appliance.name,
            hint="name the parts with --part; `backupctl parts` lists those that can be read",
        )
    selected = tuple(part.id for part in parts if part.selected_by_default)
    appliance.emit(PartsSelected(time=appliance.clock.now(), server=appliance.name, parts=selected))
    return msgspec.structs.replace(request, parts=selected)


def _start(
    appliance: Appliance, plan: BackupPlan, request: BackupRequest, deadline: float, slot: Slot | None
) -> Task[Job | Outcome[Job]]:
    """Send the request until it starts a job, waiting for another one as ``plan.if_running`` says.

    Returns the job, or how following another one ended (attach).
    """
    known: frozenset[str] = frozenset()
    waited_for: set[str | None] = set()
    while True:
        if slot is not None:
            yield from slot.wait_to_start()
        until = response_deadline(appliance.clock.monotonic(), deadline)
        listed = yield from retry(appliance, appliance.api.jobs, until=until)
        known |= frozenset(listed)  # each request before this one was refused because another job runs
        answer = yield from _request(appliance, plan, request, known, deadline)
        if isinstance(answer, Job):
            return answer
        retry_seconds = RETRY_SECONDS if plan.if_running == "attach" else 0
        busy_with, answer = yield from _running(appliance, answer, retry_seconds=retry_seconds)
        if plan.if_running == "fail":
            raise _busy(appliance, plan, answer, busy_with)
        if plan.if_running == "attach" and busy_with is not None:
            return (yield from _attach(appliance, plan, request, busy_with, deadline))
        busy_id = busy_with.id if busy_with else None
        if plan.if_running == "attach" and busy_id in waited_for:
            raise _busy(appliance, plan, answer, busy_with)
        if busy_id not in waited_for:
            waited_for.add(busy_id)
            appliance.emit(Waiting(time=appliance.clock.now(), server=appliance.name, job=busy_with))
        yield from _wait_for(appliance, plan, busy_with, deadline)
        if appliance.clock.monotonic() >= deadline:  # waiting for a job that can be seen has said so itself
            raise _busy(appliance, plan, answer, None)


def _request(
    appliance: Appliance, plan: BackupPlan, request: BackupRequest, known: frozenset[str], deadline: float
) -> Task[Job | BusyError]:
    """Send the request that starts a backup, and return its job, or that another one runs.

    It is sent once more only where the appliance itself said that the session had expired, and no new job is listed.
    Raises what the request was refused for, NotStartedError and OutcomeUnknownError.
    """
    for last in (False, True):
        if appliance.clock.monotonic() >= deadline:
            raise NotStartedNoAnswerError(
                f"timed out before the backup was requested; {NO_BACKUP}",
                server=appliance.name,
                hint="use a longer --timeout",
            )
        may_adopt = not plan.require_encryption
        now = appliance.clock.now()
        sent = Sent(request, plan.job_types, known, appliance.api.server_time, now, may_adopt=may_adopt)
        start = partial(plan.start, appliance.api, request)
        answer = yield from attempt(start, until=deadline, shielded=True, once=True)
        if isinstance(answer, BackupJobStatus) and answer.id not in known:
            job = job_conversion.from_status(answer, plan.job_of(request))
            appliance.emit(Started(time=appliance.clock.now(), server=appliance.name, job=job))
            return job
        if isinstance(answer, BackupJobStatus):
            message = f"$server returned a backup job that existed before the request ({answer.id})"
            answer = ApplianceAnswerError(message, server=appliance.name, certain=False)
        if isinstance(answer, BusyError):
            return answer
        if answer.certain:
            found = yield from _check_refusal(appliance, sent, answer, deadline, may_repeat=not last)
            if found is None:
                continue
            return found
        if appliance.clock.monotonic() >= deadline:
            raise unknown_outcome(appliance, sent, answer)
        return (yield from find_lost_job(appliance, sent, answer, deadline))
    raise AssertionError("the second request ends it")  # pragma: no cover


def _check_refusal(
    appliance: Appliance, sent: Sent, refusal: BackupctlError, deadline: float, *, may_repeat: bool
) -> Task[Job | None]:
    """Raise a refusal; return None where the request may be sent again behind a new login.

    The list has a say, as a job may have been started all the same: the answer may be to another request, or a proxy
    may have repeated ours. A job that appeared is looked at as after a lost answer. A list that cannot be read leaves
    it open only where the refusal is weak: an expired session, and the plain ``error``.
    """
    if not isinstance(refusal, ApplianceAnswerError | AuthorizationError | SessionExpiredError):
        raise refusal  # nothing was sent, or nothing more may be asked
    expired = isinstance(refusal, SessionExpiredError)
    weak = expired or isinstance(refusal, OperationFailedError)
    look = yield from _readable_look(appliance, sent, deadline, retry_seconds=RETRY_SECONDS if weak else 0.0)
    if expired and isinstance(look.doubt, AuthenticationError) and not look.candidates:
        raise look.doubt
    if look.candidates or (weak and not look.is_clear):
        return (yield from find_lost_job(appliance, sent, refusal, deadline))
    if expired and may_repeat:
        yield Wait(appliance.clock.monotonic())  # whoever interrupted the look does not want the request repeated
        return None
    raise refusal


def _readable_look(appliance: Appliance, sent: Sent, deadline: float, *, retry_seconds: float) -> Task[Look]:
    """Look for a new job until the list can be read, for ``retry_seconds`` at most."""
    clock = appliance.clock
    give_up = min(clock.monotonic() + retry_seconds, max(deadline, clock.monotonic()))
    backoff = Backoff()
    while True:
        look = yield from look_for_job(appliance, sent, response_deadline(clock.monotonic(), give_up))
        again = clock.monotonic() + backoff.next_seconds()
        if look.doubt is None or look.candidates or not look.doubt.retryable or again > give_up:
            return look
        yield Wait(again, shielded=True)


def _running(appliance: Appliance, busy: BusyError, *, retry_seconds: float) -> Task[tuple[Job | None, BusyError]]:
    """Return the job that makes the appliance busy, None where none can be seen, and ``busy``, which then tells why."""
    try:
        return (yield from jobs.find_running(appliance, retry_seconds=retry_seconds)), busy
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        unseen = ErrorFacts("it cannot be looked at: $cause", cause=error.facts)
        return None, busy.with_facts(details=(*busy.facts.details, unseen))


def _busy(appliance: Appliance, plan: BackupPlan, error: BusyError, job: Job | None) -> BusyError:
    now = appliance.clock.now()
    hint = "use --if-running wait to start after it finishes"
    if plan.if_running == "wait":
        hint = _LONGER
    elif job is not None:
        hint += ", or attach to follow it"
    return BusyError(
        "$cause",
        server=appliance.name,
        cause=describe_running(job, now),
        hint=hung_hint(job, now) or hint,
        details=error.facts.details,
    )


def _wait_for(appliance: Appliance, plan: BackupPlan, job: Job | None, deadline: float) -> Task[None]:
    if job is None:
        yield Wait(min(deadline, appliance.clock.monotonic() + _BUSY_SECONDS))
        return
    ended = yield from follow(appliance, job, plan.timeouts, deadline=deadline, on_interrupt=_stop_waiting)
    if isinstance(ended.error, TimedOutError):
        hint = hung_hint(job, appliance.clock.now()) or (None if isinstance(ended.error, StalledError) else _LONGER)
        raise BusyError(f"{NO_BACKUP} in time: $cause", cause=ended.error, hint=hint)
    if ended.error is not None and not isinstance(ended.error, BackupFailedError | ContradictionError):
        raise ended.error
    if appliance.clock.monotonic() >= deadline:
        sentence = f"{NO_BACKUP} in time: $job on $server ended too late"
        raise BusyError(sentence, job=job.id, server=appliance.host, hint=_LONGER)


def _stop_waiting(job: Job, interruption: InterruptedRunError) -> Task[Outcome[Job]]:
    yield from ()
    return Outcome(job, interruption)


def _attach(
    appliance: Appliance, plan: BackupPlan, request: BackupRequest, job: Job, deadline: float
) -> Task[Outcome[Job]]:
    appliance.emit(Attached(time=appliance.clock.now(), server=appliance.name, job=job))
    ended = yield from follow(appliance, job, plan.timeouts, deadline=deadline)
    if ended.error is None and not request.location.contains_backup_at(ended.value.location):
        other = ended.value.location or "an unknown location"
        message = f"$job succeeded, but went to {other}, not to the requested location"
        return Outcome(ended.value, BusyError(message, server=appliance.name, job=job.id))
    if isinstance(ended.error, BackupFailedError | ContradictionError):
        facts = ended.error.facts
        message = "$cause; the requested backup was not started"
        return Outcome(ended.value, BusyError(message, cause=facts, hint=facts.hint, details=facts.details))
    return ended


def _cancel(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Task[Outcome[Job]]:
    """Cancel the job of an interrupted run, as ``--cancel-on-interrupt`` asks for."""
    try:
        cancelled = yield from cancel_and_follow(appliance, job)
    except BackupctlError as error:
        left = detached_outcome(appliance, job, interruption)
        assert left.error is not None  # noqa: S101 - that is what detaching returns
        why = ErrorFacts("it could not be cancelled: $cause", cause=error.facts)
        return Outcome(left.value, left.error.with_facts(details=[why]))
    if isinstance(cancelled.error, InterruptedRunError):
        return cancelled
    if cancelled.error is None:
        return Outcome(
            cancelled.value, InterruptedRunError("$cause: $job was cancelled", cause=interruption, job=job.id)
        )
    doubt = cancelled.error.facts
    told = InterruptedRunError(
        "$cause: $job was to be cancelled: $then",
        cause=interruption,
        job=job.id,
        then=doubt,
        hint=doubt.hint,
        details=doubt.details,
        attach=doubt.attach,
    )
    return Outcome(cancelled.value, told)
