"""Schedules: read them, and change them only where they differ from what is wanted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from msgspec import structs

from backupctl.errors import (
    BackupctlError,
    InterruptedRunError,
    NotFoundError,
    OutcomeUnknownError,
    UsageError,
)
from backupctl.models import BackupRequest, RecurrenceInfo, RetentionInfo, Schedule, ScheduleSpec
from backupctl.operations.appliance import Appliance
from backupctl.operations.entries import readable
from backupctl.operations.lost import same_location
from backupctl.operations.task import Task, attempt, retrying
from backupctl.results.events import Warned
from backupctl.results.result import Change, PreparedRequest
from backupctl.results.schedule import ScheduleInfo
from backupctl.rules.location import mask_location
from backupctl.secret import MASK, Secret

SCHEDULED: Final = frozenset({"MANUAL", "SCHEDULED"})
"""The types that a job may have that was started by running a schedule: the documentation does not say which."""


@dataclass(frozen=True)
class Wanted:
    """How a schedule shall be; None means as it is.

    ``at`` is hour and minute, ``days`` empty for every day; both make the recurrence. ``retain`` 0 means for ever.
    """

    location: str | None = None
    location_user: str | None = None
    location_password: Secret | None = None
    backup_password: Secret | None = None
    parts: tuple[str, ...] | None = None
    enable: bool | None = None
    at: tuple[int, int] | None = None
    days: tuple[str, ...] | None = None
    retain: int | None = None
    fast_backup: bool | None = None


@dataclass(frozen=True)
class Written:
    """How a schedule is now, what was changed, and, where nothing was to be sent, what would have been."""

    schedule: ScheduleInfo | None
    changes: tuple[Change, ...] = ()
    requests: tuple[PreparedRequest, ...] = ()


def read_schedules(appliance: Appliance) -> Task[tuple[tuple[ScheduleInfo, ...], int]]:
    """Return all schedules, sorted by name, and how many more cannot be read."""
    found = yield from retrying(appliance, appliance.api.schedules)
    readable(appliance, list(found.values()), "schedules")
    infos = [_info(name, each) for name, each in sorted(found.items()) if isinstance(each, Schedule)]
    return tuple(infos), len(found) - len(infos)


def read_schedule(appliance: Appliance, name: str) -> Task[ScheduleInfo]:
    """Return one schedule.

    Raises NotFoundError where there is none of this name.
    """
    return _info(name, (yield from _read(appliance, name)))


def set_schedule(appliance: Appliance, name: str, wanted: Wanted, *, dry_run: bool = False) -> Task[Written]:
    """Create or update a schedule in one request, or none where it is already as wanted.

    Secrets cannot be compared, as the appliance never tells them, so they are sent whenever they are given. Raises
    UsageError where there is no such schedule yet and what is wanted is not enough to create one.
    """
    try:
        before: Schedule | None = yield from _read(appliance, name)
    except NotFoundError:
        before = None
    spec, changes = _difference(before, wanted)
    if not changes:
        return Written(_info(name, before) if before else None)
    api = appliance.api
    if before is None:
        _check_complete(name, wanted)
        write: Callable[..., None] = api.create_schedule
        prepare: Callable[..., tuple[PreparedRequest, ...]] = api.prepare_create_schedule
    else:
        write, prepare = api.update_schedule, api.prepare_update_schedule
    if dry_run:
        return Written(_info(name, before) if before else None, changes, prepare(name, spec))
    answer = yield from _write(name, partial(write, name, spec))
    if answer is None:
        try:
            return Written((yield from _read_back(appliance, name, before or Schedule(parts=None), spec)), changes)
        except InterruptedRunError as interruption:
            interruption.message += f": schedule {name!r} was written, and not read again"
            raise
    if answer.certain:
        raise answer
    now = yield from _look_after(appliance, name, answer)
    if now is None or _open_changes(now, wanted):
        answer.message += f"; there is no schedule {name!r}" if now is None else f"; schedule {name!r} was not changed"
        raise answer
    if now == before:
        raise _unknown(appliance, name, answer, "only passwords were given, and those cannot be read")
    return Written(_info(name, now), changes)


def delete_schedule(appliance: Appliance, name: str, *, dry_run: bool = False) -> Task[Written]:
    """Delete a schedule.

    Raises NotFoundError where there is none of this name.
    """
    before = _info(name, (yield from _read(appliance, name)))
    gone = (Change(field="schedule", before=name, after=None),)
    if dry_run:
        return Written(before, gone, appliance.api.prepare_delete_schedule(name))
    answer = yield from _write(name, partial(appliance.api.delete_schedule, name))
    if answer is not None:
        if answer.certain:
            raise answer
        if (yield from _look_after(appliance, name, answer)) is not None:
            answer.message += f"; schedule {name!r} is still there"
            raise answer
    return Written(None, gone)


def backup_of(appliance: Appliance, name: str, comment: str | None) -> Task[BackupRequest]:
    """Return the backup that running a schedule starts, as far as the appliance tells."""
    schedule = yield from _read(appliance, name)
    return BackupRequest(
        parts=tuple(schedule.parts or ()) or ("common",),
        location_type=schedule.location.partition("://")[0].upper(),
        location=schedule.location,
        location_user=schedule.location_user,
        comment=comment,
    )


def _read(appliance: Appliance, name: str) -> Task[Schedule]:
    try:
        return (yield from retrying(appliance, partial(appliance.api.schedule, name)))
    except NotFoundError as error:
        raise NotFoundError(
            f"{appliance.host} has no schedule {name!r}",
            hint="`backupctl schedule list` shows those that it has; `backupctl schedule set` makes one",
            details=error.details,
        ) from error


def _write(name: str, write: Callable[[], None]) -> Task[BackupctlError | None]:
    """Write, held against an interruption; return what went wrong."""
    try:
        return (yield from attempt(write, held=True))
    except InterruptedRunError as interruption:
        interruption.message += f": it is unknown what became of schedule {name!r}"
        raise


def _read_back(appliance: Appliance, name: str, before: Schedule, spec: ScheduleSpec) -> Task[ScheduleInfo]:
    """Return the schedule after a write that succeeded; where it cannot be read, as the write must have made it."""
    try:
        return _info(name, (yield from _read(appliance, name)))
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        message = f"schedule {name!r} was written, but cannot be read: {error.message}"
        appliance.emit(Warned(time=appliance.clock.now(), server=appliance.name, message=message))
    written = {field: getattr(spec, field) for field in before.__struct_fields__}
    return _info(name, structs.replace(before, **{field: new for field, new in written.items() if new is not None}))


def _look_after(appliance: Appliance, name: str, lost: BackupctlError) -> Task[Schedule | None]:
    """Return the schedule after a write whose answer was lost, None where there is none.

    Raises OutcomeUnknownError where the appliance cannot be asked.
    """
    try:
        return (yield from _read(appliance, name))
    except NotFoundError:
        return None
    except InterruptedRunError as interruption:
        interruption.message += f": it is unknown what became of schedule {name!r} ({lost.message})"
        raise
    except BackupctlError as error:
        raise _unknown(appliance, name, lost, error.message) from error


def _unknown(appliance: Appliance, name: str, lost: BackupctlError, why: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{appliance.host}: it is unknown whether schedule {name!r} was changed: {lost.message}; then: {why}",
        hint="`backupctl schedule show` tells how it is; it is safe to do the same again",
        details=lost.details,
    )


def _open_changes(schedule: Schedule, wanted: Wanted) -> bool:
    """Whether something that can be read is still to be changed."""
    return any(change.after != MASK for change in _difference(schedule, wanted)[1])


def _check_complete(name: str, wanted: Wanted) -> None:
    missing = [flag for flag, value in (("--location", wanted.location), ("--at", wanted.at)) if value is None]
    if missing:
        raise UsageError(
            f"there is no schedule {name!r} yet, and {' and '.join(missing)} is missing to create it",
            hint=f"give {' and '.join(missing)}",
        )


def _difference(before: Schedule | None, wanted: Wanted) -> tuple[ScheduleSpec, tuple[Change, ...]]:
    """Return what to send and what it changes: only fields that are wanted and that differ."""
    old = before or Schedule(parts=None)
    recurrence = _recurrence(old.recurrence_info, wanted)
    retention = None if not wanted.retain else RetentionInfo(max_count=wanted.retain)
    pairs: dict[str, tuple[Any, Any, bool]] = {
        "location": (
            mask_location(old.location) or None,
            wanted.location,
            wanted.location is not None and _same_location(old.location, wanted.location),
        ),
        "location_user": (old.location_user, wanted.location_user, old.location_user == wanted.location_user),
        "parts": (old.parts, wanted.parts, before is not None and _all_parts(old.parts) == _all_parts(wanted.parts)),
        "enable": (old.enable, wanted.enable, old.enable == wanted.enable),
        "recurrence_info": (old.recurrence_info, recurrence, _same_recurrence(old.recurrence_info, recurrence)),
        "retention_info": (old.retention_info, retention, old.retention_info == retention),
        "fast_backup": (old.fast_backup, wanted.fast_backup, bool(old.fast_backup) == wanted.fast_backup),
        "location_password": (None, wanted.location_password, False),
        "backup_password": (None, wanted.backup_password, False),
    }
    differing = {name: (one, other) for name, (one, other, same) in pairs.items() if other is not None and not same}
    spec = structs.replace(ScheduleSpec(), **{name: other for name, (_, other) in differing.items()})
    changes = tuple(
        Change(field=name, before=_shown(one), after=_shown(other)) for name, (one, other) in differing.items()
    )
    return spec, changes


def _same_location(one: str, other: str) -> bool:
    """Whether two spellings name one location by one protocol: the scheme of a schedule's location is its type."""
    return one.partition("://")[0].lower() == other.partition("://")[0].lower() and same_location(one, other)


