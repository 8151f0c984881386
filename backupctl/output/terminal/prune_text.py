"""Render what ``archive prune`` keeps and removes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import UnsetType

from backupctl.formatting import plural, relative, size
from backupctl.output.terminal.job_text import simulated_note
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import GOOD, ODD, StyledLine, line
from backupctl.output.terminal.table import Cell, Column, Rows, table_lines
from backupctl.results.backup_results import JobResult
from backupctl.results.prune_results import PrunedArchive, PruneResult

_ARCHIVES: Final = (
    Column(""),
    Column("SIZE", 2, right=True),
    Column("STARTED", 1),
    Column("WHY"),
    Column("ARCHIVE"),
    Column("COMMENT", cut=True),
)


def prune_headline(result: PruneResult | JobResult, options: RenderOptions) -> StyledLine:
    """Return in one line how much was removed, or would be."""
    keep = () if isinstance(result.keep, UnsetType) else result.keep
    remove = () if isinstance(result.remove, UnsetType) else result.remove
    removed = [each for each in remove if each.removed]
    action = f"removed {amount(removed)}" if remove else "nothing to remove"
    if len(removed) < len(remove):
        action = f"removed {len(removed)} of {amount(remove)}" if result.error else f"would remove {amount(remove)}"
    symbol = (f"{options.symbols.odd} ", ODD) if result.error else (f"{options.symbols.good} ", GOOD)
    return line(symbol, f"{result.server}: {action}, {len(keep)} kept", simulated_note(result))


def plan_texts(server: str, result: PruneResult, now: datetime) -> list[str]:
    """Return the plan for an appliance as the lines of a question."""
    head = f"{server}: remove {amount(result.remove)}, keep {len(result.keep)}"
    return [head, *(each.plain for each in table_lines(prune_rows(result, now), None))]


def prune_rows(result: PruneResult, now: datetime) -> Rows:
    """Return the archives as rows of a table, the newest first."""
    left = "not removed" if result.error else "remove"
    rows = [("keep", each) for each in result.keep]
    rows += [("removed" if each.removed else left, each) for each in result.remove]
    rows.sort(key=lambda row: (row[1].start_time, row[1].archive), reverse=True)
    return Rows(_ARCHIVES, [_row(verb, each, now) for verb, each in rows])


def _row(verb: str, archive: PrunedArchive, now: datetime) -> list[Cell]:
    known = None if archive.size_bytes is None else size(archive.size_bytes)
    why, started = ", ".join(archive.reasons) or "no rule", relative(archive.start_time, now)
    short = f"{'_'.join(archive.archive.split('_')[:3])}_..." if archive.comment else archive.archive
    return [verb, known, started, why, short, archive.comment or None]


def amount(archives: Sequence[PrunedArchive]) -> str:
    """Return the number of archives and the sum of their known sizes."""
    return f"{plural(len(archives), 'archive')} ({size(sum(each.size_bytes or 0 for each in archives))})"
