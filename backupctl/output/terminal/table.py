"""Tables and blocks of facts: what does not fit stands below, nothing is cut."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from rich.text import Text

from backupctl.output.printable import printable
from backupctl.output.terminal.styled_lines import STRONG, aligned, line

UNKNOWN: Final = "-"
LEAST_PROSE: Final = 30
"""Columns in which a sentence can still be read."""


def heads(*words: str) -> list[Text]:
    """Return the cells of a header."""
    return [line((word, STRONG)) for word in words]


def fitted(rows: Sequence[Sequence[Text]], width: int | None, *, least: int, right: Iterable[int] = ()) -> list[Text]:
    """Return rows, the first of them the header, as a table.

    The columns that do not fit into ``width`` stand below, but the first ``least`` stay side by side.
    """
    for columns in range(len(rows[0]), least - 1, -1):
        table = aligned([row[:columns] for row in rows], right=right)
        if width is None or max(text.cell_len for text in table) <= width:
            break
    lines = table[:1]
    for row, text in zip(rows[1:], table[1:], strict=True):
        rest = [cell.plain for cell in row[columns:] if cell.plain != UNKNOWN]
        lines.append(text)
        lines.extend([line("  ", ", ".join(rest))] if rest else [])
    return lines


def facts(pairs: Iterable[tuple[str, str | Text | None]]) -> list[Text]:
    """Return what is known of the pairs of label and fact, a line each."""
    return aligned([
        [line(f"  {label}"), fact if isinstance(fact, Text) else line(fact)] for label, fact in pairs if fact
    ])  # fmt: skip


def with_prose(rows: Sequence[tuple[Text, Text, str]], width: int | None) -> list[Text]:
    """Return rows of two cells and a sentence, which is wrapped under itself, or stands below if there is no room."""
    first = max((one.cell_len for one, _, _ in rows), default=0)
    indent = first + max((other.cell_len for _, other, _ in rows), default=0) + 4
    if width is None or all(indent + line(prose).cell_len <= width for _, _, prose in rows):
        return aligned([[one, other, line(prose)] for one, other, prose in rows])
    below = width - indent < LEAST_PROSE
    lines: list[Text] = []
    for one, other, prose in rows:
        start = first + 2 if below else indent
        texts = textwrap.wrap(
            printable(prose), max(LEAST_PROSE, width - start), break_long_words=False, break_on_hyphens=False
        )
        head = Text.assemble(one, " " * (first + 2 - one.cell_len), other)
        if texts and not below:
            head.append(" " * (indent - head.cell_len) + texts.pop(0))
        head.rstrip()
        lines.extend([head, *(line(" " * start, text) for text in texts)])
    return lines
