"""Reading of backup jobs: one by its id, the latest, the running one, or all."""

from collections.abc import Callable, Sequence
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
    UnreadableEntry,
)
from backupctl.operations import job_conversion, job_selection
from backupctl.operations.unreadable_entries import warn_unreadable
from backupctl.results.events import Warned
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import Backoff, retry
from backupctl.scheduler.task import MIN_RESPONSE_SECONDS, Task, Wait, attempt, response_deadline

LATEST: Final = "latest"
"""The word that stands for the id of the newest job."""

_CONTRADICTION_SECONDS: Final = 30.0
"""How long the details may say FAILED while the status says SUCCEEDED, because one of them may lag behind."""


def resolve(appliance: Appliance, job_id: str, *, until: float | None = None) -> Task[str]:
    """Return a job id, the newest one for ``latest``.

    Raises NotFoundError for ``latest`` when there is no backup job.
    """
    if job_id != LATEST:
        return job_id
    found = job_selection.newest((yield from retry(appliance, appliance.api.jobs, until=until)))
    if found is None:
        raise NotFoundError(
            "$server has no backup jobs yet", server=appliance.name, hint="`backupctl create` starts one"
        )
    return found


def read(appliance: Appliance, job_id: str, *, until: float | None = None) -> Task[Job]:
    """Return a job from its status.

    Raises NotFoundError if the appliance does not know the job.
    """
    try:
        status = yield from retry(appliance, partial(appliance.api.job, job_id), until=until)
    except NotFoundError as error:
        raise NotFoundError(
            "$job not found on $server",
            server=appliance.name,
            job=job_id,
            hint="`backupctl list` lists the jobs",
            details=error.facts.details,
        ) from error
    return job_conversion.from_status(status, Job(id=job_id, state=""))


def with_details(
    appliance: Appliance, job: Job, *, until: float | None = None, retry_seconds: float = 0.0
) -> Task[Job]:
    """Return the job with its details, or unchanged if they cannot be read.

    A retryable failure is retried for ``retry_seconds``.
    """
    details = yield from _read_details(appliance, job.id, until=until, retry_seconds=retry_seconds)
    return job if details is None else job_conversion.from_details(details, job)


def earlier_durations(appliance: Appliance, job_id: str) -> Task[tuple[float, ...] | None]:
    """Return how many seconds other jobs of the type of this one took, the newest first; only those that succeeded.

    None if the details of all jobs lack this one, whose type is unknown then; none if they cannot be read in a few
    seconds.
    """
    until = appliance.clock.monotonic() + MIN_RESPONSE_SECONDS
    answer = yield from attempt(appliance.api.job_details, until=until, low_priority=True)
    if isinstance(answer, BackupctlError):
        return ()
    details = {name: each for name, each in answer.items() if isinstance(each, JobDetails)}
    own = details.pop(job_id, None)
    if own is None:
        return None
    newest_first = [details[name] for name in sorted(details, reverse=True)]  # Ids begin with the time of the start.
    alike = [each for each in newest_first if each.type == own.type and each.status == JobState.SUCCEEDED]
    return tuple(seconds for each in alike if (seconds := job_conversion.whole_number(each.duration)))


def _read_details(
    appliance: Appliance, job_id: str, *, until: float | None, retry_seconds: float = 0.0
) -> Task[JobDetails | None]:
    clock = appliance.clock
    give_up = clock.monotonic() + retry_seconds
    backoff = Backoff()
    while True:
        answer = yield from attempt(partial(appliance.api.job_details, [job_id]), until=until)
        if not isinstance(answer, BackupctlError):
            details = answer.get(job_id)
            return details if isinstance(details, JobDetails) else None
        next_attempt = clock.monotonic() + backoff.next_seconds()
        if not answer.retryable or next_attempt > give_up:
            return None
        yield Wait(next_attempt)


