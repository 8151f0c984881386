"""Create: start a backup exactly once, and follow it to its end."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from backupctl.errors import (
    ApplianceAnswerError,
    BackupctlError,
    BackupFailedError,
    BusyError,
    InterruptedRunError,
    StalledError,
    TimedOutError,
)
from backupctl.models import BackupJobStatus, BackupRequest
from backupctl.operations import jobs
from backupctl.operations.appliance import Appliance, RecoveryOperations
from backupctl.operations.cancel import cancel_and_see
from backupctl.operations.follow import Followed, Patience, detached, follow
from backupctl.operations.group import ALONE, NO_BACKUP, Turn
from backupctl.operations.lost import Expected, find_lost_job, same_location
from backupctl.operations.task import LAST_ANSWER_SECONDS, RETRY_SECONDS, Task, Wait, attempt, retrying
from backupctl.operations.watch import leave
from backupctl.results.events import Attached, PartsSelected, Started, Waiting
from backupctl.results.job import Job

MANUAL: Final = frozenset({"MANUAL"})

_LONGER: Final = "it was waited for until the deadline; a longer --timeout waits longer"

_BUSY_SECONDS: Final = 30.0
"""How often is asked whether a backup can start, while what runs cannot be followed (a restore)."""


def _create_job(api: RecoveryOperations, request: BackupRequest) -> BackupJobStatus:
    return api.create_job(request)


@dataclass(frozen=True)
class BackupPlan:
    """What is asked for: the backup, and how to go about it; ``if_running`` is fail, wait or attach.

    ``start`` sends the request that starts it, of which ``job_types`` may become. ``tells_encryption`` is False where
    the request does not say whether the backup is encrypted, as a schedule keeps its password to itself.
    """

    request: BackupRequest
    patience: Patience
    start: Callable[[RecoveryOperations, BackupRequest], BackupJobStatus] = _create_job
    job_types: frozenset[str] = MANUAL
    tells_encryption: bool = True
    wait: bool = True
    if_running: str = "fail"
    cancel_on_interrupt: bool = False

    def job_of(self, request: BackupRequest) -> Job:
        """Return the job that a request asks for, before anything is known of it."""
        job = jobs.of_request(request)
        return job if self.tells_encryption else msgspec.structs.replace(job, encrypted=None)


def create(appliance: Appliance, plan: BackupPlan, turn: Turn = ALONE) -> Task[Followed]:
    """Start a backup, when it is the ``turn`` of it, and follow it; without ``plan.wait``, return when it has started.

    Raises what went wrong before a job was there; NotStartedError and OutcomeUnknownError where the answer was lost.
    """
    began = appliance.clock.monotonic()
    deadline = began + plan.patience.timeout
    request = plan.request
    try:
        if not request.parts:
            request = yield from _with_default_parts(appliance, request, max(deadline, began + LAST_ANSWER_SECONDS))
        started = yield from _start(appliance, plan, request, deadline, turn)
    except InterruptedRunError as interruption:
        raise _nothing_started(appliance, interruption) from interruption
    if isinstance(started, Followed):
        return started
    if not plan.wait:
        return leave(appliance, started)
    return (
        yield from follow(
            appliance,
            started,
            plan.patience,
            deadline=deadline,
            on_interrupt=partial(_cancel, appliance) if plan.cancel_on_interrupt else None,
        )
    )


def _nothing_started(appliance: Appliance, interruption: InterruptedRunError) -> InterruptedRunError:
    """Say that no backup was started, or (a second interruption, while the answer was waited for) that one may be."""
    if interruption.certain:
        return InterruptedRunError(f"{interruption.message}: {NO_BACKUP}")
    return InterruptedRunError(
        f"{interruption.message}: it is unknown whether a backup was started",
        attach=appliance.attach(jobs.LATEST),
        certain=False,
    )


def _with_default_parts(appliance: Appliance, request: BackupRequest, until: float) -> Task[BackupRequest]:
    parts = yield from retrying(appliance, appliance.api.parts, until=until)
    selected = tuple(part.id for part in parts if part.selected_by_default)
    appliance.emit(PartsSelected(time=appliance.clock.now(), server=appliance.name, parts=selected))
    return msgspec.structs.replace(request, parts=selected)


def _start(
    appliance: Appliance, plan: BackupPlan, request: BackupRequest, deadline: float, turn: Turn
) -> Task[Job | Followed]:
    """Send the request until it starts a job, waiting for another one as ``plan.if_running`` says.

    Returns the job, or how following another one ended (attach).
    """
    waited_for: set[str | None] = set()
    while True:
        yield from turn.start()
        until = max(deadline, appliance.clock.monotonic() + LAST_ANSWER_SECONDS)
        known = yield from retrying(appliance, appliance.api.jobs, until=until)
        answer = yield from attempt(partial(plan.start, appliance.api, request), held=True)
        if isinstance(answer, BackupJobStatus) and answer.id in known:
            message = f"{appliance.host} answered with the job {answer.id}, which was there before"
            answer = ApplianceAnswerError(message, certain=False)
        if not isinstance(answer, BackupctlError):
            job = jobs.from_status(answer, plan.job_of(request))
            appliance.emit(Started(time=appliance.clock.now(), server=appliance.name, job=job))
            return job
        if not isinstance(answer, BusyError):
            if answer.certain:
                raise answer
            expected = Expected(plan.job_of(request), plan.job_types)
            return (yield from find_lost_job(appliance, expected, known, answer, deadline))
        busy_with = yield from _running(appliance, answer, patience=RETRY_SECONDS if plan.if_running == "attach" else 0)
        if plan.if_running == "fail":
            raise _busy(appliance, plan, answer, busy_with)
        if plan.if_running == "attach" and busy_with is not None:
            return (yield from _attach(appliance, plan, request, busy_with, deadline))
        busy_id = busy_with.id if busy_with else None
        tried_again = plan.if_running == "attach" and busy_id in waited_for
        if tried_again or appliance.clock.monotonic() >= deadline:
            raise _busy(appliance, plan, answer, busy_with)
        if busy_id not in waited_for:
            waited_for.add(busy_id)
            appliance.emit(Waiting(time=appliance.clock.now(), server=appliance.name, job=busy_with))
        yield from _wait_for(appliance, plan, busy_with, deadline)


def _running(appliance: Appliance, busy: BusyError, *, patience: float) -> Task[Job | None]:
    """Return the job that makes the appliance busy, None where none can be seen, and ``busy`` then tells why."""
    try:
        return (yield from jobs.running(appliance, patience=patience))
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        busy.details += (f"it cannot be looked at: {error.message}",)
        return None


def _busy(appliance: Appliance, plan: BackupPlan, error: BusyError, job: Job | None) -> BusyError:
    busy_with = "another backup or restore" if job is None else f"backup job {job.id}"
    far = f" ({job.progress} %)" if job is not None and job.progress is not None else ""
    hint = "--if-running wait starts this one when that has ended"
    if plan.if_running == "wait":
        hint = _LONGER
    elif job is not None:
        hint += ", --if-running attach follows that one"
    return BusyError(f"{appliance.host}: {busy_with} is running{far}", hint=hint, details=error.details)


def _wait_for(appliance: Appliance, plan: BackupPlan, job: Job | None, deadline: float) -> Task[None]:
    if job is None:
        yield Wait(min(deadline, appliance.clock.monotonic() + _BUSY_SECONDS))
        return
    ended = yield from follow(appliance, job, plan.patience, deadline=deadline, on_interrupt=_stop_waiting)
    if isinstance(ended.error, TimedOutError):
        hint = None if isinstance(ended.error, StalledError) else _LONGER
        raise BusyError(f"{NO_BACKUP} in time: {ended.error.message}", hint=hint)
    if ended.error is not None and not isinstance(ended.error, BackupFailedError):
        raise ended.error


def _stop_waiting(job: Job, interruption: InterruptedRunError) -> Task[Followed]:
    yield from ()
    return Followed(job, interruption)


def _attach(
    appliance: Appliance, plan: BackupPlan, request: BackupRequest, job: Job, deadline: float
) -> Task[Followed]:
    appliance.emit(Attached(time=appliance.clock.now(), server=appliance.name, job=job))
    ended = yield from follow(appliance, job, plan.patience, deadline=deadline)
    if ended.error is None and not same_location(ended.job.location, request.location):
        other = ended.job.location or "an unknown location"
        message = f"{appliance.host}: backup job {job.id} succeeded, but it went to {other}, not to ours"
        return Followed(ended.job, BusyError(message))
    if isinstance(ended.error, BackupFailedError):
        message = f"{ended.error.message}: it kept ours from being made"
        return Followed(ended.job, BusyError(message, hint=ended.error.hint, details=ended.error.details))
    return ended


def _cancel(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Task[Followed]:
    """Cancel the job of an interrupted run, as ``--cancel-on-interrupt`` asks for."""
    try:
        cancelled = yield from cancel_and_see(appliance, job)
    except BackupctlError as error:
        left = detached(appliance, job, interruption)
        assert left.error is not None  # noqa: S101 - that is what detaching returns
        left.error.details = (f"it could not be cancelled: {error.message}",)
        return left
    if isinstance(cancelled.error, InterruptedRunError):
        return cancelled
    if cancelled.error is None:
        return Followed(
            cancelled.job, InterruptedRunError(f"{interruption.message}: backup job {job.id} was cancelled")
        )
    doubt = cancelled.error
    message = f"{interruption.message}: backup job {job.id} was to be cancelled: {doubt.message}"
    told = InterruptedRunError(message, hint=doubt.hint, details=doubt.details, attach=doubt.attach)
    return Followed(cancelled.job, told)
