"""The search for a job whose start was asked for and whose answer was lost: adopt it, or say what is known.

Two mistakes are worse than no answer: to take the success of another job for that of ours, and to say that nothing was
started while our job runs. So a job is adopted only if all that is known of it speaks for it, "not started" is said
only where the appliance itself says that nothing runs, and everything else is unknown.
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
from backupctl.scheduler.task import RETRY_SECONDS, Backoff, Task, Wait, attempt, response_deadline

SEARCH_SECONDS: Final = 60.0
"""How long the job list is read again before the search for a job ends without one."""

_SEARCH_GAPS: Final = (1.0, 2.0, 4.0, 8.0, 10.0)

_FEWEST_LOOKS: Final = 2
"""How many looks must find nothing before "no backup was started" is said."""

_WIDEST_ZONE: Final = timedelta(hours=15)
"""More than the clock of any time zone is away from UTC."""

_VALIDATION: Final = frozenset({"OK", "WARNING", "FAIL"})
"""The results of a validation; an answer with another one is not from the appliance."""

_TYPES: Final = frozenset({"MANUAL", "SCHEDULED", "LOCAL_BACKUP"})
"""The types of jobs that are documented up to release 9.1."""


class Sent(msgspec.Struct, frozen=True):
    """A request that was to start a backup, and what the appliance said before it was sent.

    ``known`` are the jobs that cannot be ours: those listed before the request. ``server_time`` is when the last answer
    before it was given, by the appliance's clock, and ``local_time`` when the request was sent, by ours. Without
    ``may_adopt``, no job is taken for ours that was only found.
    """

    request: BackupRequest
    job_types: frozenset[str]
    known: frozenset[str]
    server_time: datetime | None
    local_time: datetime
    may_adopt: bool = True

    @property
    def not_before(self) -> datetime:
        """The earliest time at which our job can have started; by our own clock, less what a time zone may add."""
        return self.server_time or self.local_time - _WIDEST_ZONE


class Look(msgspec.Struct, frozen=True):
    """One look at the list of jobs: the new ones that are ours, that may be and that are not; and what is in doubt."""

    ours: tuple[Job, ...] = ()
    candidates: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    doubt: BackupctlError | None = None

    @property
    def found(self) -> Job | None:
        """The one new job, if it is ours; with another one that may be ours, it is not known which one is."""
        return self.ours[0] if len(self.ours) == len(self.candidates) == 1 else None

    @property
    def is_clear(self) -> bool:
        """Whether the list was read and shows no new job that may be ours."""
        return self.doubt is None and not self.candidates


def find_lost_job(appliance: Appliance, sent: Sent, lost: BackupctlError, deadline: float) -> Task[Job]:
    """Look for the job of a request whose answer was lost, and adopt it if it is ours.

    Held against an interruption, because only now it is decided whether a job of ours runs. Raises NotStartedError
    where none appeared and the appliance says that nothing runs, else OutcomeUnknownError.
    """
    clock = appliance.clock
    message = f"no usable answer to the request to start the backup ({lost.message}); checking whether it started"
    appliance.emit(Warned(time=clock.now(), server=appliance.name, message=message))
    end = clock.monotonic() + SEARCH_SECONDS
    give_up = min(end, max(deadline, clock.monotonic()))
    gaps = iter(_SEARCH_GAPS)
    candidates: frozenset[str] = frozenset()
    clear_looks = 0
    while True:
        look = yield from look_for_job(appliance, sent, response_deadline(clock.monotonic(), give_up))
        if look.found is not None:
            return _adopt(appliance, look.found)
        candidates = (candidates | look.candidates) - look.others
        clear_looks += look.is_clear
        if clock.monotonic() >= give_up or isinstance(look.doubt, AuthenticationError):
            break
        yield Wait(min(give_up, clock.monotonic() + next(gaps, _SEARCH_GAPS[-1])), shielded=True)
    doubt = look.doubt
    if doubt is None and candidates:
        doubt = OutcomeUnknownError("a new backup job appeared and disappeared")
    elif doubt is None and give_up < end:
        doubt = OutcomeUnknownError("--timeout ended the search for the job")
    elif doubt is None and clear_looks < _FEWEST_LOOKS:
        doubt = OutcomeUnknownError("the job list could be read only once")
    elif doubt is None:
        doubt = yield from _busy_or_unknown(appliance, sent.request, deadline)
    if doubt is not None:
        raise unknown_outcome(appliance, sent, lost, why=doubt, candidates=candidates)
    raise _not_started(appliance, lost)


def look_for_job(appliance: Appliance, sent: Sent, until: float) -> Task[Look]:
    """Read the list once, and each new job in it; give up on answers after ``until`` (monotonic seconds)."""
    ids = yield from attempt(appliance.api.jobs, until=until, shielded=True)
    if isinstance(ids, BackupctlError):
        return Look(doubt=ids)
    ours: list[Job] = []
    others: set[str] = set()
    doubts: list[BackupctlError] = []
    if not sent.known <= set(ids):
        doubts.append(OutcomeUnknownError("the job list lacks jobs that it had before"))
    new = sorted(set(ids) - sent.known)
    for job_id in new:
        if doubts and appliance.clock.monotonic() >= until:
            break
        match (yield from _judge(appliance, sent, job_id, until)):
            case None:
                others.add(job_id)
            case Job() as job:
                ours.append(job)
            case doubt:
                doubts.append(doubt)
    if len(ours) > 1:
        doubts.append(OutcomeUnknownError(f"{len(ours)} new backup jobs look alike"))
    return Look(tuple(ours), frozenset(new) - others, frozenset(others), next(iter(doubts), None))


def _adopt(appliance: Appliance, job: Job) -> Job:
    """Show that a job was found to be ours, and return it."""
    reason = "it is new and goes to the requested location; whether it is encrypted is not known"
    appliance.emit(Adopted(time=appliance.clock.now(), server=appliance.name, job=job, reason=reason))
    return job


def unknown_outcome(
    appliance: Appliance,
    sent: Sent,
    lost: BackupctlError,
    *,
    why: BackupctlError | None = None,
    candidates: Iterable[str] = (),
) -> OutcomeUnknownError:
    """Return the error for a start whose outcome is unknown, with the command to look again later."""
    since = sent.server_time
    found = list(candidates)
    return OutcomeUnknownError(
        f"unknown whether the backup was started: $cause{'; $then' if why else ''}",
        server=appliance.name,
        cause=lost,
        then=why,
        hint=f"an older job is not this one: the request was sent at {since:%Y-%m-%d %H:%M:%S} UTC" if since else None,
        attach=appliance.attach(found[0] if len(found) == 1 else jobs.LATEST),
        details=lost.facts.details,
    )


def _busy_or_unknown(appliance: Appliance, request: BackupRequest, deadline: float) -> Task[BackupctlError | None]:
    """Ask for a validation, which is refused while a job runs; return None where it is answered otherwise.

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
        if not isinstance(answer, BackupctlError) and answer.status in _VALIDATION:
            return None
        if not isinstance(answer, BackupctlError):
            answer = OutcomeUnknownError("the answer to a validation cannot be read")
        if clock.monotonic() >= give_up or isinstance(answer, AuthenticationError):
            return answer
        yield Wait(min(give_up, clock.monotonic() + backoff.next_seconds()), shielded=True)


