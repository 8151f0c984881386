"""Jobs as values: status and details of the appliance put together, and the questions about several jobs."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from backupctl.errors import (
    ApplianceAnswerError,
    BackupctlError,
    ContradictionError,
    InterruptedRunError,
    NotFoundError,
    NotSupportedError,
)
from backupctl.location import Location
from backupctl.models import (
    DETAILS_STATUS_AS_JOB_STATE,
    BackupJobStatus,
    BackupRequest,
    JobDetails,
    JobState,
    LocalizableMessage,
    Unreadable,
    as_utc,
)
from backupctl.operations.failure_reasons import with_reasons
from backupctl.operations.unreadable_entries import warn_unreadable
from backupctl.results.events import Warned
from backupctl.results.job import Job, Message
from backupctl.rules.placeholders import arguments
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Backoff, Task, Wait, attempt, response_deadline, retry

LATEST: Final = "latest"
_CONTRADICTION_SECONDS: Final = 30.0
"""How long details may say FAILED beside a job that has succeeded, as they do while one of both lags."""

_LARGEST: Final = 2**63
"""Numbers from here on do not fit into the 64 bits that readers of JSON have for them."""
_TIME_ID: Final = re.compile(r"\d{8}-\d{6}-\d+", re.ASCII)


def from_status(status: BackupJobStatus, known: Job) -> Job:
    """Return what is known of a job with a new status put in; progress never goes back while the job runs."""
    start, end = as_utc(status.start_time) or known.start_time, as_utc(status.end_time)
    return msgspec.structs.replace(
        known,
        id=status.id or known.id,
        state=status.state,
        progress=percent(status.progress, known.progress),
        messages=messages_of(status.messages) or known.messages,
        start_time=start,
        end_time=end or known.end_time,
        duration_seconds=_first_known(seconds_between(start, end), known.duration_seconds),
        step=None if _ended(status.state) else known.step,
    )


def from_details(details: JobDetails, known: Job) -> Job:
    """Return what is known of a job with its details put in; the state is that of the job where it is known."""
    job_state = DETAILS_STATUS_AS_JOB_STATE.get(details.status, details.status)
    progress = details.progress.percent if details.progress else None
    return msgspec.structs.replace(
        known,
        state=known.state or job_state,
        progress=percent(progress, known.progress),
        messages=with_reasons(known.messages or messages_of(details.messages), details.error),
        start_time=known.start_time or as_utc(details.start_time),
        end_time=known.end_time or (as_utc(details.end_time) if _ended(known.state or job_state) else None),
        type=details.type,
        size_bytes=whole(details.size),
        duration_seconds=_first_known(whole(details.duration), known.duration_seconds),
        location=Location.reported(details.location).masked if details.location else known.location,
        location_user=details.location_user or known.location_user,
        user=details.user,
        build=_build(details),
        step=None if _ended(known.state or job_state) else _step(details) or known.step,
    )


def of_request(request: BackupRequest, job_id: str = "") -> Job:
    """Return the job that a request asks for, before anything is known of it."""
    return Job(
        id=job_id,
        state="",
        location=request.location.masked,
        location_user=request.location_user,
        comment=request.comment,
        parts=request.parts,
        encrypted=request.backup_password is not None,
    )


def newest(job_ids: Sequence[str]) -> str | None:
    """Return the newest of several job ids: they begin with the time; where one does not, the first one counts."""
    if all(_TIME_ID.fullmatch(job_id) for job_id in job_ids):
        return max(job_ids, default=None)
    return next(iter(job_ids), None)


def is_newer(job_id: str, other: str) -> bool:
    """Whether a job is newer than another by their ids; False where an id does not begin with the time."""
    if _TIME_ID.fullmatch(job_id) and _TIME_ID.fullmatch(other):
        return job_id.rpartition("-")[0] > other.rpartition("-")[0]
    return False


def resolve(appliance: Appliance, job_id: str, *, until: float | None = None) -> Task[str]:
    """Return the id that ``latest`` stands for.

    Raises NotFoundError where there was never a backup.
    """
    if job_id != LATEST:
        return job_id
    found = newest((yield from retry(appliance, appliance.api.jobs, until=until)))
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
    return from_status(status, Job(id=job_id, state=""))


def with_details(
    appliance: Appliance, job: Job, *, until: float | None = None, retry_seconds: float = 0.0
) -> Task[Job]:
    """Return the job with its details where they can be had; without them, the job as it is.

    They are asked for again for ``retry_seconds``, while that may help.
    """
    details = yield from _details_of(appliance, job.id, until=until, retry_seconds=retry_seconds)
    return job if details is None else from_details(details, job)


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


def confirmed(
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
            found = found if details is None else from_details(details, job)
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
                job = from_status(status, job)
                found = from_status(status, found)
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
        from_details(each, Job(id=name, state="")) for name, each in details.items() if isinstance(each, JobDetails)
    ]
    others, _ = yield from _read_each(appliance, [each.name for each in odd])
    return newest_first([*read_ones, *others]), len(odd) - len(others)


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
    return newest_first(found), len(odd)


class JobFilter(msgspec.Struct, frozen=True):
    """Which jobs are wanted; what is None lets all through, and a job whose start is not known fits no time."""

    state: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None

    def of(self, found: Sequence[Job]) -> tuple[Job, ...]:
        """Return the jobs that fit, in their order, at most ``limit``."""
        return tuple(job for job in found if self._fits(job))[: self.limit]

    def _fits(self, job: Job) -> bool:
        return (
            (self.state is None or job.state == self.state)
            and (self.type is None or job.type == self.type)
            and (self.since is None or (job.start_time is not None and job.start_time >= self.since))
            and (self.until is None or (job.start_time is not None and job.start_time <= self.until))
        )


def newest_first(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Return jobs sorted by start time and id, whatever order the appliance gave them in.

    A job that has not begun has no start time yet; the time in its id stands in for it.
    """
    return tuple(sorted(jobs, key=_age, reverse=True))


