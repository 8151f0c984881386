"""Render schedules, and the changes made to them."""

from collections.abc import Iterable
from typing import Final

from backupctl.formatting import plural
from backupctl.output.json_text import json_text
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import GOOD, ODD, Piece, StyledLine, Symbols, line
from backupctl.output.terminal.table import Cell, Column, Rows, fact_lines
from backupctl.results.result import Change
from backupctl.results.schedule_results import ScheduleInfo, field_label
from backupctl.secrets.secret import MASK

BEFORE: Final = "red"
AFTER: Final = "green"
NOTHING: Final = "(none)"
OF_APPLIANCE: Final = "appliance's time"
NO_TIME: Final = "at no set time"

SCHEDULES: Final = (
    Column("SCHEDULE"),
    Column("STATE"),
    Column("APPLIANCE TIME"),
    Column("NEXT RUN", 1),
    Column("KEEPS", 4),
    Column("PARTS", 3),
    Column("LOCATION", 2),
)


def schedule_rows(schedules: Iterable[ScheduleInfo], options: RenderOptions) -> Rows:
    """Return schedules as rows of a table."""
    return Rows(SCHEDULES, [_row(each, options) for each in schedules])


def _row(schedule: ScheduleInfo, options: RenderOptions) -> list[Cell]:
    states: dict[bool | None, Cell] = {True: ("enabled", GOOD), False: ("disabled", ODD)}
    return [
        schedule.name,
        states.get(schedule.enable),
        schedule.recurrence or NO_TIME,
        options.when_cells(schedule.next_run)[0],
        _kept(schedule.max_count),
        ", ".join(schedule.parts) or None,
        schedule.location,
    ]


def is_created(changes: Iterable[Change]) -> bool:
    """Return whether the changes created a schedule: each schedule has a location, which it gets only then."""
    return any(change.field == "location" and change.before is None for change in changes)


def schedule_headline(
    subject: str, schedule: ScheduleInfo, symbols: Symbols, after: str, *, created: bool = False, disables: bool = False
) -> StyledLine:
    """Return in one line whether a schedule is enabled, and whether it was just created; ``disables``: on request."""
    name = f"{subject}schedule {schedule.name}"
    begin = f"{name} is {'created and ' if created else ''}"
    if schedule.enable is None:
        return line((f"{symbols.odd} ", ODD), name, after)
    if schedule.enable:
        return line((f"{symbols.good} ", GOOD), begin, ("enabled", GOOD), after)
    symbol = (f"{symbols.good} ", GOOD) if disables else (f"{symbols.odd} ", ODD)
    return line(symbol, begin, ("disabled", ODD), after)


def deleted_headline(subject: str, changes: Iterable[Change], symbols: Symbols, after: str) -> StyledLine:
    """Return the line that says that a schedule was deleted."""
    name = "".join(f" {change.before}" for change in changes if change.field == "schedule")
    return line((f"{symbols.good} ", GOOD), f"{subject}schedule{name} is ", ("deleted", GOOD), after)


def schedule_facts(schedule: ScheduleInfo, options: RenderOptions) -> list[StyledLine]:
    """Return the facts of a schedule, a line each."""
    return fact_lines([
        ("when", f"{schedule.recurrence or NO_TIME} ({schedule.time_zone or OF_APPLIANCE})"),
        ("next run", _next_run(schedule, options)),
        ("location", schedule.location),
        ("location user", schedule.location_user),
        ("parts", ", ".join(schedule.parts)),
        ("keeps", _kept(schedule.max_count)),
        ("encrypted", _encrypted(schedule)),
        ("fast backup", None if schedule.fast_backup is None else _yes_or_no(schedule.fast_backup)),
    ])  # fmt: skip


def diff(changes: Iterable[Change], width: int | None, *, indent: str = "  ") -> list[StyledLine]:
    """Return a line for each change; two if before and after do not fit side by side."""
    lines: list[StyledLine] = []
    for change in changes:
        label = f"{indent}{field_label(change.field)}: "
        if change.after == MASK:
            lines.append(line(label, ("updated", AFTER), " (cannot be verified)"))
            continue
        before: Piece = (_value(change.before, change.field), BEFORE)
        after: Piece = (_value(change.after, change.field), AFTER)
        whole = line(label, before, " -> ", after)
        if width is None or whole.width <= width:
            lines.append(whole)
        else:
            lines.extend([line(label, before), line(f"{indent}  -> ", after)])
    return lines


def _next_run(schedule: ScheduleInfo, options: RenderOptions) -> str | None:
    if schedule.next_run is not None:
        return options._replace(zone=schedule.next_run.tzinfo).when(schedule.next_run)
    if schedule.hour is None or schedule.enable is False:
        return None
    if schedule.time_zone is not None:
        return f"unknown (no data on the time zone {schedule.time_zone})"
    return "unknown (cannot read the appliance's time zone)"


def _encrypted(schedule: ScheduleInfo) -> StyledLine:
    if schedule.encrypted is None:
        return line("unknown (vCenter does not report it)")
    return line("yes") if schedule.encrypted else line(("NOT ENCRYPTED", ODD))


def _kept(count: int | None) -> str:
    return "all backups" if count is None else plural(count, "backup")


def _value(value: object, field: str = "") -> str:
    if field == "retention_info" and (value is None or isinstance(value, int)):
        return _kept(value)
    if value is None or value in ("", [], ()):
        return NOTHING
    if isinstance(value, bool):
        return _yes_or_no(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return value if isinstance(value, str) else json_text(value)


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
