"""What a view must be able to show."""

from collections.abc import Sequence
from typing import Protocol

from backupctl.results.events import RunEvent
from backupctl.results.result import Envelope


class View(Protocol):
    """Shows events while the work goes on and one result at its end.

    Results go to standard output; progress, notices, warnings and errors to standard error. A failure to write to
    standard error is never allowed to change the outcome of a backup, so it is ignored.
    """

    def debug(self, message: str) -> None:
        """Show a line for those who asked for more with ``-v``."""
        ...

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Show a warning about the run as a whole, such as ``--simulate``.

        ``always``: even where warnings are left out, as one must be that tells of a guard that is down.
        """
        ...

    def expect(self, servers: Sequence[str]) -> None:
        """Take note of the appliances of the run, in the order in which they are to be shown, before any event."""
        ...

    def event(self, event: RunEvent) -> None:
        """Show something that happened on one appliance."""
        ...

    def finish(self, envelope: Envelope) -> None:
        """Show the result.

        Raises OutputError where it could not be written; a reader that went away (EPIPE) is no error. A second
        envelope, such as that of this OutputError, may follow: its errors are shown on standard error.
        """
        ...

    def close(self) -> None:
        """Stop all live display; may be called more than once."""
        ...
