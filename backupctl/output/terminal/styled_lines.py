"""Build styled lines; all text for people passes through here, so that control characters are always escaped.

Colours are the sixteen that every terminal theme defines: red for errors, magenta for warnings (yellow cannot be read
on white), cyan for hints, green for success.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from rich.text import Text

from backupctl.error_facts import ErrorFacts, details_of, hint_of, sentence_of, to_follow
from backupctl.output.printable import printable, printable_lines

STRONG: Final = "bold"
FAINT: Final = "bright_black"
GOOD: Final = "green"
BAD: Final = "bold red"
ODD: Final = "bold magenta"
NOTE: Final = "bold cyan"

Piece = str | tuple[str, str]
"""A text, or a text and its style."""


class Symbols(NamedTuple):
    """Symbols before words; a word always says the same."""

    good: str
    bad: str
    odd: str = "!"
    running: str = "*"
    bullet: str = "-"


UNICODE_SYMBOLS: Final = Symbols("✓", "✗", running="●", bullet="•")
ASCII_SYMBOLS: Final = Symbols("+", "x")


def line(*pieces: Piece) -> Text:
    """Return one line of the pieces, each escaped."""
    text = Text()
    for piece in pieces:
        words, style = (piece, "") if isinstance(piece, str) else piece
        text.append(printable(words), style)
    return text


def labelled(label: str, style: str, text: str, *, before: str = "") -> list[Text]:
    """Return ``label: text``; further lines of the text are indented."""
    first, *others = printable_lines(text) or [""]
    return [line(before, (f"{label}:", style), f" {first}"), *(line(before, f"  {other}") for other in others)]


def warning_lines(message: str, hint: str | None, *, before: str = "") -> list[Text]:
    """Return a warning and what to do about it."""
    lines = labelled("warning", ODD, message, before=before)
    return lines + (labelled("hint", NOTE, hint, before=before) if hint else [])


def error_lines(
    facts: ErrorFacts,
    *,
    hints: bool = True,
    known: Collection[ErrorFacts | str] = (),
    subject: str | None = None,
) -> list[Text]:
    """Return an error, behind its ``subject`` if it has one, its details but those that are ``known``, and a hint.

    Without ``hints``, the command that follows a running job is still shown.
    """
    before = "" if subject is None else f"{subject}: "
    lines = labelled("error", BAD, before + sentence_of(facts, subject=subject))
    news = facts._replace(details=tuple(each for each in facts.details if each not in known))
    for detail in details_of(news):
        lines.extend(line("  ", text) for text in printable_lines(detail))
    told = (hint_of(facts) if hints else None, to_follow(facts))
    return lines + [each for hint in dict.fromkeys(told) if hint for each in labelled("hint", NOTE, hint)]


def aligned(rows: Sequence[Sequence[Text]], *, right: Iterable[int] = ()) -> list[Text]:
    """Return the rows as lines of aligned columns; the columns numbered in ``right`` are right-aligned.

    Nothing is cut, and no line has trailing blanks.
    """
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    return [_aligned_row(row, widths, frozenset(right)) for row in rows]


def _aligned_row(row: Sequence[Text], widths: Sequence[int], right: frozenset[int]) -> Text:
    text = Text()
    for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
        padding = " " * (width - cell.cell_len)
        text.append("  " if index else "")
        text.append_text(Text.assemble(padding, cell) if index in right else Text.assemble(cell, padding))
    text.rstrip()
    return text
