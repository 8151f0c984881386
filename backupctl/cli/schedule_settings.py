"""The settings of a schedule: location, parts and secrets of an appliance, and the time, days and retention."""

import re
from typing import Final

from msgspec.structs import replace

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.backup_settings import check_encrypted, set_backup_password
from backupctl.cli.location_settings import check_password_host, location_of
from backupctl.config.option_table import FAST_BACKUP, LOCATION, LOCATION_PASSWORD, LOCATION_USER, PART
from backupctl.config.value import attribute_errors
from backupctl.errors import BackupctlError, UsageError
from backupctl.location import Location
from backupctl.operations.schedule_fields import DesiredSchedule
from backupctl.rules.days import WEEK, sorted_days
from backupctl.rules.request_fields import check_parts


def schedule_timing(
    at: str | None, days: tuple[str, ...], retain: int | None, *, enable: bool | None
) -> DesiredSchedule:
    """Return the time, days and retention of a schedule; ``at`` is HH:MM.

    Raises UsageError: for an invalid value.
    """
    return DesiredSchedule(
        enable=enable, at=_time(at) if at is not None else None, days=_days(days), retain=_retain(retain)
    )


def given_schedule(settings: ApplianceSettings, timing: DesiredSchedule) -> DesiredSchedule:
    """Return what options and variables say of the schedule of one appliance.

    The configuration file describes the backups that we start: to change the day of a schedule must not change its
    location.
    """
    return _with_settings(timing, settings.without_configuration_file())


def new_schedule(settings: ApplianceSettings, timing: DesiredSchedule) -> DesiredSchedule | BackupctlError:
    """Return the schedule to create, where the configuration file has the defaults, or the error in its settings."""
    try:
        new = _with_settings(timing, settings)
        check_encrypted(settings, new.backup_password)
    except BackupctlError as error:
        return error
    return new


def _with_settings(timing: DesiredSchedule, settings: ApplianceSettings) -> DesiredSchedule:
    location_password, parts = settings.secret(LOCATION_PASSWORD), settings.value(PART)
    return replace(
        timing,
        location=_location(settings),
        location_user=settings.value(LOCATION_USER),
        location_password=location_password.value if location_password else None,
        backup_password=set_backup_password(settings),
        parts=check_parts(parts) or None,
        fast_backup=settings.value(FAST_BACKUP),
    )


def _location(settings: ApplianceSettings) -> Location | None:
    """Return the location, None without one. Raises UsageError: if it is not a URL, or contains a date or time."""
    if settings.value(LOCATION) is None:
        return None
    resolved = location_of(settings)
    with attribute_errors(resolved.source):
        if not resolved.location.scheme:
            raise UsageError("the location of a schedule must be a URL", hint="use a URL such as sftp://host/folder")
        if resolved.template.changes_with_time:
            raise UsageError(
                "the location of a schedule cannot contain {date} or {time}",
                hint="remove {date} and {time}; since 6.7, each backup gets a folder of its own",
            )
    check_password_host(settings, resolved)
    return resolved.location


def _time(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if match is None:
        raise UsageError(f"--at: invalid time {text!r}", hint="use HH:MM, from 00:00 to 23:59")
    return int(match[1]), int(match[2])


def _retain(count: int | None) -> int | None:
    if count is not None and count < 1:
        raise UsageError(
            "--retain must be at least 1",
            hint="to keep all backups, delete the schedule and create it without --retain",
        )
    return count


def _days(texts: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return days in the order of the week, empty for every day; a day may be abbreviated (sun)."""
    if not texts:
        return None
    days = {_day(text) for text in texts}
    if _EVERY in days and len(days) > 1:
        raise UsageError(f"--day: {_EVERY} cannot be combined with other days", hint="omit one of them")
    return () if _EVERY in days else sorted_days(days)


def _day(text: str) -> str:
    if text.lower() == _EVERY:
        return _EVERY
    matches = [day for day in WEEK if len(text) >= 2 and day.startswith(text.upper())]
    if len(matches) != 1:
        raise UsageError(f"--day: invalid day {text!r}", hint=f"choose from {', '.join(WEEK)}, {_EVERY}")
    return matches[0]


_EVERY: Final = "every"
