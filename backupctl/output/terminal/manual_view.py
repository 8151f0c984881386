"""Show pages of the manual: rendered on a terminal, in a pager where they are longer than it; as text elsewhere."""

import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from backupctl.clock import Clock
from backupctl.help.markdown import Block, CodeBlock, Grid, Heading, Item, Listing, Paragraph, parse, spans
from backupctl.output.safe_stream import SafeStream
from backupctl.output.terminal.console import shows_color

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.text import Text

MAX_WIDTH: Final = 100
"""Longer lines are hard to read."""
_TERM_WIDTH: Final = 18
"""Longer terms of definitions have a line of their own."""

_STYLES: Final = {"": "", "code": "cyan", "bold": "bold", "italic": "italic"}


def show_page(text: str, stream: SafeStream, *, clock: Clock, environ: Mapping[str, str], color: str) -> None:
    """Show Markdown on a stream; ``environ`` is passed on to the pager."""
    colorful = shows_color(stream, environ, color)
    if not stream.isatty() and not colorful:
        stream.write(text)
        return
    from backupctl.output.terminal.rich_console import rich_console

    console = rich_console(stream, clock=clock, environ=environ, colorful=colorful)
    with console.capture() as capture:
        console.print(_stacked(parse(text)), width=min(console.width, MAX_WIDTH))
    shown = "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
    too_long = stream.isatty() and shown.count("\n") >= console.height
    if not (too_long and _page(shown, stream.encoding, environ)):
        stream.write(shown)


def _page(text: str, encoding: str, environ: Mapping[str, str]) -> bool:
    """Show text in the pager; return False if there is none."""
    try:
        words = shlex.split(environ.get("PAGER", "less"))
        if words in ([], ["cat"]):
            return False
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env={"LESS": "R", **environ})  # noqa: S603 - it is the user's
    except (OSError, ValueError):
        return False
    with suppress(BrokenPipeError):  # The reader has seen enough.
        pager.communicate(text.encode(encoding, "replace"))
    pager.wait()
    return True


def _stacked(blocks: Iterable[Block]) -> "Group":
    """Return blocks with empty lines between them."""
    from rich.console import Group

    return Group(*islice(chain.from_iterable(("", _rendered(block)) for block in blocks), 1, None))


def _rendered(block: Block) -> "RenderableType":
    from rich.padding import Padding
    from rich.text import Text

    match block:
        case Heading(level, text):
            return Text(text, "bold underline" if level == 1 else "bold")
        case CodeBlock(lines):
            return Padding(Text("\n".join(lines), _STYLES["code"]), (0, 0, 0, 4))
        case Listing(items):
            return _list(items)
        case Grid(rows):
            return _table(rows)
        case Paragraph(text):
            return _text(text)


def _text(markdown: str, style: str = "") -> "Text":
    from rich.text import Text

    return Text.assemble(*((text, _STYLES[name]) for text, name in spans(markdown)), style=style)


def _list(items: Sequence[Item]) -> "RenderableType":
    """Return a list in two columns; where a term is long, each has a line of its own."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    terms = [
        _text(item.term, "bold") if item.term else Text("•" if item.marker in "-*" else item.marker) for item in items
    ]
    contents = [_stacked(item.content) for item in items]
    if max(map(len, terms)) > _TERM_WIDTH:
        return Group(*(Group(term, Padding(each, (0, 0, 0, 4))) for term, each in zip(terms, contents, strict=True)))
    long = any(len(item.content) > 1 for item in items)
    grid = Table.grid(padding=(0, 2 if items[0].term else 1, int(long), 0), pad_edge=False)
    for row in zip(terms, contents, strict=True):
        grid.add_row(*row)
    return grid


def _table(rows: Sequence[Sequence[str]]) -> "RenderableType":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(_text(name), overflow="fold")
    for cells in rows[1:]:
        table.add_row(*map(_text, cells))
    return table