def _not_started(appliance: Appliance, lost: BackupctlError) -> NotStartedError:
    kind = NotStartedNoAnswerError if isinstance(lost, ApplianceUnreachableError) else NotStartedError
    return kind(
        "no backup was started: $cause",
        server=appliance.name,
        cause=lost,
        hint="no new job appeared and nothing is running: it is safe to try again",
        details=lost.facts.details,
    )


def _judge(appliance: Appliance, sent: Sent, job_id: str, until: float) -> Task[Job | BackupctlError | None]:
    """Return a new job if it is ours, None if it is certainly not, else the error that says why that is not known.

    Another run that starts a backup to the same location between two looks of ours makes a job that nothing tells from
    ours. It is adopted: what 0 says is true of it too, a backup to this location was begun after it was asked for.
    """
    answer = yield from attempt(partial(appliance.api.job_details, [job_id]), until=until, shielded=True)
    if isinstance(answer, NotSupportedError) and answer.certain:
        return OutcomeUnknownError(f"backup job {job_id} is new, and this release does not report the owner of a job")
    if isinstance(answer, BackupctlError):
        return answer
    details = answer.get(job_id)
    if not isinstance(details, JobDetails):
        return OutcomeUnknownError(f"backup job {job_id} is new, and has no details yet")
    if _is_of_somebody_else(details, sent, appliance.user):
        return None
    status = yield from attempt(partial(appliance.api.job, job_id), until=until, shielded=True)
    if isinstance(status, BackupctlError):
        return status
    job = job_conversion.from_details(details, job_conversion.from_status(status, Job(id=job_id, state="")))
    against = _what_speaks_against(job, details, sent) or (None if sent.may_adopt else _ENCRYPTION_UNKNOWN)
    return job if against is None else OutcomeUnknownError(f"backup job {job_id} is new, but {against}")


def _is_of_somebody_else(details: JobDetails, sent: Sent, user: str) -> bool:
    """Whether a job is certainly not ours: by its type, or by user and location both.

    Neither is enough alone: nobody documents how the appliance spells users, and locations may come back rewritten.
    """
    if details.type in _TYPES - sent.job_types:
        return True
    other_user = _account(details.user or user) != _account(user)
    return other_user and bool(details.location) and not sent.request.location.contains_backup_at(details.location)


_ENCRYPTION_UNKNOWN: Final = "nothing tells whether it is encrypted, as --require-encryption wants it"


def _what_speaks_against(job: Job, details: JobDetails, sent: Sent) -> str | None:
    """Return why a new job is not known to be ours, None where everything speaks for it."""
    if not sent.request.location.contains_backup_at(details.location):
        return f"goes to {job.location or 'an unknown location'}"
    older = next(
        (known for known in sorted(sent.known, reverse=True) if not job_selection.is_newer(job.id, known)), None
    )
    if older is not None:
        return f"is not newer than {older} by its id"
    if job.start_time is not None and job.start_time < sent.not_before:
        return "was started before the request"
    if sent.known or (sent.server_time is not None and job.start_time is not None):
        return None
    return "may be an older job: the job list was empty, and its start time is unknown"


def _account(user: str) -> str:
    r"""Return the account in ``name@domain`` or ``DOMAIN\name``, the two spellings that the appliance uses."""
    return user.rpartition("\\")[2].partition("@")[0].lower()
