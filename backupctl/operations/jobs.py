"""Jobs as values: status and details of the appliance put together, and the questions about several jobs."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from backupctl.errors import (
    ApplianceAnswerError,
    BackupctlError,
    ContradictionError,
    InterruptedRunError,
    NotFoundError,
    NotSupportedError,
)
from backupctl.models import (
    JobDetails,
    JobState,
    Unreadable,
)
from backupctl.operations import job_conversion, job_selection
from backupctl.operations.unreadable_entries import warn_unreadable
from backupctl.results.events import Warned
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Backoff, Task, Wait, attempt, response_deadline, retry

LATEST: Final = "latest"
_CONTRADICTION_SECONDS: Final = 30.0
"""How long details may say FAILED beside a job that has succeeded, as they do while one of both lags."""


def resolve(appliance: Appliance, job_id: str, *, until: float | None = None) -> Task[str]:
    """Return the id that ``latest`` stands for.

    Raises NotFoundError where there was never a backup.
    """
    if job_id != LATEST:
        return job_id
    found = job_selection.newest((yield from retry(appliance, appliance.api.jobs, until=until)))
    if found is None:
        raise NotFoundError(
            "$server has no backup job yet", server=appliance.host, hint="`backupctl create` starts one"
        )
    return found


def read(appliance: Appliance, job_id: str, *, until: float | None = None) -> Task[Job]:
    """Return a job's status.

    Raises NotFoundError where the appliance does not know it.
    """
    try:
        status = yield from retry(appliance, partial(appliance.api.job, job_id), until=until)
    except NotFoundError as error:
        raise NotFoundError(
            "$server knows no $job",
            server=appliance.host,
            job=job_id,
            hint="`backupctl list` shows those that it knows",
            details=error.facts.details,
        ) from error
    return job_conversion.from_status(status, Job(id=job_id, state=""))


def with_details(
    appliance: Appliance, job: Job, *, until: float | None = None, retry_seconds: float = 0.0
) -> Task[Job]:
    """Return the job with its details where they can be had; without them, the job as it is.

    They are asked for again for ``retry_seconds``, while that may help.
    """
    details = yield from _details_of(appliance, job.id, until=until, retry_seconds=retry_seconds)
    return job if details is None else job_conversion.from_details(details, job)


def _details_of(
    appliance: Appliance, job_id: str, *, until: float | None, retry_seconds: float = 0.0
) -> Task[JobDetails | None]:
    clock = appliance.clock
    give_up = clock.monotonic() + retry_seconds
    backoff = Backoff()
    while True:
        answer = yield from attempt(partial(appliance.api.job_details, [job_id]), until=until)
        if not isinstance(answer, BackupctlError):
            found = answer.get(job_id)
            return found if isinstance(found, JobDetails) else None
        again = clock.monotonic() + backoff.next_seconds()
        if not answer.retryable or again > give_up:
            return None
        yield Wait(again)


def confirm_end(
    appliance: Appliance, job: Job, *, until: float | None = None, retry_seconds: float = 0.0
) -> Task[tuple[Job, BackupctlError | None]]:
    """Return a job that has ended with its details, and ContradictionError where these deny its success.

    Status and details are read again while they contradict each other; details that lag behind or are missing do not.
    The job may be one that has not ended after all.
    """
    clock = appliance.clock
    give_up = clock.monotonic() + _CONTRADICTION_SECONDS
    backoff = Backoff(max_seconds=8.0)
    found, denial = job, None
    try:
        while True:
            answer_by = _answer_by(appliance, until)
            details = yield from _details_of(appliance, job.id, until=answer_by, retry_seconds=retry_seconds)
            found = found if details is None else job_conversion.from_details(details, job)
            if details is not None and details.status == JobState.FAILED:
                denial = ContradictionError(
                    "$server says that $job succeeded, but its details say that it failed",
                    server=appliance.name,
                    job=job.id,
                    hint="check the archive at the backup location before you rely on it",
                )
            elif details is not None:
                denial = None
            if denial is None or not job.succeeded:
                return found, None
            if clock.monotonic() >= give_up:
                return found, denial
            yield Wait(min(give_up, clock.monotonic() + backoff.next_seconds()))
            status = yield from attempt(partial(appliance.api.job, job.id), until=_answer_by(appliance, until))
            if not isinstance(status, BackupctlError):
                job = job_conversion.from_status(status, job)
                found = job_conversion.from_status(status, found)
    except InterruptedRunError:  # the job has ended, so there is nothing left to be interrupted
        return found, denial


def _answer_by(appliance: Appliance, until: float | None) -> float | None:
    """Return when to give up on a request that is sent now, in monotonic seconds."""
    return None if until is None else response_deadline(appliance.clock.monotonic(), until)


def read_all(appliance: Appliance) -> Task[tuple[tuple[Job, ...], int]]:
    """Return all jobs, newest first, and how many more cannot be read.

    One request where the release has job details (6.7). Where it has none, or they cannot be read, the jobs are read
    one by one. Raises why the details cannot be read where no job can be.
    """
    try:
        details = yield from retry(appliance, appliance.api.job_details)
    except ApplianceAnswerError as error:
        if error.retryable:
            raise
        if not isinstance(error, NotSupportedError):
            message = f"no details of the backup jobs: {error.message}"
            appliance.emit(Warned(time=appliance.clock.now(), server=appliance.name, message=message, hint=error.hint))
        found, unreadable = yield from _read_each(appliance, (yield from retry(appliance, appliance.api.jobs)))
        if unreadable and not found:
            raise
        return found, unreadable
    odd = [each for each in details.values() if isinstance(each, Unreadable)]
    warn_unreadable(appliance, odd, f"the details of {len(odd)} of {len(details)} backup jobs cannot be read")
    read_ones = [
        job_conversion.from_details(each, Job(id=name, state=""))
        for name, each in details.items()
        if isinstance(each, JobDetails)
    ]
    others, _ = yield from _read_each(appliance, [each.name for each in odd])
    return job_selection.newest_first([*read_ones, *others]), len(odd) - len(others)


def _read_each(appliance: Appliance, job_ids: Sequence[str]) -> Task[tuple[tuple[Job, ...], int]]:
    """Return jobs by their ids, newest first, and how many cannot be read; one that is gone meanwhile is none."""
    found, odd = [], []
    for job_id in job_ids:
        try:
            found.append((yield from read(appliance, job_id)))
        except NotFoundError:
            continue
        except ApplianceAnswerError as error:
            if error.retryable:
                raise
            odd.append(Unreadable(name=job_id, why=error.message))
    warn_unreadable(appliance, odd, f"{len(odd)} of {len(job_ids)} backup jobs cannot be read")
    return job_selection.newest_first(found), len(odd)


def find_running(appliance: Appliance, *, retry_seconds: float = 0.0) -> Task[Job | None]:
    """Return the backup that is running, None where none can be seen (a restore is none).

    Raises what stands in the way of asking, after ``retry_seconds`` where asking again may help.
    """
    found = job_selection.newest((yield from retry(appliance, appliance.api.jobs, retry_seconds=retry_seconds)))
    if found is None:
        return None
    status = yield from retry(appliance, partial(appliance.api.job, found), retry_seconds=retry_seconds)
    job = job_conversion.from_status(status, Job(id=found, state=""))
    return None if job.ended else job
