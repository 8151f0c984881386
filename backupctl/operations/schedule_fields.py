"""The desired state of a schedule, compared field by field with the current schedule on the appliance."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from backupctl.error_facts import ErrorFacts
from backupctl.errors import UsageError
from backupctl.location import Location
from backupctl.models import RecurrenceInfo, RetentionInfo, Schedule, ScheduleSpec
from backupctl.results.result import Change
from backupctl.results.schedule_results import field_label, recurrence_text
from backupctl.rules.days import sorted_days
from backupctl.secrets.secret import MASK, Secret

SECRET_FIELDS: Final = frozenset({"location_password", "backup_password"})
"""The write-only fields: the appliance never returns them."""


class DesiredSchedule(msgspec.Struct, frozen=True):
    """The desired state of a schedule; None means unchanged.

    ``at`` is hour and minute, ``days`` is empty for every day; together they are the recurrence. ``retain`` is at least
    1: a schedule that was created without it keeps all backups, and the limit cannot be removed later.
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
        """Return the full specification, including fields that already have the desired value.

        Raises UsageError: for days without a time, if the schedule has no time yet.
        """
        return ScheduleSpec(
            location=self.location,
            location_user=self.location_user,
            location_password=self.location_password,
            backup_password=self.backup_password,
            parts=self.parts,
            enable=self.enable,
            recurrence_info=_recurrence_info(before.recurrence_info if before else None, self),
            retention_info=None if self.retain is None else RetentionInfo(max_count=self.retain),
            fast_backup=self.fast_backup,
        )


def differing_fields(current: Schedule | None, requested: ScheduleSpec) -> tuple[str, ...]:
    """Return the requested fields that differ from the current ones; secrets always count as different."""
    given = (field for field in _FIELDS if getattr(requested, field) is not None)
    return tuple(field for field in given if current is None or not _matches(field, current, requested))


def _matches(field: str, current: Schedule, requested: ScheduleSpec) -> bool:
    if field in SECRET_FIELDS:
        return False
    compare: Callable[[Any, Any], bool] = _COMPARISONS.get(field) or operator.eq
    return compare(getattr(current, field), getattr(requested, field))


def mismatched_fields(current: Schedule, requested: ScheduleSpec) -> tuple[str, ...]:
    """Return the requested fields that differ from the current ones, without the secrets."""
    return tuple(field for field in differing_fields(current, requested) if field not in SECRET_FIELDS)


def changes_of(before: Schedule | None, requested: ScheduleSpec, fields: Iterable[str]) -> tuple[Change, ...]:
    """Return the changes of these fields, with secrets masked."""
    return tuple(
        Change(
            field=field,
            before=_display_value(field, getattr(before, field, None)),
            after=_display_value(field, getattr(requested, field)),
        )
        for field in fields
    )


def mismatch_details(current: Schedule, requested: ScheduleSpec) -> Iterator[ErrorFacts]:
    """Yield a line for each mismatched field: the requested value, and the current one."""
    for change in changes_of(current, requested, mismatched_fields(current, requested)):
        yield ErrorFacts(
            "$1: expected $2, found $cause",
            texts=(field_label(change.field), _display_text(change.after)),
            cause=_display_text(change.before),
        )


def _display_text(value: Any) -> str:  # noqa: ANN401 - any field of a schedule
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if value else "(none)"


def _same_location(reported: str, requested: Location) -> bool:
    """Return whether both mean the same location with the same scheme, which is the location type of a schedule."""
    current = Location.reported(reported)
    return current.scheme == requested.scheme and current.is_same_as(requested)


def _same_parts(current: Iterable[str] | None, requested: Iterable[str] | None) -> bool:
    """Return whether both include the same parts; ``common`` is always included."""
    return {"common", *(current or ())} == {"common", *(requested or ())}


def _same_recurrence(current: RecurrenceInfo | None, requested: RecurrenceInfo) -> bool:
    if current is None:
        return False
    same_time = (current.hour, current.minute) == (requested.hour, requested.minute)
    return same_time and sorted_days(current.days) == sorted_days(requested.days)


def _same_fast_backup(current: bool | None, requested: bool) -> bool:
    return bool(current) == requested


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "location": _same_location,
    "parts": _same_parts,
    "recurrence_info": _same_recurrence,
    "fast_backup": _same_fast_backup,
}
"""Comparisons of the current and the requested value, for fields with several equivalent values."""

_FIELDS: Final = (*Schedule.__struct_fields__, "location_password", "backup_password")


def _recurrence_info(before: RecurrenceInfo | None, desired: DesiredSchedule) -> RecurrenceInfo | None:
    """Return the desired recurrence, completed with the time or days from ``before``; None if unchanged."""
    if desired.at is None and desired.days is None:
        return None
    hour, minute = desired.at or ((before.hour, before.minute) if before else (None, None))
    if hour is None or minute is None:
        raise UsageError("--day needs --at, as the schedule has no time yet", hint="give --at HH:MM")
    days = list(desired.days) if desired.days is not None else (before.days if before else None)
    return RecurrenceInfo(hour=hour, minute=minute, days=days or [])


def _display_value(field: str, value: Any) -> Any:  # noqa: ANN401 - any field of a schedule
    match value:
        case Secret():
            return MASK
        case str() if field == "location":
            return Location.reported(value).masked or None
        case Location():
            return value.masked
        case RecurrenceInfo():
            return recurrence_text(value.hour, value.minute, sorted_days(value.days))
        case RetentionInfo():
            return value.max_count
        case list() | tuple():
            return list(value)
        case _:
            return value
