"""The Markdown of the manual: headings, paragraphs, lists, code blocks, tables and simple emphasis.

An item that begins with code and a colon, as in "`--all`: All appliances.", is a definition.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_HEADING: Final = re.compile(r"(#+) +(.*)")
_ITEM: Final = re.compile(r"((?:[-*]|\d+\.) +)(.*)")
_TERM: Final = re.compile(r"(`[^`]+`(?:, `[^`]+`)*): +(.*)")
_SPAN: Final = re.compile(
    r"(?P<fence>`+)(?P<code>.+?)(?P=fence)|\*\*(?P<bold>.+?)\*\*|(?<!\w)\*(?P<italic>[^*\s][^*]*)\*"
    r"|\[(?P<label>[^]]+)\]\((?P<target>[^)]+)\)|<(?P<url>https?://[^>]+)>|\\(?P<escaped>[!-/:-@[-`{-~])"
)


class Heading(NamedTuple):
    """A heading of level 1, 2 or 3."""

    level: int
    text: str


class Paragraph(NamedTuple):
    """A paragraph on one line."""

    text: str


class CodeBlock(NamedTuple):
    """Lines that are shown as they are."""

    lines: tuple[str, ...]


class Grid(NamedTuple):
    """The cells of a table; the first row has the names of the columns."""

    rows: tuple[tuple[str, ...], ...]


class Item(NamedTuple):
    """An item of a list: its marker (``-`` or ``1.``), the term of a definition, and the content."""

    marker: str
    term: str
    content: tuple[Block, ...]


class Listing(NamedTuple):
    """A list; either all items or none are definitions."""

    items: tuple[Item, ...]


Block = Heading | Paragraph | CodeBlock | Grid | Listing


class Span(NamedTuple):
    """A piece of a line: plain (``""``), ``code``, ``bold`` or ``italic``."""

    text: str
    style: str = ""


def parse(text: str) -> tuple[Block, ...]:
    """Return the blocks of a text; comments are left out."""
    return tuple(_blocks(deque(text.splitlines())))


def spans(text: str) -> Iterator[Span]:
    """Yield the pieces of a line; a link to the web is followed by its address in brackets."""
    end = 0
    for match in _SPAN.finditer(text):
        if match.start() > end:
            yield Span(text[end : match.start()])
        end, name = match.end(), str(match.lastgroup)
        if name == "target":
            yield Span(f"{match['label']} ({match[name]})" if "://" in match[name] else match["label"])
        else:
            yield Span(match[name], name if name in {"code", "bold", "italic"} else "")
    if end < len(text):
        yield Span(text[end:])


def _blocks(lines: deque[str]) -> Iterator[Block]:
    while lines:
        line = lines[0]
        if not line.strip() or line.startswith("<!--"):
            lines.popleft()
        elif line.startswith("```"):
            yield _code(lines)
        elif heading := _HEADING.match(line):
            lines.popleft()
            yield Heading(len(heading[1]), heading[2])
        elif line.startswith("|"):
            yield _grid(lines)
        elif _ITEM.match(line):
            yield _listing(lines)
        else:
            yield Paragraph(_paragraph(lines))


def _starts_block(line: str) -> bool:
    return not line.strip() or line.startswith(("```", "|", "<!--")) or bool(_HEADING.match(line) or _ITEM.match(line))


def _paragraph(lines: deque[str]) -> str:
    words = [lines.popleft().strip()]
    while lines and not _starts_block(lines[0]):
        words.append(lines.popleft().strip())
    return " ".join(words)


def _code(lines: deque[str]) -> CodeBlock:
    fence, code = lines.popleft(), []
    ticks = fence[: len(fence) - len(fence.lstrip("`"))]
    while lines and (line := lines.popleft()).rstrip() != ticks:
        code.append(line)
    return CodeBlock(tuple(code))


def _grid(lines: deque[str]) -> Grid:
    rows = []
    while lines and lines[0].startswith("|"):
        cells = re.split(r"(?<!\\)\|", lines.popleft().strip().removeprefix("|").removesuffix("|"))
        rows.append(tuple(cell.strip().replace("\\|", "|") for cell in cells))
    return Grid((rows[0], *rows[2:]))


def _listing(lines: deque[str]) -> Listing:
    items: list[Item] = []
    while lines and (match := _ITEM.match(lines[0])):
        if items and (_TERM.match(match[2]) is None) == bool(items[0].term):
            break
        items.append(_item(lines, match))
        while lines and not lines[0].strip():
            lines.popleft()
    return Listing(tuple(items))


def _item(lines: deque[str], match: re.Match[str]) -> Item:
    """Return the item that begins with ``match``; lines indented as far as its text belong to it."""
    lines.popleft()
    indent, first = len(match[1]), match[2]
    term = _TERM.match(first)
    content = deque([term[2] if term else first])
    while lines and (not _starts_block(lines[0]) or _continues(lines, indent)):
        content.append(lines.popleft().removeprefix(" " * indent))
    return Item(match[1].strip(), term[1] if term else "", tuple(_blocks(content)))


def _continues(lines: Iterable[str], indent: int) -> bool:
    """Return whether the next line with text is indented."""
    return next((line.startswith(" " * indent) for line in lines if line.strip()), False)
