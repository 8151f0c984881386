"""Cancel: send the appliance to cancel a job, and follow it to its end."""

from collections.abc import Callable
from functools import partial
from typing import Final

from backupctl.error_facts import ErrorFacts
from backupctl.errors import BackupctlError, CancelRefusedError, InterruptedRunError
from backupctl.models import ReturnResult
from backupctl.operations import jobs
from backupctl.operations.follow import Timeouts, follow
from backupctl.operations.outcome import Outcome
from backupctl.results.events import Cancelling
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import retry
from backupctl.scheduler.task import Task, attempt

CANCEL_TIMEOUTS: Final = Timeouts(timeout=60.0, interval=1.5)
"""How long a cancelled job is followed."""


def cancel(appliance: Appliance, job_id: str) -> Task[Outcome[Job]]:
    """Cancel a job and follow it to its end; the outcome has no error if the job has ended without success.

    Raises CancelRefusedError if the appliance refuses, NotFoundError for an unknown job.
    """
    resolved_id = yield from jobs.resolve(appliance, job_id)
    job = yield from jobs.read(appliance, resolved_id)
    return (yield from cancel_and_follow(appliance, job))


def read_running(appliance: Appliance) -> Task[Job]:
    """Return the latest job, to be cancelled. Raises CancelRefusedError: if it has ended."""
    latest = yield from jobs.resolve(appliance, jobs.LATEST)
    job = yield from jobs.read(appliance, latest)
    _check_running(appliance, job)
    return job


def cancel_and_follow(appliance: Appliance, job: Job) -> Task[Outcome[Job]]:
    """Cancel a known job, and follow it for up to a minute."""
    lost_error = yield from request_cancel(appliance, partial(appliance.api.cancel_job, job.id), job)
    appliance.emit(Cancelling(job=job))
    ended = yield from follow(appliance, job, CANCEL_TIMEOUTS, on_interrupt=partial(_stop_following, appliance))
    return cancel_outcome(ended, lost_error)


def request_cancel(appliance: Appliance, send: Callable[[], ReturnResult], job: Job) -> Task[BackupctlError | None]:
    """Send the request to cancel a known job, and retry it, because cancelling twice changes nothing.

    Returns None when the appliance has accepted the request, else the error that leaves this unknown. The caller then
    follows the job, because its end shows whether it was cancelled. Raises an error that is certain, and
    CancelRefusedError if the appliance answers FAIL.
    """
    _check_running(appliance, job)
    try:
        answer, lost = yield from _send_cancel(appliance, send)
    except InterruptedRunError as interruption:
        known = "unknown whether the request was sent"
        raise _interrupted_error(appliance, job, interruption, known) from interruption
    if isinstance(answer, BackupctlError):
        if not lost:
            raise answer
        return answer
    if answer.status == "FAIL" and not lost:
        messages = tuple(message.text for message in answer.messages or ())
        raise CancelRefusedError(
            "$server refused to cancel $job",
            server=appliance.name,
            job=job.id,
            details=messages,
            attach=appliance.attach(job.id),
        )
    return None


def _check_running(appliance: Appliance, job: Job) -> None:
    if job.ended:
        sentence = "$job on $server has already ended as $1"
        details = () if job.succeeded else tuple(message.default_message for message in job.messages)
        raise CancelRefusedError(
            sentence,
            server=appliance.name,
            job=job.id,
            texts=(job.state,),
            details=details,
            hint="there is nothing to cancel; `backupctl list` shows all jobs",
        )


def _send_cancel(
    appliance: Appliance, send: Callable[[], ReturnResult]
) -> Task[tuple[ReturnResult | BackupctlError, bool]]:
    """Return the response or the last error, and whether a response was lost, so the job may have been cancelled."""
    first = yield from attempt(send, shielded=True)
    lost = isinstance(first, BackupctlError) and not first.certain
    if not isinstance(first, BackupctlError) or not first.retryable:
        return first, lost
    try:
        return (yield from retry(appliance, send)), lost
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        return error, lost or not error.certain


def cancel_outcome(ended: Outcome[Job], lost_error: BackupctlError | None) -> Outcome[Job]:
    """Return the outcome of a cancelled job; ``lost_error`` is why the request may not have arrived."""
    error = ended.error
    if error is None:
        error = CancelRefusedError("$job succeeded before it was cancelled", job=ended.value.id)
    elif ended.value.ended and not ended.value.succeeded:
        return Outcome(ended.value, None)
    if lost_error is not None:
        note = ErrorFacts("the cancel request may be lost: $cause", cause=lost_error.facts)
        error = error.with_facts(details=(*error.facts.details, note))
    return Outcome(ended.value, error)


def _stop_following(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Task[Outcome[Job]]:
    yield from ()
    return Outcome(job, _interrupted_error(appliance, job, interruption, "not waiting for its end"))


def _interrupted_error(
    appliance: Appliance, job: Job, interruption: InterruptedRunError, known_state: str
) -> InterruptedRunError:
    return InterruptedRunError(
        f"$cause while cancelling $job on $server: {known_state}",
        cause=interruption,
        job=job.id,
        server=appliance.name,
        attach=appliance.attach(job.id),
    )
