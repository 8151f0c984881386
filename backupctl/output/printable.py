"""Text from elsewhere made safe for a terminal: what is shown is what it says, and nothing that it does."""

import unicodedata
from collections.abc import Iterator
from typing import Final

MOST_MARKS: Final = 5
"""Accents on one character; no language needs more, and hundreds of them paint over the lines around."""


def printable(text: str) -> str:
    r"""Return ``text`` on one line, with everything that is not a visible character spelled out.

    White space of any kind becomes a space. Control characters, escape sequences, bidirectional and zero-width
    characters and lone surrogates become backslash notation, such as ``\x1b``: they cannot move the cursor, hide
    or reverse other text, and can still be read by the one who looks for the cause. So do accents upon accents.
    """
    return text if text.isprintable() and text.isascii() else "".join(_visible_characters(text))


def printable_lines(text: str) -> list[str]:
    """Return the lines of ``text``, each safe to show; blank ones are left out."""
    return [line for line in (printable(raw).rstrip() for raw in text.splitlines()) if line.strip()]


def _visible_characters(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if character.isprintable() and marks <= MOST_MARKS:
            yield character
        else:
            yield " " if character.isspace() else character.encode("unicode_escape").decode("ascii")
