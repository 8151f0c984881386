"""Cancel: ask the appliance to cancel a job, and see it end."""

from functools import partial
from typing import Final

from backupctl.errors import BackupctlError, CancelRefusedError, InterruptedRunError
from backupctl.models import ReturnResult
from backupctl.operations import jobs
from backupctl.operations.appliance import Appliance
from backupctl.operations.follow import Followed, Patience, follow
from backupctl.operations.task import Task, attempt
from backupctl.results import Cancelling, Job

CANCEL_SECONDS: Final = 60.0
"""How long a cancelled job is followed to its end."""


def cancel(appliance: Appliance, job_id: str) -> Task[Followed]:
    """Cancel a job and see it end; error None means that it has ended without success, as was asked for.

    Raises CancelRefusedError where the appliance says FAIL, NotFoundError for an unknown job.
    """
    found = yield from jobs.resolve(appliance, job_id)
    job = yield from jobs.read(appliance, found)
    return (yield from cancel_and_see(appliance, job))


def cancel_and_see(appliance: Appliance, job: Job) -> Task[Followed]:
    """Cancel a job that was seen, and follow it for up to a minute.

    A lost answer is no reason to stop: what the job does next tells whether the cancellation arrived.
    """
    if job.ended:
        raise CancelRefusedError(f"{job.title} on {appliance.host} has already ended as {job.state}")
    try:
        answer = yield from attempt(partial(appliance.api.cancel_job, job.id), held=True)
    except InterruptedRunError as again:
        raise _left(appliance, job, again, "it is unknown whether that was asked for") from again
    if isinstance(answer, BackupctlError) and answer.certain:
        raise answer
    if isinstance(answer, ReturnResult) and answer.status == "FAIL":
        messages = tuple(message.text for message in answer.messages or ())
        raise CancelRefusedError(f"{appliance.host} does not cancel {job.title}", details=messages)
    appliance.emit(Cancelling(time=appliance.clock.now(), server=appliance.name, job=job))
    patience = Patience(timeout=CANCEL_SECONDS, interval=1.5)
    ended = yield from follow(appliance, job, patience, on_interrupt=partial(_leave_to_end, appliance))
    if ended.error is None:
        refused = CancelRefusedError(f"{job.title} succeeded before the cancellation took effect")
        return Followed(ended.job, refused)
    return Followed(ended.job, None) if ended.job.ended else ended


def _leave_to_end(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Task[Followed]:
    yield from ()
    return Followed(job, _left(appliance, job, interruption, "its end was not waited for"))


def _left(appliance: Appliance, job: Job, interruption: InterruptedRunError, what_is_known: str) -> InterruptedRunError:
    return InterruptedRunError(
        f"{interruption.message} while {job.title} on {appliance.host} was being cancelled: {what_is_known}",
        hint=appliance.hint_to_follow(job.id),
    )