def _all_parts(parts: Iterable[str] | None) -> set[str]:
    """Return what is backed up: the common part always is, whether it is named or not."""
    return {"common", *(parts or ())}


def _recurrence(old: RecurrenceInfo | None, wanted: Wanted) -> RecurrenceInfo | None:
    """Return the recurrence that is wanted, what is not given taken from the old one."""
    if wanted.at is None and wanted.days is None:
        return None
    hour, minute = wanted.at or ((old.hour, old.minute) if old else (None, None))
    if hour is None or minute is None:
        raise UsageError("--day needs --at, as the schedule has no time yet", hint="give --at HH:MM")
    days = list(wanted.days) if wanted.days is not None else (old.days if old else None)
    return RecurrenceInfo(hour=hour, minute=minute, days=days or [])


def _same_recurrence(one: RecurrenceInfo | None, other: RecurrenceInfo | None) -> bool:
    if one is None or other is None:
        return one is other
    same_time = (one.hour, one.minute) == (other.hour, other.minute)
    return same_time and set(one.days or ()) == set(other.days or ())


def _shown(value: Any) -> Any:  # noqa: ANN401 - any field of a schedule
    match value:
        case Secret():
            return MASK
        case RecurrenceInfo():
            return f"{value.hour:02}:{value.minute:02} {', '.join(value.days or ()) or 'every day'}"
        case RetentionInfo():
            return value.max_count
        case list() | tuple():
            return list(value)
        case _:
            return value


def _info(name: str, schedule: Schedule) -> ScheduleInfo:
    recurrence, retention = schedule.recurrence_info, schedule.retention_info
    return ScheduleInfo(
        name=name,
        location=mask_location(schedule.location) or None,
        location_user=schedule.location_user,
        parts=tuple(schedule.parts or ()),
        enable=schedule.enable,
        hour=recurrence.hour if recurrence else None,
        minute=recurrence.minute if recurrence else None,
        days=tuple(recurrence.days or ()) if recurrence else (),
        max_count=retention.max_count if retention else None,
        fast_backup=schedule.fast_backup,
    )
