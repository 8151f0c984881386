"""Create: start a backup exactly once, and follow it to its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import unquote

import msgspec

from backupctl.errors import (
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    BackupFailedError,
    BusyError,
    InterruptedRunError,
    NotStartedError,
    NotStartedNoAnswerError,
    NotSupportedError,
    OutcomeUnknownError,
    TimedOutError,
)
from backupctl.models import BackupRequest, JobDetails
from backupctl.operations import jobs
from backupctl.operations.appliance import Appliance
from backupctl.operations.cancel import cancel_and_see
from backupctl.operations.follow import Followed, Patience, detached, follow
from backupctl.operations.task import Task, Wait, attempt, retrying
from backupctl.results import Adopted, Attached, Job, PartsSelected, Started, Waiting

SEARCH_SECONDS: Final = 60.0
"""How long a job is looked for when the answer to the request that starts it was lost."""

_SEARCH_GAPS: Final = (1.0, 2.0, 4.0, 8.0, 10.0)
_BUSY_SECONDS: Final = 30.0
"""How often is asked whether a backup can start, while what runs cannot be followed (a restore)."""


@dataclass(frozen=True)
class BackupPlan:
    """What is asked for: the backup, and how to go about it; ``if_running`` is fail, wait or attach."""

    request: BackupRequest
    patience: Patience
    wait: bool = True
    if_running: str = "fail"
    cancel_on_interrupt: bool = False


def create(appliance: Appliance, plan: BackupPlan) -> Task[Followed]:
    """Start a backup and follow it; without ``plan.wait``, return when it has started.

    Raises what went wrong before a job was there; NotStartedError and OutcomeUnknownError where the answer was lost.
    """
    deadline = appliance.clock.monotonic() + plan.patience.timeout
    request = plan.request
    try:
        if not request.parts:
            request = yield from _with_default_parts(appliance, request)
        started = yield from _start(appliance, plan, request, deadline)
    except InterruptedRunError as interruption:
        raise InterruptedRunError(f"{interruption.message}: no backup of ours was started") from interruption
    if isinstance(started, Followed):
        return started
    if not plan.wait:
        return Followed(started, None)
    return (
        yield from follow(
            appliance,
            started,
            plan.patience,
            deadline=deadline,
            on_interrupt=partial(_cancel, appliance) if plan.cancel_on_interrupt else None,
        )
    )


def _with_default_parts(appliance: Appliance, request: BackupRequest) -> Task[BackupRequest]:
    parts = yield from retrying(appliance, appliance.api.parts)
    selected = tuple(part.id for part in parts if part.selected_by_default)
    appliance.emit(PartsSelected(time=appliance.clock.now(), server=appliance.name, parts=selected))
    return msgspec.structs.replace(request, parts=selected)


def _start(appliance: Appliance, plan: BackupPlan, request: BackupRequest, deadline: float) -> Task[Job | Followed]:
    """Send the request until it starts a job, waiting for another one as ``plan.if_running`` says.

    Returns the job, or how following another one ended (attach).
    """
    while True:
        known = yield from retrying(appliance, appliance.api.jobs)
        answer = yield from attempt(partial(appliance.api.create_job, request), held=True)
        if not isinstance(answer, BackupctlError):
            job = jobs.from_status(answer, jobs.of_request(request))
            appliance.emit(Started(time=appliance.clock.now(), server=appliance.name, job=job))
            return job
        if not isinstance(answer, BusyError):
            if answer.certain:
                raise answer
            return (yield from _search(appliance, request, known, answer, deadline))
        busy_with = yield from jobs.running(appliance)
        if plan.if_running == "fail":
            raise _busy(appliance, answer, busy_with)
        if plan.if_running == "attach" and busy_with is not None:
            return (yield from _attach(appliance, plan, request, busy_with, deadline))
        if appliance.clock.monotonic() >= deadline:
            raise _busy(appliance, answer, busy_with)
        yield from _wait_for(appliance, plan, busy_with, deadline)


def _busy(appliance: Appliance, error: BusyError, job: Job | None) -> BusyError:
    if job is None:
        return BusyError(
            f"{appliance.host}: another backup or restore is running",
            hint="--if-running wait starts this one when that has ended",
            details=error.details,
        )
    return BusyError(
        f"{appliance.host}: backup job {job.id} is running ({job.progress} %)",
        hint="--if-running wait starts this one when that has ended, --if-running attach follows that one",
        details=error.details,
    )


def _wait_for(appliance: Appliance, plan: BackupPlan, job: Job | None, deadline: float) -> Task[None]:
    appliance.emit(Waiting(time=appliance.clock.now(), server=appliance.name, job=job))
    if job is None:
        yield Wait(min(deadline, appliance.clock.monotonic() + _BUSY_SECONDS))
        return
    ended = yield from follow(appliance, job, plan.patience, deadline=deadline, on_interrupt=_stop_waiting)
    if isinstance(ended.error, TimedOutError):
        raise BusyError(f"{appliance.host}: backup job {job.id} did not end in time: {ended.error.message}")
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
    if ended.error is None and not _same_location(ended.job.location, request.location):
        other = ended.job.location or "an unknown location"
        return Followed(
            ended.job,
            BusyError(f"{appliance.host}: backup job {job.id} succeeded, but it went to {other}, not to ours"),
        )
    return ended


def _search(
    appliance: Appliance, request: BackupRequest, known: Sequence[str], lost: BackupctlError, deadline: float
) -> Task[Job]:
    """Look for the job of a request whose answer was lost, and adopt it if it is ours.

    Held against an interruption, because only now it is decided whether a job of ours runs. Raises NotStartedError
    where none appeared, OutcomeUnknownError where the appliance could not be asked, or not about a job that is new.
    """
    clock = appliance.clock
    give_up = min(clock.monotonic() + SEARCH_SECONDS, max(deadline, clock.monotonic()))
    gaps = iter(_SEARCH_GAPS)
    while True:
        ids = yield from attempt(appliance.api.jobs, held=True)
        doubt = ids if isinstance(ids, BackupctlError) else None
        for job_id in () if isinstance(ids, BackupctlError) else sorted(set(ids) - set(known)):
            found = yield from _adopt(appliance, request, job_id)
            if isinstance(found, Job):
                return found
            doubt = doubt or found
        if clock.monotonic() >= give_up or isinstance(doubt, AuthenticationError):
            break
        yield Wait(min(give_up, clock.monotonic() + next(gaps, _SEARCH_GAPS[-1])), held=True)
    if doubt is not None:
        raise OutcomeUnknownError(
            f"{appliance.host}: it is unknown whether the backup was started: {lost.message}; then: {doubt.message}",
            hint=appliance.hint_to_follow(jobs.LATEST),
            details=lost.details,
        )
    kind = NotStartedNoAnswerError if isinstance(lost, ApplianceUnreachableError) else NotStartedError
    raise kind(
        f"{appliance.host}: no backup was started: {lost.message}; no new job of ours appeared",
        hint="it is safe to try again",
        details=lost.details,
    )


def _adopt(appliance: Appliance, request: BackupRequest, job_id: str) -> Task[Job | BackupctlError | None]:
    """Return a new job if it is ours by its details, or if the release (6.5) has none to tell.

    Returns None for a job of somebody else, and the error that stands in the way of telling.
    """
    answer = yield from attempt(partial(appliance.api.job_details, [job_id]), held=True)
    if isinstance(answer, NotSupportedError) and answer.certain:
        details, reason = None, "it is new, and this release has no details to compare"
    elif isinstance(answer, BackupctlError):
        return answer
    elif job_id not in answer:
        return OutcomeUnknownError(f"backup job {job_id} is new, but has no details to tell whose it is")
    else:
        details, reason = answer[job_id], "it is new, manual, and has our location and user"
        if not _is_ours(details, request, appliance.user):
            return None
    status = yield from attempt(partial(appliance.api.job, job_id), held=True)
    if isinstance(status, BackupctlError):
        return status
    job = jobs.from_status(status, jobs.of_request(request, job_id))
    if details is not None:
        job = jobs.from_details(details, job)
    appliance.emit(Adopted(time=appliance.clock.now(), server=appliance.name, job=job, reason=reason))
    return job


def _is_ours(details: JobDetails, request: BackupRequest, user: str) -> bool:
    return (
        details.type in {None, "MANUAL"}
        and _same_location(details.location, request.location)
        and (details.location_user or None) == (request.location_user or None)
        and (details.user is None or _account(details.user) == _account(user))
    )


def _same_location(one: str | None, other: str) -> bool:
    """Whether two spellings name one location.

    The appliance percent-quotes it and may add or drop its scheme; the case of a host name means nothing.
    """
    return one is not None and _bare(one) == _bare(other)


def _bare(location: str) -> str:
    host, slash, path = unquote(location).rpartition("://")[2].partition("/")
    return f"{host.lower()}{slash}{path}".rstrip("/")


def _account(user: str) -> str:
    r"""Return the account in ``name@domain`` or ``DOMAIN\name``, the two spellings that the appliance uses."""
    return user.rpartition("\\")[2].partition("@")[0].lower()


def _cancel(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Task[Followed]:
    """Cancel the job of an interrupted run, as ``--cancel-on-interrupt`` asks for."""
    try:
        cancelled = yield from cancel_and_see(appliance, job)
    except BackupctlError as error:
        left = detached(appliance, job, interruption)
        assert left.error is not None  # noqa: S101 - that is what detaching returns
        left.error.details = (f"it could not be cancelled: {error.message}",)
        return left
    outcome = "was cancelled" if cancelled.error is None else cancelled.error.message
    return Followed(cancelled.job, InterruptedRunError(f"{interruption.message}: backup job {job.id} {outcome}"))
