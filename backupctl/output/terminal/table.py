"""Lay out tables, blocks of facts and sentences for the width of the terminal."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from backupctl.output.printable import printable
from backupctl.output.terminal.styled_lines import STRONG, Piece, StyledLine, line

UNKNOWN: Final = "-"
MIN_CUT_WIDTH: Final = 12
"""Columns that a cut text needs to be worth its place."""
ROOM_BESIDE: Final = 26
"""Columns beside a long cell: enough for a relative time and a cut text."""
MIN_PROSE_WIDTH: Final = 30
"""Columns that a sentence needs to be readable."""
_GAP: Final = 2

Cell = Piece | StyledLine | None
"""The content of a table cell, None if it is unknown."""


class Column(NamedTuple):
    """A column of a table; on a narrow terminal the one with the highest ``rank`` is dropped first, 0 never.

    A ``cut`` column is shortened before it is dropped. In a ``long`` column, a cell that leaves no room for others
    stands alone in its row. A column without any known cell is not shown.
    """

    title: str
    rank: int = 0
    right: bool = False
    cut: bool = False
    long: bool = False


class Rows(NamedTuple):
    """The rows of a table below its columns."""

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]

    def named(self, server: str) -> "Rows":
        """Return the rows behind the name of their server."""
        return Rows((Column("SERVER"), *self.columns), [[(server, STRONG), *row] for row in self.rows])


def table_lines(table: Rows, width: int | None, ellipsis: str = "...") -> list[StyledLine]:
    """Return a table with one line for each row; columns that do not fit into ``width`` are dropped by rank."""
    shown = [index for index in range(len(table.columns)) if any(row[index] is not None for row in table.rows)]
    columns = [table.columns[index] for index in shown]
    cells = [[line((column.title, STRONG)) for column in columns]]
    cells += [[_shown(row[index], table.columns[index]) for index in shown] for row in table.rows]
    widths = [_width_of(column, [row[index] for row in cells], width) for index, column in enumerate(columns)]
    kept = list(range(len(columns)))
    while width is not None and _total(widths, kept) > width:
        droppable = [index for index in kept if columns[index].rank]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda index: columns[index].rank))
    spare = 0 if width is None else max(0, width - _total(widths, kept))
    for index in kept:
        if columns[index].cut and width is not None:
            widths[index] += spare
    return [_row([(columns[i], row[i], widths[i]) for i in kept], ellipsis) for row in cells]


def _shown(cell: Cell, column: Column) -> StyledLine:
    if cell is None:
        return line("" if column.cut or not column.title else UNKNOWN)
    return cell if isinstance(cell, StyledLine) else line(cell)


def _width_of(column: Column, cells: Sequence[StyledLine], width: int | None) -> int:
    """Return the width that a column needs at least; a title counts, so that it is never cut."""
    widths = [cell.width for cell in cells]
    if width is not None and column.cut:
        return min(max(widths), MIN_CUT_WIDTH)
    if width is not None and column.long:
        return max(each for each in widths if each == widths[0] or each <= width - ROOM_BESIDE)
    return max(widths)


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[index] for index in kept) + _GAP * (len(kept) - 1)


def _row(cells: Sequence[tuple[Column, StyledLine, int]], ellipsis: str) -> StyledLine:
    pieces: list[Piece | StyledLine] = []
    for column, cell, width in cells:
        gap = " " * _GAP if pieces else ""
        if column.long and cell.width > width:
            return line(*pieces, gap, cell)
        text = _cut(cell, width, ellipsis) if column.cut and cell.width > width else cell
        padding = " " * (width - text.width)
        pieces += [gap, *((padding, text) if column.right else (text, padding))]
    return line(*pieces).rstrip()


def _cut(cell: StyledLine, width: int, ellipsis: str) -> StyledLine:
    text = cell.plain
    while text and line(text).width > width - len(ellipsis):
        text = text[:-1]
    return line(text.rstrip() + ellipsis)


def fact_lines(pairs: Iterable[tuple[str, str | StyledLine | None]]) -> list[StyledLine]:
    """Return a line for each pair of label and fact whose fact is known."""
    known = [(label, fact if isinstance(fact, StyledLine) else line(fact)) for label, fact in pairs if fact]
    width = max((len(label) for label, _ in known), default=0)
    return [line(f"  {label.ljust(width)}  ", fact) for label, fact in known]


def wrapped_table(rows: Sequence[tuple[StyledLine, StyledLine, str]], width: int | None) -> list[StyledLine]:
    """Return rows of two cells and a sentence, which is wrapped in its column, or below it if that is too narrow."""
    first = max((one.width for one, _, _ in rows), default=0)
    indent = first + max((other.width for _, other, _ in rows), default=0) + 2 * _GAP - 1
    below = width is not None and width - indent < MIN_PROSE_WIDTH
    lines: list[StyledLine] = []
    for one, other, prose in rows:
        start = first + 2 if below else indent
        texts = wrapped(prose, None if width is None else width - start)
        head = line(one, " " * (first + 1 - one.width), other)
        if texts and not below:
            head = line(head, " " * (indent - head.width), texts.pop(0))
        lines.extend([head.rstrip(), *(line(" " * start, text) for text in texts)])
    return lines


def wrapped(prose: str, width: int | None) -> list[str]:
    """Return a sentence as lines; a command in backticks stays on one line, so that it can be copied."""
    text = printable(prose)
    if width is None:
        return [text]
    whole = re.sub(r"`[^`]*`", lambda match: match[0].replace(" ", "\0"), text)
    room = max(MIN_PROSE_WIDTH, width)
    lines = textwrap.wrap(whole, room, break_long_words=False, break_on_hyphens=False)
    return [each.replace("\0", " ") for each in lines]
