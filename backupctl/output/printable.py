"""Escape control characters in untrusted text."""

import unicodedata
from collections.abc import Iterator
from typing import Final

MAX_ACCENTS: Final = 5
"""Accents on one character: no language needs more, and hundreds of them cover the lines around."""


def printable(text: str) -> str:
    r"""Return ``text`` on one line, with invisible characters escaped.

    White space of any kind becomes a space. Control characters, escape sequences, bidirectional and zero-width
    characters, lone surrogates and excess accents become backslash notation, such as ``\x1b``, so that they cannot
    move the cursor, hide or reverse other text, and can still be read.
    """
    return text if text.isprintable() and text.isascii() else "".join(_visible_characters(text))


def printable_lines(text: str) -> list[str]:
    """Return the lines of ``text``, escaped, without blank ones."""
    return [line for line in (printable(raw).rstrip() for raw in text.splitlines()) if line.strip()]


def _visible_characters(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if character.isprintable() and marks <= MAX_ACCENTS:
            yield character
        else:
            yield " " if character.isspace() else character.encode("unicode_escape").decode("ascii")
