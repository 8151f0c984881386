"""Schedules: read them, and change them only where they differ from what is desired."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import structs

from backupctl.error_facts import ErrorFacts
from backupctl.errors import (
    ApplianceAnswerError,
    BackupctlError,
    ContradictionError,
    InterruptedRunError,
    NotFoundError,
    OutcomeUnknownError,
    ServerFaultError,
    UsageError,
)
from backupctl.location import Location
from backupctl.models import BackupRequest, Schedule, ScheduleSpec
from backupctl.operations.schedule_fields import (
    SECRET_FIELDS,
    DesiredSchedule,
    changes_of,
    differing_fields,
    mismatch_details,
    mismatched_fields,
)
from backupctl.operations.unreadable_entries import readable
from backupctl.results.events import Warned
from backupctl.results.result import Change
from backupctl.results.schedule_results import ScheduleInfo, ScheduleResult
from backupctl.rules.days import sorted_days
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import MIN_RESPONSE_SECONDS, Task, Wait, attempt, retry

if TYPE_CHECKING:
    from backupctl.api.recovery import RecoveryApi

SCHEDULE_JOB_TYPES: Final = frozenset({"MANUAL", "SCHEDULE_JOB_TYPES"})
"""The types that a job may have that was started by running a schedule: the documentation does not say which."""


def read_schedules(appliance: Appliance) -> Task[tuple[tuple[ScheduleInfo, ...], int]]:
    """Return all schedules, sorted by name, and how many more cannot be read."""
    found = yield from retry(appliance, appliance.api.schedules)
    readable(appliance, list(found.values()), "schedules")
    infos = [_info(name, each) for name, each in sorted(found.items()) if isinstance(each, Schedule)]
    return tuple(infos), len(found) - len(infos)


def read_schedule(appliance: Appliance, name: str) -> Task[ScheduleInfo]:
    """Return one schedule.

    Raises NotFoundError where there is none of this name.
    """
    return _info(name, (yield from _read(appliance, name)))


def set_schedule(
    appliance: Appliance, name: str, desired: DesiredSchedule, *, dry_run: bool = False
) -> Task[ScheduleResult]:
    """Create or update a schedule in one request, or none where it is already as desired.

    Secrets cannot be compared, as the appliance never tells them, so they are sent whenever they are given. All
    else is read back.

    Raises UsageError: for a new schedule where what is desired is not enough to create one.
    """
    try:
        before: Schedule | None = yield from _read(appliance, name)
    except NotFoundError:
        before = None
    if before is None:
        _check_complete(name, desired)
    return (yield from _change(appliance, name, before, desired, dry_run=dry_run))


def set_schedule_enabled(
    appliance: Appliance, name: str, *, enable: bool, dry_run: bool = False
) -> Task[ScheduleResult]:
    """Let a schedule run, or keep it from running.

    Raises NotFoundError where there is none of this name.
    """
    before = yield from _read(appliance, name)
    return (yield from _change(appliance, name, before, DesiredSchedule(enable=enable), dry_run=dry_run))


def _change(
    appliance: Appliance, name: str, before: Schedule | None, desired: DesiredSchedule, *, dry_run: bool
) -> Task[ScheduleResult]:
    """Write what differs, and verify that the schedule matches the request."""
    asked = desired.spec(before)
    differing = differing_fields(before, asked)
    if not differing:
        return ScheduleResult(schedule=_info(name, before) if before else None)
    changes = changes_of(before, asked, differing)
    spec = structs.replace(ScheduleSpec(), **{field: getattr(asked, field) for field in differing})

    def write(api: RecoveryApi) -> None:
        (api.update_schedule if before else api.create_schedule)(name, spec)

    if dry_run:
        current = _info(name, before) if before else None
        return ScheduleResult(schedule=current, changes=changes, requests=appliance.api.prepare(write))
    answer = yield from _write(name, partial(write, appliance.api), _DOUBTED if before else _DOUBTED_OF_CREATE)
    now = yield from _read_back(
        appliance, name, answer, lambda now: now is not None and not mismatched_fields(now, asked)
    )
    if now is None:
        raise _mismatch(appliance, name, answer, now, f"there is no schedule {name!r}")
    if mismatched_fields(now, asked):
        how_it_is = f"schedule {name!r} {'was not changed' if now == before else 'differs from the request'}"
        differences = mismatch_details(now, asked, appliance.name)
        raise _mismatch(appliance, name, answer, now, how_it_is, details=differences)
    if answer is not None and SECRET_FIELDS.issuperset(differing):
        raise _unproven(appliance, name, answer)
    passwords = "" if SECRET_FIELDS.isdisjoint(differing) else " (its passwords cannot be verified)"
    _tell_doubt(appliance, name, answer, f"schedule {name!r} matches the request{passwords}")
    return ScheduleResult(schedule=_info(name, now), changes=changes)


def delete_schedule(appliance: Appliance, name: str, *, dry_run: bool = False) -> Task[ScheduleResult]:
    """Delete a schedule, and see that it is gone.

    Raises NotFoundError where there is none of this name.
    """
    before = yield from _read(appliance, name)
    gone = (Change(field="schedule", before=name, after=None),)
    if dry_run:
        requests = appliance.api.prepare(lambda api: api.delete_schedule(name))
        return ScheduleResult(schedule=_info(name, before), changes=gone, requests=requests)
    answer = yield from _write(name, partial(appliance.api.delete_schedule, name), _DOUBTED)
    now = yield from _read_back(appliance, name, answer, lambda found: found is None)
    if now is not None:
        raise _mismatch(appliance, name, answer, now, f"schedule {name!r} is still there")
    _tell_doubt(appliance, name, answer, f"schedule {name!r} is deleted")
    return ScheduleResult(changes=gone)


def backup_request_of(appliance: Appliance, name: str, comment: str | None) -> Task[BackupRequest]:
    """Return the backup that running a schedule starts, as far as the appliance tells."""
    schedule = yield from _read(appliance, name)
    location = Location.reported(schedule.location)
    return BackupRequest(
        parts=tuple(schedule.parts or ()) or ("common",),
        location_type=location.type,
        location=location,
        location_user=schedule.location_user,
        comment=comment,
    )


def _read(appliance: Appliance, name: str) -> Task[Schedule]:
    try:
        return (yield from retry(appliance, partial(appliance.api.schedule, name)))
    except NotFoundError as error:
        raise NotFoundError(
            f"$server has no schedule {name!r}",
            server=appliance.host,
            hint="`backupctl schedule list` shows those that it has; `backupctl schedule set` makes one",
            details=error.facts.details,
        ) from error


_DOUBTED: Final = (ServerFaultError, NotFoundError)
"""Refusals that do not decide: a 5xx may follow a change that was made, a 404 a deletion that was."""

_DOUBTED_OF_CREATE: Final = (ApplianceAnswerError, NotFoundError)
"""Any refusal of a create may follow one that worked: the request is repeated after a new login."""


def _write(
    name: str, write: Callable[[], None], doubted: tuple[type[BackupctlError], ...]
) -> Task[BackupctlError | None]:
    """Write, shielded from an interruption, and return the error after which it may have been done all the same.

    Raises any other refusal; those in ``doubted`` are returned.
    """
    try:
        answer = yield from attempt(write, shielded=True)
    except InterruptedRunError as interruption:
        sentence = f"$cause: unknown whether schedule {name!r} was changed"
        raise interruption.with_facts(message=sentence, cause=interruption) from interruption
    if answer is not None and answer.certain and not isinstance(answer, doubted):
        raise answer
    return answer


def _read_back(
    appliance: Appliance, name: str, answer: BackupctlError | None, is_done: Callable[[Schedule | None], bool]
) -> Task[Schedule | None]:
    """Return the schedule after a write, None where there is none: once it ``is_done``, else after the last look.

    One look is enough where it agrees with a refusal. Raises OutcomeUnknownError where it cannot be read.
    """
    clock = appliance.clock
    found: Schedule | BackupctlError | None = answer
    try:
        for pause in _READ_BACK_PAUSES:
            if pause:
                yield Wait(clock.monotonic() + pause)
            until = clock.monotonic() + MIN_RESPONSE_SECONDS
            found = yield from attempt(partial(appliance.api.schedule, name), until=until)
            if isinstance(found, NotFoundError):
                found = None
            if not isinstance(found, BackupctlError) and (is_done(found) or _confirms(found, answer)):
                return found
    except InterruptedRunError as interruption:
        how = "accepted" if answer is None else "sent ($then)"
        sentence = f"$cause: the change of schedule {name!r} was {how}, but not verified"
        raise interruption.with_facts(message=sentence, cause=interruption, then=answer) from interruption
    if isinstance(found, BackupctlError):
        raise _unknown(appliance, name, answer, found) from found
    return found


def _confirms(found: Schedule | None, answer: BackupctlError | None) -> bool:
    """Return whether what was read agrees with a refusal; a 404 says that there is no schedule."""
    if answer is None or not answer.certain:
        return False
    return found is None or not isinstance(answer, NotFoundError)


_READ_BACK_PAUSES: Final = (0.0, 3.0, 7.0)
"""Seconds before each look at what was written: some answer before they have done it."""


def _mismatch(
    appliance: Appliance,
    name: str,
    answer: BackupctlError | None,
    now: Schedule | None,
    how_it_is: str,
    *,
    details: Iterable[ErrorFacts] = (),
) -> BackupctlError:
    """Return the error for a write after which the schedule does not match the request."""
    if answer is None:
        claim = "accepted the change"
    elif isinstance(answer, NotFoundError) and now is not None:
        claim = f"answered that schedule {name!r} does not exist (404)"
    else:
        return answer.with_facts(
            message=f"$cause; {how_it_is}", server=None, cause=answer, details=(*answer.facts.details, *details)
        )
    return ContradictionError(
        f"$server {claim}, but {how_it_is}",
        server=appliance.name,
        hint="somebody else may have changed it at the same time, or a cache or a slow appliance may show an old "
        f"state; {_look_again(name)}",
        details=details,
    )


def _look_again(name: str) -> str:
    return f"`backupctl schedule show {shlex.quote(name)}` shows it; you can safely run the command again"


def _unproven(appliance: Appliance, name: str, answer: BackupctlError) -> BackupctlError:
    """Return the error for passwords without an answer that accepts them: what was refused was refused."""
    if answer.certain:
        return answer
    return _unknown(appliance, name, answer, "only passwords were given, and those cannot be verified")


def _unknown(
    appliance: Appliance, name: str, answer: BackupctlError | None, why: BackupctlError | str
) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"unknown whether schedule {name!r} was changed: $cause; then: $then",
        server=appliance.name,
        cause=answer or "the change was accepted",
        then=why,
        hint=_look_again(name),
        details=() if answer is None else answer.facts.details,
    )


def _tell_doubt(appliance: Appliance, name: str, answer: BackupctlError | None, fact: str) -> None:
    """Warn where a write was not answered with success, and yet it is done."""
    if answer is None:
        return
    if not answer.certain:
        said = f"no usable answer to the change of schedule {name!r}"
    elif isinstance(answer, NotFoundError):
        said = f"schedule {name!r} was already deleted"
    else:
        said = f"the change of schedule {name!r} was refused"
    message = f"{said} ({answer.message}); verified: {fact}"
    appliance.emit(Warned(time=appliance.clock.now(), server=appliance.name, message=message))


def _check_complete(name: str, desired: DesiredSchedule) -> None:
    missing = [flag for flag, value in (("--location", desired.location), ("--at", desired.at)) if value is None]
    if missing:
        raise UsageError(
            f"there is no schedule {name!r} yet, and {' and '.join(missing)} is missing to create it",
            hint=f"give {' and '.join(missing)}",
        )


def _info(name: str, schedule: Schedule) -> ScheduleInfo:
    recurrence, retention = schedule.recurrence_info, schedule.retention_info
    return ScheduleInfo(
        name=name,
        location=Location.reported(schedule.location).masked or None,
        location_user=schedule.location_user,
        parts=tuple(schedule.parts or ()),
        enable=schedule.enable,
        hour=recurrence.hour if recurrence else None,
        minute=recurrence.minute if recurrence else None,
        days=sorted_days(recurrence.days) if recurrence else (),
        max_count=retention.max_count if retention else None,
        fast_backup=schedule.fast_backup,
    )