def confirm_end(
    appliance: Appliance, job: Job, *, until: float | None = None, retry_seconds: float = 0.0
) -> Task[tuple[Job, BackupctlError | None]]:
    """Return a job that has ended with its details, and a ContradictionError if they contradict its success.

    Details that say FAILED contradict a job that succeeded. Status and details are then read again for 30 s. Details
    that still say RUNNING contradict nothing, and missing ones change nothing. The returned job may be running again.
    """
    clock = appliance.clock
    give_up = clock.monotonic() + _CONTRADICTION_SECONDS
    backoff = Backoff(max_seconds=8.0)
    detailed, contradiction = job, None
    try:
        while True:
            answer_by = _answer_by(appliance, until)
            details = yield from _read_details(appliance, job.id, until=answer_by, retry_seconds=retry_seconds)
            detailed = detailed if details is None else job_conversion.from_details(details, job)
            if details is not None and details.status == JobState.FAILED:
                contradiction = ContradictionError(
                    "$server reports that $job succeeded, but its details say that it failed",
                    server=appliance.name,
                    job=job.id,
                    hint="check the archive at the backup location before you rely on it",
                )
            elif details is not None:
                contradiction = None
            if contradiction is None or not job.succeeded:
                return detailed, None
            if clock.monotonic() >= give_up:
                return detailed, contradiction
            yield Wait(min(give_up, clock.monotonic() + backoff.next_seconds()))
            status = yield from attempt(partial(appliance.api.job, job.id), until=_answer_by(appliance, until))
            if not isinstance(status, BackupctlError):
                job = job_conversion.from_status(status, job)
                detailed = job_conversion.from_status(status, detailed)
    except InterruptedRunError:
        # The job has ended, so an interruption has nothing to detach from.
        return detailed, contradiction


def _answer_by(appliance: Appliance, until: float | None) -> float | None:
    """Return when to abandon a request that is sent now (monotonic seconds), None for no limit."""
    return None if until is None else response_deadline(appliance.clock.monotonic(), until)


def read_all(
    appliance: Appliance, enough: Callable[[Job], bool] = lambda _: False
) -> Task[tuple[tuple[Job, ...], tuple[str, ...]]]:
    """Return all jobs, the newest first, and the ids of those that cannot be read.

    Job details come in one request, since release 6.7. Without them the jobs are read one by one, the newest first, up
    to the first one that is ``enough``. Raises the error of the details if no job can be read either.
    """
    try:
        return (yield from read_detailed(appliance))
    except ApplianceAnswerError as error:
        if error.retryable:
            raise
        if not isinstance(error, NotSupportedError):
            message = f"no details of the backup jobs: {error.message}"
            appliance.emit(Warned(message=message, hint=error.hint))
        ids = job_selection.ids_newest_first((yield from retry(appliance, appliance.api.jobs)))
        found, unreadable = yield from _read_each(appliance, ids, enough)
        if unreadable and not found:
            raise
        return found, unreadable


def read_detailed(appliance: Appliance) -> Task[tuple[tuple[Job, ...], tuple[str, ...]]]:
    """Return all jobs with their details, the newest first, and the ids of those that cannot be read.

    Raises NotSupportedError: before release 6.7.
    """
    details = yield from retry(appliance, appliance.api.job_details)
    bad = [each for each in details.values() if isinstance(each, UnreadableEntry)]
    warn_unreadable(appliance, bad, f"the details of {len(bad)} of {len(details)} backup jobs cannot be read")
    detailed = [
        job_conversion.from_details(each, Job(id=job_id, state=""))
        for job_id, each in details.items()
        if isinstance(each, JobDetails)
    ]
    without_details, unreadable = yield from _read_each(appliance, [each.name for each in bad])
    return job_selection.newest_first([*detailed, *without_details]), unreadable


def _read_each(
    appliance: Appliance, job_ids: Sequence[str], enough: Callable[[Job], bool] = lambda _: False
) -> Task[tuple[tuple[Job, ...], tuple[str, ...]]]:
    """Return jobs by their ids, newest first, and the ids of those that cannot be read, without those that are gone."""
    found, bad = [], []
    for job_id in job_ids:
        try:
            found.append((yield from read(appliance, job_id)))
            if enough(found[-1]):
                break
        except NotFoundError:
            continue
        except ApplianceAnswerError as error:
            if error.retryable:
                raise
            bad.append(UnreadableEntry(name=job_id, why=error.message))
    warn_unreadable(appliance, bad, f"{len(bad)} of {len(job_ids)} backup jobs cannot be read")
    return job_selection.newest_first(found), tuple(each.name for each in bad)


def find_running(appliance: Appliance, *, retry_seconds: float = 0.0) -> Task[Job | None]:
    """Return the newest job if it is running, else None; a restore is not listed among the jobs.

    A retryable failure is retried for ``retry_seconds``. Raises the last error.
    """
    job_id = job_selection.newest((yield from retry(appliance, appliance.api.jobs, retry_seconds=retry_seconds)))
    if job_id is None:
        return None
    status = yield from retry(appliance, partial(appliance.api.job, job_id), retry_seconds=retry_seconds)
    job = job_conversion.from_status(status, Job(id=job_id, state=""))
    return None if job.ended else job