def _age(job: Job) -> tuple[str, str]:
    if job.start_time is not None:
        return f"{job.start_time:%Y%m%d-%H%M%S.%f}", job.id
    return job.id if _TIME_ID.fullmatch(job.id) else "", job.id


def running(appliance: Appliance, *, retry_seconds: float = 0.0) -> Task[Job | None]:
    """Return the backup that is running, None where none can be seen (a restore is none).

    Raises what stands in the way of asking, after ``retry_seconds`` where asking again may help.
    """
    found = newest((yield from retry(appliance, appliance.api.jobs, retry_seconds=retry_seconds)))
    if found is None:
        return None
    status = yield from retry(appliance, partial(appliance.api.job, found), retry_seconds=retry_seconds)
    job = from_status(status, Job(id=found, state=""))
    return None if job.ended else job


def _ended(state: str) -> bool:
    return state in {JobState.SUCCEEDED, JobState.FAILED}


def messages_of(messages: list[LocalizableMessage] | None) -> tuple[Message, ...]:
    """Return the messages of the appliance as values of ours, without those that say nothing."""
    return tuple(
        Message(id=message.id or "", default_message=message.text, args=arguments(message.args))
        for message in messages or ()
        if message.text
    )


def percent(value: float | None, known: int | None = None) -> int | None:
    """Return a progress as a whole number from 0 to 100, never below the one that is ``known``."""
    if value is None or not math.isfinite(value):
        return known
    return max(min(100, max(0, int(value))), known or 0)


def seconds_between(start: datetime | None, end: datetime | None) -> int | None:
    """Return how long a job ran; below zero, a clock was set back meanwhile, and nothing is known."""
    return whole((end - start).total_seconds()) if start and end else None


def _first_known(found: int | None, known: int | None) -> int | None:
    return known if found is None else found


def whole(number: float | None) -> int | None:
    """Return a size or a duration as a whole number, None for what cannot be one: negative, not a number, endless."""
    return int(number) if number is not None and 0 <= number < _LARGEST else None


def _step(details: JobDetails) -> str | None:
    message = details.progress.message if details.progress else None
    return (message.text.strip() or None) if message else None


def _build(details: JobDetails) -> str | None:
    if details.build is None:
        return None
    version, number = details.build.version or details.build.version_name, details.build.build_number
    return " build ".join(part for part in (version, number) if part) or None
