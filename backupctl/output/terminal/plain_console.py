"""Print lines without colour."""

from typing import Protocol

from backupctl.output.safe_stream import SafeStream
from backupctl.output.terminal.styled_lines import StyledLine


class Console(Protocol):
    """Where lines are printed."""

    @property
    def line_width(self) -> int | None:
        """The number of columns that a line may take, None off a terminal, where lines are never wrapped."""
        ...

    @property
    def ascii_only(self) -> bool:
        """Whether the encoding has ASCII only."""
        ...

    def print_line(self, line: StyledLine) -> None:
        """Print a line uncut: a terminal wraps one that is too long, and copies it as one."""
        ...


class PlainConsole:
    """Prints lines without colour, for output that is not a terminal; rich is not loaded."""

    line_width = None

    def __init__(self, stream: SafeStream) -> None:
        self._stream = stream

    @property
    def ascii_only(self) -> bool:
        """Whether the encoding has ASCII only."""
        return self._stream.ascii_only

    def print_line(self, line: StyledLine) -> None:
        """Print a line."""
        self._stream.write(f"{line.plain}\n")
