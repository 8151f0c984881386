"""Man pages from the Markdown of the manual, in the macros of man(7) and tbl(1)."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from backupctl.help.markdown import Block, CodeBlock, Grid, Heading, Item, Listing, Paragraph, parse, spans

_ESCAPES: Final = str.maketrans(
    {
        "\\": r"\e",
        "-": r"\-",
        "'": r"\(aq",
        "`": r"\(ga",
        "^": r"\(ha",
        "~": r"\(ti",
        '"': r"\(dq",
    }
)
_FONTS: Final = {"": "", "code": r"\fB", "bold": r"\fB", "italic": r"\fI"}
_LINE: Final = 78
"""Columns of a line of source; roff fills the lines anew."""


def man_page(text: str, *, name: str, section: int, summary: str, synopsis: str | None, date: str, version: str) -> str:
    """Return a page of Markdown as a man page; its title and first paragraph are ``name`` and ``summary``."""
    lines = [
        "'\\\" t",
        f'.TH {escaped(name.upper())} {section} {date} "backupctl {version}" "Manual of backupctl"',
        *(".nh", ".ad l", ".SH NAME"),
        *_filled(f"{name} \\- {summary.partition('. ')[0].removesuffix('.')}"),
    ]
    if synopsis:
        lines += [".SH SYNOPSIS", rf"\fB{escaped(synopsis)}\fR"]
    return "\n".join([*lines, ".SH DESCRIPTION", *_roff(parse(text)[1:])]) + "\n"


def escaped(text: str) -> str:
    """Return text so that roff prints each character as it is, and as one to copy."""
    plain = re.sub(r"[^\x00-\x7f]", lambda match: rf"\[u{ord(match[0]):04X}]", text.translate(_ESCAPES))
    return rf"\&{plain}" if plain.startswith(".") else plain


def _roff(blocks: Iterable[Block]) -> Iterator[str]:
    for previous, block in pairwise((Heading(2, ""), *blocks)):
        if not isinstance(previous, Heading) and not isinstance(block, Heading | Listing):
            yield ".PP"
        match block:
            case Heading(level, text):
                yield f".S{'H' if level <= 2 else 'S'} {_inline(text.upper() if level <= 2 else text)}"
            case Paragraph(text):
                yield from _filled(text)
            case CodeBlock(lines):
                yield from (".RS 4", ".nf", *map(escaped, lines), ".fi", ".RE")
            case Grid(rows):
                yield from _table(rows)
            case Listing(items):
                for item in items:
                    yield from _item(item)


def _item(item: Item) -> Iterator[str]:
    """Yield an item as a tagged or indented paragraph; what follows its first paragraph is indented as far."""
    first, *more = item.content
    marker = r"\(bu" if item.marker in "-*" else escaped(item.marker)
    yield from (".TP", _inline(item.term)) if item.term else (f".IP {marker} 4",)
    yield from _filled(first.text if isinstance(first, Paragraph) else "")
    rest = more if isinstance(first, Paragraph) else item.content
    if rest:
        yield from (f".RS {7 if item.term else 4}", *_roff(rest), ".RE")


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table; the lines of its last column are filled."""
    yield from (".TS", " ".join(["lb"] * len(rows[0])), " ".join(["l"] * (len(rows[0]) - 1) + ["lx"]) + ".")
    for *cells, last in rows:
        yield "\t".join([*map(_inline, cells), "T{"])
        yield from _filled(last)
        yield "T}"
    yield ".TE"


def _filled(markdown: str) -> Iterator[str]:
    """Yield lines of text; none begins with a control character of roff."""
    for line in textwrap.wrap(_inline(markdown), _LINE, break_long_words=False, break_on_hyphens=False):
        yield rf"\&{line}" if line.startswith((".", "'")) else line


def _inline(markdown: str) -> str:
    pieces = ((escaped(text), _FONTS[style]) for text, style in spans(markdown))
    return "".join(rf"{font}{text}\fR" if font else text for text, font in pieces)
