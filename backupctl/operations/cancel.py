"""Cancel: ask the appliance to cancel a job, and see it end."""

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
from backupctl.scheduler.task import Task, attempt, retry

CANCEL_SECONDS: Final = 60.0
"""How long a cancelled job is followed to its end."""


def cancel(appliance: Appliance, job_id: str) -> Task[Outcome[Job]]:
    """Cancel a job and see it end; error None means that it has ended without success, as was asked for.

    Raises CancelRefusedError where the appliance says FAIL, NotFoundError for an unknown job.
    """
    found = yield from jobs.resolve(appliance, job_id)
    job = yield from jobs.read(appliance, found)
    return (yield from cancel_and_see(appliance, job))


def cancel_and_see(appliance: Appliance, job: Job) -> Task[Outcome[Job]]:
    """Cancel a job that was seen, and follow it for up to a minute."""
    doubt = yield from ask_to_cancel(appliance, partial(appliance.api.cancel_job, job.id), job)
    appliance.emit(Cancelling(time=appliance.clock.now(), server=appliance.name, job=job))
    timeouts = Timeouts(timeout=CANCEL_SECONDS, interval=1.5)
    ended = yield from follow(appliance, job, timeouts, on_interrupt=partial(_leave_to_end, appliance))
    return after_cancelling(ended, doubt)


def ask_to_cancel(appliance: Appliance, ask: Callable[[], ReturnResult], job: Job) -> Task[BackupctlError | None]:
    """Ask for the cancellation of a job that was seen, again where that may help: asking twice changes nothing.

    Returns why it is unknown whether the appliance heard of it, None where it did. A lost answer is no reason to stop:
    what the job does next tells. Raises what certainly went wrong, CancelRefusedError where the appliance says FAIL.
    """
    if job.ended:
        sentence = f"$job on $server has already ended as {job.state}"
        raise CancelRefusedError(sentence, server=appliance.host, job=job.id)
    try:
        answer, lost = yield from _asked(appliance, ask)
    except InterruptedRunError as again:
        raise _left(appliance, job, again, "it is unknown whether that was asked for") from again
    if isinstance(answer, BackupctlError):
        if not lost:
            raise answer
        return answer
    if answer.status == "FAIL" and not lost:
        messages = tuple(message.text for message in answer.messages or ())
        raise CancelRefusedError(
            "$server does not cancel $job",
            server=appliance.host,
            job=job.id,
            details=messages,
            attach=appliance.attach(job.id),
        )
    return None


def _asked(appliance: Appliance, ask: Callable[[], ReturnResult]) -> Task[tuple[ReturnResult | BackupctlError, bool]]:
    """Return the answer, or the last error, and whether any answer was lost, so that the cancellation may be done."""
    first = yield from attempt(ask, shielded=True)
    lost = isinstance(first, BackupctlError) and not first.certain
    if not isinstance(first, BackupctlError) or not first.retryable:
        return first, lost
    try:
        return (yield from retry(appliance, ask)), lost
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        return error, lost or not error.certain


def after_cancelling(ended: Outcome[Job], doubt: BackupctlError | None) -> Outcome[Job]:
    """Return what the end of a job means that was to be cancelled; ``doubt`` is why that may not have arrived."""
    error = ended.error
    if error is None:
        error = CancelRefusedError("$job succeeded before the cancellation took effect", job=ended.value.id)
    elif ended.value.ended and not ended.value.succeeded:
        return Outcome(ended.value, None)
    if doubt is not None:
        also = ErrorFacts("the cancellation may not have arrived: $cause", cause=doubt.facts)
        error = error.with_facts(details=(*error.facts.details, also))
    return Outcome(ended.value, error)


def _leave_to_end(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Task[Outcome[Job]]:
    yield from ()
    return Outcome(job, _left(appliance, job, interruption, "its end was not waited for"))


def _left(appliance: Appliance, job: Job, interruption: InterruptedRunError, what_is_known: str) -> InterruptedRunError:
    return InterruptedRunError(
        f"$cause while $job on $server was being cancelled: {what_is_known}",
        cause=interruption,
        job=job.id,
        server=appliance.host,
        attach=appliance.attach(job.id),
    )
