"""Show pages of the manual: rendered on a terminal, in a pager where they are longer than it; as text elsewhere."""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from backupctl.clock import Clock
from backupctl.help.markdown import Block, CodeBlock, Grid, Heading, Item, Paragraph, parse, spans
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
    words = shlex.split(environ.get("PAGER", "less"))
    if words in ([], ["cat"]):
        return False
    try:
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env={"LESS": "R", **environ})  # noqa: S603 - it is the user's
    except OSError:
        return False
    with suppress(BrokenPipeError):  # The reader has seen enough.
        pager.communicate(text.encode(encoding, "replace"))
    pager.wait()
    return True


def _stacked(blocks: Sequence[Block]) -> "Group":
    """Return blocks with empty lines between them, except between short items of a list."""
    from rich.console import Group

    shown: list[RenderableType] = []
    for previous, block in pairwise((None, *blocks)):
        if previous and not (_is_short(previous) and isinstance(block, Item)):
            shown.append("")
        shown.append(_rendered(block))
    return Group(*shown)


def _is_short(block: Block) -> bool:
    return isinstance(block, Item) and len(block.content) == 1


def _rendered(block: Block | None) -> "RenderableType":
    from rich.padding import Padding
    from rich.text import Text

    match block:
        case Heading(level, text):
            return Text(text, "bold underline" if level == 1 else "bold")
        case CodeBlock(lines):
            return Padding(Text("\n".join(lines), _STYLES["code"]), (0, 0, 0, 4))
        case Item():
            return _item(block)
        case Grid(rows):
            return _table(rows)
        case Paragraph(text):
            return _text(text)
    return ""


def _text(markdown: str, style: str = "") -> "Text":
    from rich.text import Text

    return Text.assemble(*((text, _STYLES[name]) for text, name in spans(markdown)), style=style)


def _item(item: Item) -> "RenderableType":
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table

    term, content = _text(item.term, "bold"), _stacked(item.content)
    if len(term) > _TERM_WIDTH:
        return Group(term, Padding(content, (0, 0, 0, 4)))
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=_TERM_WIDTH if term else None)
    grid.add_row(term or ("•" if item.marker in "-*" else item.marker), content)
    return grid


def _table(rows: Sequence[Sequence[str]]) -> "RenderableType":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(_text(name), overflow="fold")
    for cells in rows[1:]:
        table.add_row(*map(_text, cells))
    return table
