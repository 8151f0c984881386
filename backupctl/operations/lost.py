"""The search for a job whose start was asked for and whose answer was lost: adopt it, or say that there is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import unquote

from msgspec import structs

from backupctl.clock import Clock
from backupctl.errors import (
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    NotStartedError,
    NotStartedNoAnswerError,
    NotSupportedError,
    OutcomeUnknownError,
)
from backupctl.models import JobDetails
from backupctl.operations import jobs
from backupctl.operations.appliance import Appliance
from backupctl.operations.task import Task, Wait, attempt
from backupctl.results.events import Adopted, Warned
from backupctl.results.job import Job

SEARCH_SECONDS: Final = 60.0
"""How long a job is looked for when the answer to the request that starts it was lost."""

_FEWEST_LOOKS: Final = 2
"""A job that is being started may not be in the list at the first look."""
_LAST_ANSWER_SECONDS: Final = 5.0
_SEARCH_GAPS: Final = (1.0, 2.0, 4.0, 8.0, 10.0)


@dataclass(frozen=True)
class Expected:
    """How our job would look like: what was asked for, and the types that it may have."""

    job: Job
    job_types: frozenset[str]


def find_lost_job(
    appliance: Appliance, expected: Expected, known: Sequence[str], lost: BackupctlError, deadline: float
) -> Task[Job]:
    """Look for the job of a request whose answer was lost, and adopt it if it is ours.

    Held against an interruption, because only now it is decided whether a job of ours runs. Raises NotStartedError
    where none appeared, OutcomeUnknownError where the appliance could not be asked, or not about a job that is new.
    """
    clock = appliance.clock
    message = f"the answer was lost ({lost.message}): looking whether the backup was started"
    appliance.emit(Warned(time=clock.now(), server=appliance.name, message=message))
    give_up = min(clock.monotonic() + SEARCH_SECONDS, max(deadline, clock.monotonic()))
    gaps = iter(_SEARCH_GAPS)
    looks = 0
    while True:
        looks += 1
        ids = yield from attempt(appliance.api.jobs, until=_until(clock, give_up), held=True)
        doubt = ids if isinstance(ids, BackupctlError) else None
        for job_id in () if isinstance(ids, BackupctlError) else sorted(set(ids) - set(known)):
            if clock.monotonic() > give_up + _LAST_ANSWER_SECONDS:
                doubt = doubt or OutcomeUnknownError("more jobs are new than there was time to look at")
                break
            found = yield from _adopt(appliance, expected, job_id, _until(clock, give_up))
            if isinstance(found, Job):
                return found
            doubt = doubt or found
        if clock.monotonic() >= give_up or isinstance(doubt, AuthenticationError):
            break
        yield Wait(min(give_up, clock.monotonic() + next(gaps, _SEARCH_GAPS[-1])), held=True)
    if doubt is None and looks < _FEWEST_LOOKS:
        doubt = OutcomeUnknownError("no new job was seen, but there was no time to look again")
    raise _not_found(appliance, lost, doubt)


def _not_found(appliance: Appliance, lost: BackupctlError, doubt: BackupctlError | None) -> BackupctlError:
    """Return the error for a search that found no job of ours; ``doubt`` says why there may be one all the same."""
    if doubt is not None:
        return OutcomeUnknownError(
            f"{appliance.host}: it is unknown whether the backup was started: {lost.message}; then: {doubt.message}",
            attach=appliance.attach(jobs.LATEST),
            details=lost.details,
        )
    kind = NotStartedNoAnswerError if isinstance(lost, ApplianceUnreachableError) else NotStartedError
    return kind(
        f"{appliance.host}: no backup was started: {lost.message}; no new job of ours appeared",
        hint="it is safe to try again",
        details=lost.details,
    )


def _adopt(appliance: Appliance, expected: Expected, job_id: str, until: float) -> Task[Job | BackupctlError | None]:
    """Return a new job if it is ours by its details, or if the release (6.5) has none to tell.

    Another run of the same user to the same location, begun between our two looks, makes a job that nothing tells from
    ours: clocks differ, and details name neither parts nor comment. It is adopted, as what 0 says is true of it too: a
    backup that was begun after we asked for one, by us, of our kind and to our location, is done. To call it unknown
    would give up each lost answer for the sake of two runs that were started at once and are most likely the same.

    Returns None for a job of somebody else, and the error that stands in the way of telling.
    """
    answer = yield from attempt(partial(appliance.api.job_details, [job_id]), until=until, held=True)
    if isinstance(answer, NotSupportedError) and answer.certain:
        details, reason = None, "it is new, and this release has no details to compare"
    elif isinstance(answer, BackupctlError):
        return answer
    elif job_id not in answer:
        return OutcomeUnknownError(f"backup job {job_id} is new, but has no details to tell whose it is")
    else:
        details, reason = answer[job_id], "it is new, of our kind, and has our location and user"
        if not _may_be_ours(details, expected, appliance.user):
            return None
        if not same_location(details.location, expected.job.location or ""):
            where = details.location or "no known location"
            return OutcomeUnknownError(f"backup job {job_id} is new and by this user, but goes to {where}")
    status = yield from attempt(partial(appliance.api.job, job_id), until=until, held=True)
    if isinstance(status, BackupctlError):
        return status
    job = jobs.from_status(status, structs.replace(expected.job, id=job_id))
    if details is not None:
        job = jobs.from_details(details, job)
    appliance.emit(Adopted(time=appliance.clock.now(), server=appliance.name, job=job, reason=reason))
    return job


def _may_be_ours(details: JobDetails, expected: Expected, user: str) -> bool:
    """Whether a job is of our kind and users; where it goes is another question."""
    return (
        (details.type is None or details.type in expected.job_types)
        and (details.location_user or None) == (expected.job.location_user or None)
        and (details.user is None or _account(details.user) == _account(user))
    )


def _until(clock: Clock, give_up: float) -> float:
    """Return until when an answer is waited for in a search that ends at ``give_up``."""
    return max(give_up, clock.monotonic() + _LAST_ANSWER_SECONDS)


def same_location(one: str | None, other: str) -> bool:
    """Whether two spellings name one location.

    The appliance percent-quotes it and may add or drop its scheme or port; the case of a host name means nothing.
    """
    if one is None:
        return False
    (scheme, host, port, path), (its_scheme, its_host, its_port, its_path) = _taken_apart(one), _taken_apart(other)
    if scheme and its_scheme and scheme != its_scheme:
        return False
    usual = _PORTS.get(scheme or its_scheme, "")
    return (host, port or usual, path) == (its_host, its_port or usual, its_path)


_PORTS: Final = {
    "ftp": "21",
    "ftps": "21",
    "http": "80",
    "https": "443",
    "scp": "22",
    "sftp": "22",
    "nfs": "2049",
    "smb": "445",
}


def _taken_apart(location: str) -> tuple[str, str, str, str]:
    scheme, _, rest = location.rpartition("://")
    authority, _, path = rest.partition("/")
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?", authority)
    host, port = (match[1], match[2] or "") if match else (authority, "")
    return scheme.lower(), host.lower(), port, unquote(path).rstrip("/")


def _account(user: str) -> str:
    r"""Return the account in ``name@domain`` or ``DOMAIN\name``, the two spellings that the appliance uses."""
    return user.rpartition("\\")[2].partition("@")[0].lower()
