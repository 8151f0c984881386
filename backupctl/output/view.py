"""The interface of all views."""

from collections.abc import Sequence
from typing import Protocol

from backupctl.results.events import RunEvent
from backupctl.results.result import Envelope


class View(Protocol):
    """Shows events while a command runs and its result at the end.

    Results go to standard output; progress, warnings and errors to standard error. A failure to write to standard error
    is ignored, as it must not change the outcome of a backup.
    """

    def debug(self, message: str) -> None:
        """Show a debug line, under ``-v``."""
        ...

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Show a warning about the whole run, such as ``--simulate``.

        ``always`` shows it under ``-q`` too, as for disabled certificate checks.
        """
        ...

    def expect(self, servers: Sequence[str], selection: Sequence[str] = ()) -> None:
        """Announce the appliances of the run in display order, before any event.

        ``selection`` are the words of the command line that select all of them, if that is a group or all.
        """
        ...

    def event(self, event: RunEvent) -> None:
        """Show an event of one appliance."""
        ...

    def finish(self, envelope: Envelope) -> None:
        """Show the result.

        A second envelope may follow, such as that of an OutputError: its errors are shown on standard error.

        Raises OutputError: if the result cannot be written; a reader that went away (EPIPE) is no error.
        """
        ...

    def close(self) -> None:
        """Stop the live display; may be called more than once."""
        ...
