"""The Markdown of the manual as blocks: headings, paragraphs, lists, code blocks and tables.

An item that begins with code and a colon, as in "`--all`: All appliances.", is a definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

_TERM: Final = re.compile(r"(`[^`]+`(?:, `[^`]+`)*): +(.*)")
_STYLES: Final = {"code_inline": "code", "strong_open": "bold", "em_open": "italic"}


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


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def parse(text: str) -> tuple[Block, ...]:
    """Return the blocks of a text; comments are left out."""
    return tuple(_blocks(SyntaxTreeNode(_parser().parse(text)).children))


def spans(text: str) -> Iterator[Span]:
    """Yield the pieces of a line; a link to the web is followed by its address in brackets."""
    style, target = "", ""
    for token in _parser().parseInline(text)[0].children or ():
        match token.type:
            case "text" | "text_special" | "code_inline" if token.content:
                yield Span(token.content, _STYLES.get(token.type, style))
            case "strong_open" | "em_open":
                style = _STYLES[token.type]
            case "strong_close" | "em_close":
                style = ""
            case "link_open":
                target = "" if token.info == "auto" else str(token.attrs["href"])
            case "link_close" if "://" in target:
                yield Span(f" ({target})")


def _blocks(nodes: Iterable[SyntaxTreeNode]) -> Iterator[Block]:
    for node in nodes:
        match node.type:
            case "heading":
                yield Heading(int(node.tag[1:]), _line(node))
            case "paragraph":
                yield Paragraph(_line(node))
            case "fence":
                yield CodeBlock(tuple(node.content.splitlines()))
            case "table":
                rows = (row for part in node.children for row in part.children)
                yield Grid(tuple(tuple(map(_line, row.children)) for row in rows))
            case "bullet_list" | "ordered_list":
                for _, items in groupby(map(_item, node.children), lambda item: bool(item.term)):
                    yield Listing(tuple(items))


def _line(node: SyntaxTreeNode) -> str:
    """Return the text of a node on one line, with its emphasis as written."""
    return node.children[0].content.replace("\n", " ")


def _item(node: SyntaxTreeNode) -> Item:
    marker = f"{node.info}." if node.info else node.markup
    content = tuple(_blocks(node.children))
    term = _TERM.match(content[0].text) if content and isinstance(content[0], Paragraph) else None
    return Item(marker, term[1], (Paragraph(term[2]), *content[1:])) if term else Item(marker, "", content)
