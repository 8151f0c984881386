"""The search for a job after the response to the request that starts it was lost.

Two mistakes are worse than an unknown outcome: reporting the success of another job as ours, and reporting that no
backup was started while our job runs. So a job is adopted only if everything known about it matches the request,
NotStartedError is raised only if the appliance itself says that nothing runs, and all else is OutcomeUnknownError.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from backupctl.errors import (
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    BusyError,
    NotStartedError,
    NotStartedNoAnswerError,
    NotSupportedError,
    OutcomeUnknownError,
)
from backupctl.models import BackupRequest, JobDetails
from backupctl.operations import job_conversion, job_selection, jobs
from backupctl.results.events import Adopted, Warned
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import RETRY_SECONDS, Backoff
from backupctl.scheduler.task import Task, Wait, attempt, response_deadline

SEARCH_SECONDS: Final = 60.0
"""How long the job list is read again and again until the job appears in it."""

_MAX_SEARCH_INTERVAL: Final = 10.0

_MIN_CLEAR_READS: Final = 2
"""How many readings of the list must show no new job before NotStartedError is raised."""

_MAX_UTC_OFFSET: Final = timedelta(hours=15)
"""More than the offset of any time zone from UTC."""

_VALIDATION_STATUSES: Final = frozenset({"OK", "WARNING", "FAIL"})
"""The statuses of a validation; a response with another one is not from the appliance."""

_DOCUMENTED_TYPES: Final = frozenset({"MANUAL", "SCHEDULED", "LOCAL_BACKUP"})
"""The job types that are documented up to release 9.1."""

_ENCRYPTION_UNKNOWN: Final = "may not be encrypted (--require-encryption)"


class SentRequest(msgspec.Struct, frozen=True):
    """A request that starts a backup, and what was known when it was sent.

    ``known`` are the ids of the jobs that were listed before, so they cannot be ours. ``server_time`` is the time of
    the last response before the request, by the appliance's clock; ``local_time`` is when it was sent, by our clock.
    Without ``may_adopt``, no job is adopted.
    """

    request: BackupRequest
    job_types: frozenset[str]
    known: frozenset[str]
    server_time: datetime | None
    local_time: datetime
    may_adopt: bool = True

    @property
    def not_before(self) -> datetime:
        """The earliest possible start of our job; our clock may be off by a time zone."""
        return self.server_time or self.local_time - _MAX_UTC_OFFSET


class NewJobs(msgspec.Struct, frozen=True):
    """The new jobs in one reading of the job list.

    ``matches`` are the jobs that match the request, ``candidates`` the ids of those and of all that may be ours, and
    ``foreign`` the ids of those that are certainly not ours. ``error`` is why this may be incomplete.
    """

    matches: tuple[Job, ...] = ()
    candidates: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    error: BackupctlError | None = None

    @property
    def found(self) -> Job | None:
        """The job that matches, if no other new job may be ours."""
        return self.matches[0] if len(self.matches) == len(self.candidates) == 1 else None

    @property
    def is_clear(self) -> bool:
        """Whether the list was read and has no new job that may be ours."""
        return self.error is None and not self.candidates


def find_lost_job(appliance: Appliance, sent: SentRequest, lost_error: BackupctlError, deadline: float) -> Task[Job]:
    """Search for the job of a request whose response was lost, and adopt it if it matches.

    The search is shielded from an interruption, because it decides whether a job of ours runs. Raises NotStartedError
    if no new job appeared and the appliance says that nothing runs, else OutcomeUnknownError.
    """
    clock = appliance.clock
    message = f"no valid response to the start request ({lost_error.message}); checking whether the backup started"
    appliance.emit(Warned(message=message))
    end = clock.monotonic() + SEARCH_SECONDS
    give_up = min(end, max(deadline, clock.monotonic()))
    backoff = Backoff(max_seconds=_MAX_SEARCH_INTERVAL)
    candidates: frozenset[str] = frozenset()
    clear_reads = 0
    while True:
        new_jobs = yield from read_new_jobs(appliance, sent, response_deadline(clock.monotonic(), give_up))
        if new_jobs.found is not None:
            return _adopt(appliance, new_jobs.found)
        candidates = (candidates | new_jobs.candidates) - new_jobs.foreign
        clear_reads += new_jobs.is_clear
        if clock.monotonic() >= give_up or isinstance(new_jobs.error, AuthenticationError):
            break
        yield Wait(min(give_up, clock.monotonic() + backoff.next_seconds()), shielded=True)
    error = new_jobs.error
    if error is None and candidates:
        error = OutcomeUnknownError("a new backup job appeared and disappeared")
    elif error is None and give_up < end:
        error = OutcomeUnknownError("the search for the job timed out (--timeout)")
    elif error is None and clear_reads < _MIN_CLEAR_READS:
        error = OutcomeUnknownError("the job list could be read only once")
    elif error is None:
        error = yield from _check_idle(appliance, sent.request, deadline)
    if error is not None:
        raise outcome_unknown(appliance, sent, lost_error, why=error, candidates=candidates)
    raise _not_started(appliance, lost_error)


def read_new_jobs(appliance: Appliance, sent: SentRequest, until: float) -> Task[NewJobs]:
    """Read the job list once, and each new job in it; requests are abandoned at ``until`` (monotonic seconds)."""
    ids = yield from attempt(appliance.api.jobs, until=until, shielded=True)
    if isinstance(ids, BackupctlError):
        return NewJobs(error=ids)
    matches: list[Job] = []
    foreign: set[str] = set()
    errors: list[BackupctlError] = []
    if not sent.known <= set(ids):
        errors.append(OutcomeUnknownError("jobs are missing from the job list"))
    new = sorted(set(ids) - sent.known)
    for job_id in new:
        if errors and appliance.clock.monotonic() >= until:
            break
        match (yield from _match_job(appliance, sent, job_id, until)):
            case None:
                foreign.add(job_id)
            case Job() as job:
                matches.append(job)
            case error:
                errors.append(error)
    if len(matches) > 1:
        errors.append(OutcomeUnknownError(f"{len(matches)} new backup jobs match"))
    return NewJobs(tuple(matches), frozenset(new) - foreign, frozenset(foreign), next(iter(errors), None))


def _adopt(appliance: Appliance, job: Job) -> Job:
    """Show that a job is adopted, and return it."""
    reason = "it is new and goes to the requested location (encryption unknown)"
    appliance.emit(Adopted(job=job, reason=reason))
    return job


def outcome_unknown(
    appliance: Appliance,
    sent: SentRequest,
    lost_error: BackupctlError,
    *,
    why: BackupctlError | None = None,
    candidates: Iterable[str] = (),
) -> OutcomeUnknownError:
    """Return the error of a start whose outcome is unknown, with the command that follows the job later."""
    since = sent.server_time
    found = list(candidates)
    return OutcomeUnknownError(
        f"unknown whether the backup was started: $cause{'; $then' if why else ''}",
        server=appliance.name,
        cause=lost_error,
        then=why,
        hint=f"ignore older jobs: the request was sent at {since:%Y-%m-%d %H:%M:%S} UTC" if since else None,
        attach=appliance.attach(found[0] if len(found) == 1 else jobs.LATEST),
        details=lost_error.facts.details,
    )


def _check_idle(appliance: Appliance, request: BackupRequest, deadline: float) -> Task[BackupctlError | None]:
    """Return None if the appliance says that nothing runs, else why that is unknown.

    A validation is refused while a job runs, so a readable result of it means that nothing runs.

    Source: ``POST /appliance/recovery/backup/validate`` declares FEATURE_IN_USE
    (https://developer.broadcom.com/xapis/vsphere-automation-api/latest/appliance/recovery/backup/).
    """
    clock = appliance.clock
    give_up = min(clock.monotonic() + RETRY_SECONDS, response_deadline(clock.monotonic(), deadline))
    backoff = Backoff()
    while True:
        until = response_deadline(clock.monotonic(), give_up)
        answer = yield from attempt(partial(appliance.api.validate, request), until=until, shielded=True)
        if isinstance(answer, BusyError):
            return OutcomeUnknownError("no new job is listed, but a backup or restore is running")
        if not isinstance(answer, BackupctlError) and answer.status in _VALIDATION_STATUSES:
            return None
        if not isinstance(answer, BackupctlError):
            answer = OutcomeUnknownError("unreadable response to the validation")
        if clock.monotonic() >= give_up or isinstance(answer, AuthenticationError):
            return answer
        yield Wait(min(give_up, clock.monotonic() + backoff.next_seconds()), shielded=True)


def _not_started(appliance: Appliance, lost_error: BackupctlError) -> NotStartedError:
    kind = NotStartedNoAnswerError if isinstance(lost_error, ApplianceUnreachableError) else NotStartedError
    return kind(
        "no backup was started: $cause",
        server=appliance.name,
        cause=lost_error,
        hint="it is safe to try again: no new job appeared, and nothing is running",
        details=lost_error.facts.details,
    )


def _match_job(appliance: Appliance, sent: SentRequest, job_id: str, until: float) -> Task[Job | BackupctlError | None]:
    """Return a new job if it matches the request, None if it is certainly foreign, else the error of not knowing.

    If another run starts a backup to the same location between two readings of the list, its job looks like ours and is
    adopted. Exit code 0 is true for that job as well: a backup to this location was started after the request.
    """
    answer = yield from attempt(partial(appliance.api.job_details, [job_id]), until=until, shielded=True)
    if isinstance(answer, NotSupportedError) and answer.certain:
        return OutcomeUnknownError("$job is new, but this release does not report the owner of a job", job=job_id)
    if isinstance(answer, BackupctlError):
        return answer
    details = answer.get(job_id)
    if not isinstance(details, JobDetails):
        return OutcomeUnknownError("$job is new, but has no details yet", job=job_id)
    if _is_foreign(details, sent, appliance.user):
        return None
    status = yield from attempt(partial(appliance.api.job, job_id), until=until, shielded=True)
    if isinstance(status, BackupctlError):
        return status
    job = job_conversion.from_details(details, job_conversion.from_status(status, Job(id=job_id, state="")))
    mismatch = _mismatch(job, details, sent) or (None if sent.may_adopt else _ENCRYPTION_UNKNOWN)
    return job if mismatch is None else OutcomeUnknownError("$job is new, but $1", job=job_id, texts=(mismatch,))


def _is_foreign(details: JobDetails, sent: SentRequest, user: str) -> bool:
    """Return whether a job is certainly not ours: by its type, or by both its user and its location.

    User or location alone prove nothing: the spelling of users is not documented, and the appliance may rewrite
    locations.
    """
    if details.type in _DOCUMENTED_TYPES - sent.job_types:
        return True
    other_user = _account_name(details.user or user) != _account_name(user)
    return other_user and bool(details.location) and not sent.request.location.contains_backup_at(details.location)


def _mismatch(job: Job, details: JobDetails, sent: SentRequest) -> str | None:
    """Return why a new job may not be ours, None if everything known about it matches the request."""
    if not sent.request.location.contains_backup_at(details.location):
        return f"goes to {job.location or 'an unknown location'}"
    older = next(
        (known for known in sorted(sent.known, reverse=True) if not job_selection.is_newer(job.id, known)), None
    )
    if older is not None:
        return f"is not newer than {older} by its id"
    if job.start_time is not None and job.start_time < sent.not_before:
        return "started before the request"
    if sent.known or (sent.server_time is not None and job.start_time is not None):
        return None
    return "may be an older job: the job list was empty, and its start time is unknown"


def _account_name(user: str) -> str:
    r"""Return the name in ``name@domain`` or ``DOMAIN\name``, the two spellings that the appliance uses."""
    return user.rpartition("\\")[2].partition("@")[0].lower()
