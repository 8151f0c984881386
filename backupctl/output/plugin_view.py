"""The view for monitoring systems: one text on standard output, also for errors and interruptions."""

from collections.abc import Sequence

from backupctl.output.plugin_text import FORMATS
from backupctl.output.printable import printable
from backupctl.output.safe_stream import SafeStream
from backupctl.results.events import RunEvent
from backupctl.results.result import Envelope


class PluginView:
    """Writes the result in a format of ``FORMATS``; nothing else but debug lines, as some systems show both streams.

    Warnings that are always shown are part of the text.
    """

    def __init__(self, name: str, out: SafeStream, err: SafeStream, *, verbose: bool = False) -> None:
        self._format = FORMATS[name]
        self._out = out
        self._err = err
        self._verbose = verbose
        self._warnings: list[str] = []
        self._finished = False

    def debug(self, message: str) -> None:
        """Write a debug line to standard error."""
        if self._verbose:
            self._err.write(f"debug: {printable(message)}\n")

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Keep a warning for the text."""
        del hint
        if always:
            self._warnings.append(message)

    def expect(self, servers: Sequence[str], selection: Sequence[str] = ()) -> None:
        """Do nothing."""

    def event(self, event: RunEvent) -> None:
        """Do nothing: only the end counts."""

    def finish(self, envelope: Envelope) -> None:
        """Write the text; if that failed, write that of the error to standard error, too."""
        text = self._format(envelope, self._warnings)
        if self._finished:
            self._err.write(text)
        self._finished = True
        self._out.write(text)
        self._out.check()

    def close(self) -> None:
        """Do nothing: there is no live display."""
