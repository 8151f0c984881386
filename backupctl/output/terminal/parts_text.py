"""Render what can be backed up."""

from collections.abc import Sequence
from typing import Final

from backupctl.formatting import size_of_megabytes
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import ODD, STRONG, StyledLine, warning_lines
from backupctl.output.terminal.table import Cell, Column, Rows
from backupctl.results.backup_results import PartSize, PartsResult

PARTS: Final = (Column("PART"), Column("SIZE", right=True), Column("INCLUDED", 1), Column("NAME", 2))


def part_rows(parts: Sequence[PartSize], _options: RenderOptions) -> Rows:
    """Return parts as rows of a table, with their total."""
    sizes = [part.size_mb for part in parts if part.size_mb is not None]
    total = (size_of_megabytes(sum(sizes)), STRONG) if sizes else None
    return Rows(PARTS, [*map(_row, parts), [("total", STRONG), total, "", ""]])


def part_warnings(result: PartsResult, options: RenderOptions) -> list[StyledLine]:
    """Return a warning about each part that is estimated at 0 MB."""
    before = f"{result.server}: " if options.several else ""
    texts = [
        f"the size of part {part.id} is estimated at 0 MB, which often means that it cannot be backed up"
        for part in result.parts
        if part.size_mb == 0
    ]
    return [each for text in texts for each in warning_lines(text, None, before=before)]


def _row(part: PartSize) -> list[Cell]:
    estimate = None if part.size_mb is None else (size_of_megabytes(part.size_mb), ODD if part.size_mb == 0 else "")
    included = "always" if not part.optional else "by default" if part.selected_by_default else "if named"
    return [part.id, estimate, included, part.name]
