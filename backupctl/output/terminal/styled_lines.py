"""Build styled lines; all text for people passes through here, so that control characters are always escaped.

Colours are the sixteen that every terminal theme defines: red for errors, magenta for warnings (yellow cannot be read
on white), cyan for hints, green for success.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from backupctl.output.printable import printable, printable_lines

if TYPE_CHECKING:
    from rich.text import Text

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
    dot: str = "-"
    ellipsis: str = "..."


UNICODE_SYMBOLS: Final = Symbols("✓", "✗", running="●", dot="·", ellipsis="…")
ASCII_SYMBOLS: Final = Symbols("+", "x")


class StyledLine(msgspec.Struct, frozen=True):
    """A line of printable pieces, each with its style; rich is loaded only to draw it."""

    pieces: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> str:
        """The text without its styles."""
        return "".join(text for text, _ in self.pieces)

    @property
    def width(self) -> int:
        """The number of columns on a terminal, where some characters take two and others none."""
        plain = self.plain
        if plain.isascii():
            return len(plain)
        from rich.cells import cell_len

        return cell_len(plain)

    def rstrip(self) -> "StyledLine":
        """Return the line without white space at its end."""
        pieces = list(self.pieces)
        while pieces:
            text, style = pieces.pop()
            if text := text.rstrip():
                return StyledLine((*pieces, (text, style)))
        return StyledLine()

    def __rich__(self) -> "Text":
        from rich.text import Text

        return Text.assemble(*self.pieces)


def line(*pieces: Piece | StyledLine) -> StyledLine:
    """Return one line of the pieces, each made printable."""
    made: list[tuple[str, str]] = []
    for piece in pieces:
        if isinstance(piece, StyledLine):
            made.extend(piece.pieces)
        else:
            text, style = (piece, "") if isinstance(piece, str) else piece
            made.append((printable(text), style))
    return StyledLine(tuple(made))


def with_commas(pieces: Iterable[Piece]) -> list[Piece]:
    """Return pieces with commas between them."""
    return [each for piece in pieces for each in (", ", piece)][1:]


def labelled(label: str, style: str, text: str, *, before: str = "") -> list[StyledLine]:
    """Return ``label: text``; further lines of the text are indented."""
    first, *others = printable_lines(text) or [""]
    return [line(before, (f"{label}:", style), f" {first}"), *(line(before, f"  {other}") for other in others)]


def warning_lines(message: str, hint: str | None, *, before: str = "") -> list[StyledLine]:
    """Return a warning and what to do about it."""
    lines = labelled("warning", ODD, message, before=before)
    return lines + (labelled("hint", NOTE, hint, before=before) if hint else [])
