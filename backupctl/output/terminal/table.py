"""Lay out tables and blocks of facts; what does not fit moves below, nothing is cut."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from backupctl.output.printable import printable
from backupctl.output.terminal.styled_lines import STRONG, StyledLine, aligned, line

UNKNOWN: Final = "-"
MIN_PROSE_WIDTH: Final = 30
"""Columns that a sentence needs to be readable."""


def header_cells(*words: str) -> list[StyledLine]:
    """Return the cells of a header row."""
    return [line((word, STRONG)) for word in words]


def table_lines(
    rows: Sequence[Sequence[StyledLine]], width: int | None, *, least: int, right: Iterable[int] = ()
) -> list[StyledLine]:
    """Return rows as the lines of a table; the first row is the header.

    Columns that do not fit into ``width`` move below their row; the first ``least`` stay side by side.
    """
    for columns in range(len(rows[0]), least - 1, -1):
        table = aligned([row[:columns] for row in rows], right=right)
        if width is None or max(text.width for text in table) <= width:
            break
    lines = table[:1]
    for row, text in zip(rows[1:], table[1:], strict=True):
        rest = [cell.plain for cell in row[columns:] if cell.plain != UNKNOWN]
        lines.append(text)
        lines.extend([line("  ", ", ".join(rest))] if rest else [])
    return lines


def fact_lines(pairs: Iterable[tuple[str, str | StyledLine | None]]) -> list[StyledLine]:
    """Return a line for each pair of label and fact whose fact is known."""
    return aligned([
        [line(f"  {label}"), fact if isinstance(fact, StyledLine) else line(fact)] for label, fact in pairs if fact
    ])  # fmt: skip


def wrapped_table(rows: Sequence[tuple[StyledLine, StyledLine, str]], width: int | None) -> list[StyledLine]:
    """Return rows of two cells and a sentence, which is wrapped in its column, or below it if that is too narrow."""
    first = max((one.width for one, _, _ in rows), default=0)
    indent = first + max((other.width for _, other, _ in rows), default=0) + 4
    if width is None or all(indent + line(prose).width <= width for _, _, prose in rows):
        return aligned([[one, other, line(prose)] for one, other, prose in rows])
    below = width - indent < MIN_PROSE_WIDTH
    lines: list[StyledLine] = []
    for one, other, prose in rows:
        start = first + 2 if below else indent
        texts = textwrap.wrap(
            printable(prose), max(MIN_PROSE_WIDTH, width - start), break_long_words=False, break_on_hyphens=False
        )
        head = line(one, " " * (first + 2 - one.width), other)
        if texts and not below:
            head = line(head, " " * (indent - head.width), texts.pop(0))
        lines.extend([head.rstrip(), *(line(" " * start, text) for text in texts)])
    return lines
