"""Print lines in colour, on a console of rich."""

from collections.abc import Mapping
from typing import IO, Final, cast

from rich.console import Console

from backupctl.clock import Clock
from backupctl.output.safe_stream import SafeStream
from backupctl.output.terminal.styled_lines import StyledLine

UNLIMITED_WIDTH: Final = 1_000_000
"""Off a terminal, lines are never wrapped."""


class RichConsole(Console):
    """Prints lines, and can draw."""

    @property
    def line_width(self) -> int | None:
        """The number of columns of the terminal, None off one."""
        return self.width if self.is_terminal else None

    @property
    def ascii_only(self) -> bool:
        """Whether the encoding has ASCII only."""
        return self.options.ascii_only

    def print_line(self, line: StyledLine) -> None:
        """Print a line uncut."""
        self.print(line, soft_wrap=True)


def rich_console(
    stream: SafeStream, *, clock: Clock, environ: Mapping[str, str], colorful: bool, live: bool = False
) -> RichConsole:
    """Return a console with markup and detection switched off: colour and width are decided here."""
    terminal = stream.isatty()
    return RichConsole(
        file=cast("IO[str]", stream),
        force_terminal=terminal,
        force_interactive=live,
        force_jupyter=False,
        color_system="standard" if colorful else None,
        no_color=not colorful,
        width=None if terminal else UNLIMITED_WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
        get_time=clock.monotonic,
        get_datetime=clock.now,
        _environ={name: environ[name] for name in ("TERM", "COLUMNS", "LINES") if name in environ},
    )
