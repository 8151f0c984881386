"""What is asked of a schedule, compared field by field with what the appliance has."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from backupctl.error_facts import ErrorFacts
from backupctl.errors import UsageError
from backupctl.location import Location
from backupctl.models import RecurrenceInfo, RetentionInfo, Schedule, ScheduleSpec
from backupctl.results.result import Change
from backupctl.rules.days import sorted_days
from backupctl.secrets.secret import MASK, Secret

SECRET_FIELDS: Final = frozenset({"location_password", "backup_password"})
"""The fields that can only be written."""


class DesiredSchedule(msgspec.Struct, frozen=True):
    """How a schedule shall be; None means as it is.

    ``at`` is hour and minute, ``days`` empty for every day; both make the recurrence. ``retain`` is 1 at least: a
    schedule that was created without it keeps all backups, and the limit cannot be removed later.
    """

    location: Location | None = None
    location_user: str | None = None
    location_password: Secret | None = None
    backup_password: Secret | None = None
    parts: tuple[str, ...] | None = None
    enable: bool | None = None
    at: tuple[int, int] | None = None
    days: tuple[str, ...] | None = None
    retain: int | None = None
    fast_backup: bool | None = None

    def spec(self, before: Schedule | None) -> ScheduleSpec:
        """Return all that the schedule shall be, whether or not it is so already.

        Raises UsageError for days without a time, where there is none yet.
        """
        return ScheduleSpec(
            location=self.location,
            location_user=self.location_user,
            location_password=self.location_password,
            backup_password=self.backup_password,
            parts=self.parts,
            enable=self.enable,
            recurrence_info=_recurrence(before.recurrence_info if before else None, self),
            retention_info=None if self.retain is None else RetentionInfo(max_count=self.retain),
            fast_backup=self.fast_backup,
        )


def differing_fields(found: Schedule | None, asked: ScheduleSpec) -> tuple[str, ...]:
    """Return the fields that are asked for and differ; a secret always does, as the appliance never tells it."""
    given = (field for field in _FIELDS if getattr(asked, field) is not None)
    return tuple(field for field in given if found is None or not _is_same(field, found, asked))


def _is_same(field: str, found: Schedule, asked: ScheduleSpec) -> bool:
    if field in SECRET_FIELDS:
        return False
    compare: Callable[[Any, Any], bool] = _COMPARISONS.get(field) or operator.eq
    return compare(getattr(found, field), getattr(asked, field))


def mismatched_fields(found: Schedule, asked: ScheduleSpec) -> tuple[str, ...]:
    """Return the fields that can be read and differ from the request."""
    return tuple(field for field in differing_fields(found, asked) if field not in SECRET_FIELDS)


def changes_of(before: Schedule | None, asked: ScheduleSpec, fields: Iterable[str]) -> tuple[Change, ...]:
    """Return what is changed in these fields, without secrets."""
    return tuple(
        Change(
            field=field,
            before=_shown(field, getattr(before, field, None)),
            after=_shown(field, getattr(asked, field)),
        )
        for field in fields
    )


def mismatch_details(found: Schedule, asked: ScheduleSpec, owner: str) -> Iterator[ErrorFacts]:
    """Yield what was asked for, and what its ``owner`` has instead."""
    for change in changes_of(found, asked, mismatched_fields(found, asked)):
        yield ErrorFacts(
            f"{change.field}: asked for {_words(change.after)}, $server has $cause",
            server=owner,
            cause=_words(change.before),
        )


def _words(value: Any) -> str:  # noqa: ANN401 - any field of a schedule
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if value else "(none)"


def _same_location(reported: str, asked: Location) -> bool:
    """Whether two spellings name one location by one protocol: the scheme of a schedule's location is its type."""
    found = Location.reported(reported)
    return found.scheme == asked.scheme and found.is_same_as(asked)


def _same_parts(one: Iterable[str] | None, other: Iterable[str] | None) -> bool:
    """Whether the same is backed up: the common part always is, whether it is named or not."""
    return {"common", *(one or ())} == {"common", *(other or ())}


def _same_recurrence(one: RecurrenceInfo | None, other: RecurrenceInfo) -> bool:
    if one is None:
        return False
    same_time = (one.hour, one.minute) == (other.hour, other.minute)
    return same_time and sorted_days(one.days) == sorted_days(other.days)


def _same_speed(one: bool | None, other: bool) -> bool:
    return bool(one) == other


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "location": _same_location,
    "parts": _same_parts,
    "recurrence_info": _same_recurrence,
    "fast_backup": _same_speed,
}
"""How to compare fields that can be written in more than one way: the appliance's value, then the requested one."""

_FIELDS: Final = (*Schedule.__struct_fields__, "location_password", "backup_password")


def _recurrence(old: RecurrenceInfo | None, desired: DesiredSchedule) -> RecurrenceInfo | None:
    """Return the recurrence that is desired, what is not given taken from the old one."""
    if desired.at is None and desired.days is None:
        return None
    hour, minute = desired.at or ((old.hour, old.minute) if old else (None, None))
    if hour is None or minute is None:
        raise UsageError("--day needs --at, as the schedule has no time yet", hint="give --at HH:MM")
    days = list(desired.days) if desired.days is not None else (old.days if old else None)
    return RecurrenceInfo(hour=hour, minute=minute, days=days or [])


def _shown(field: str, value: Any) -> Any:  # noqa: ANN401 - any field of a schedule
    match value:
        case Secret():
            return MASK
        case str() if field == "location":
            return Location.reported(value).masked or None
        case Location():
            return value.masked
        case RecurrenceInfo():
            return f"{value.hour:02}:{value.minute:02} {', '.join(sorted_days(value.days)) or 'every day'}"
        case RetentionInfo():
            return value.max_count
        case list() | tuple():
            return list(value)
        case _:
            return value
