"""Render what ``archive prune`` keeps and removes."""

from collections.abc import Sequence
from typing import Final

from backupctl.formatting import plural, size
from backupctl.output.terminal.job_text import simulated_note
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import GOOD, ODD, StyledLine, line, warning_lines
from backupctl.output.terminal.table import Column, Rows
from backupctl.results.prune_results import PrunedArchive, PruneResult, total_bytes

_ARCHIVES: Final = (
    Column(""),
    Column("ARCHIVE", long=True),
    Column("STARTED", 2),
    Column("SIZE", 1, right=True),
    Column("WHY", 3, cut=True),
)


def prune_headline(result: PruneResult, options: RenderOptions) -> StyledLine:
    """Return in one line how much was removed, or would be."""
    removed = [each for each in result.remove if each.removed]
    kept = f"{len(result.keep)} kept"
    if not result.remove:
        action = "nothing to remove"
    elif result.error is None and not removed:
        action = f"would remove {_amount(result.remove)}"
    elif len(removed) == len(result.remove):
        action = f"removed {_amount(removed)}"
    else:
        action = f"removed {len(removed)} of {_amount(result.remove)}"
    symbol = (f"{options.symbols.odd} ", ODD) if result.error else (f"{options.symbols.good} ", GOOD)
    return line(symbol, f"{result.server}: {action}, {kept}", simulated_note(result))


def prune_rows(result: PruneResult, options: RenderOptions) -> Rows:
    """Return the archives as rows of a table, the newest first."""
    verbs = {each.archive: "removed" if each.removed else "remove" for each in result.remove}
    archives = sorted((*result.keep, *result.remove), key=lambda each: (each.start_time, each.archive), reverse=True)
    return Rows(
        _ARCHIVES,
        [
            [
                verbs.get(each.archive, "keep"),
                each.archive,
                options.when_cells(each.start_time)[0],
                None if each.size_bytes is None else size(each.size_bytes),
                ", ".join(each.reasons) or None,
            ]
            for each in archives
        ],
    )


def damaged_warnings(result: PruneResult) -> list[StyledLine]:
    """Return a warning for each damaged archive."""
    damaged = [each.archive for each in result.keep if "damaged" in each.reasons]
    hint = "look at it with `backupctl archive show`, and remove it by hand if it is of no use"
    return [
        row for name in damaged for row in warning_lines(f"{result.server}: {name} is damaged; prune keeps it", hint)
    ]


def _amount(archives: Sequence[PrunedArchive]) -> str:
    return f"{plural(len(archives), 'archive')} ({size(total_bytes(archives))})"
