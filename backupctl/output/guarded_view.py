"""A view whose bugs never stop the work."""

from collections.abc import Sequence
from contextlib import suppress

from backupctl.errors import OutputError
from backupctl.output.safe_stream import REPORT
from backupctl.output.view import View
from backupctl.results.events import RunEvent
from backupctl.results.result import Envelope


class GuardedView:
    """Wraps a view and catches its exceptions: a backup must not fail because it cannot be shown."""

    def __init__(self, view: View) -> None:
        self._view = view

    def debug(self, message: str) -> None:
        """Show a debug line."""
        with suppress(Exception):
            self._view.debug(message)

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Show a warning about the run as a whole."""
        with suppress(Exception):
            self._view.warn(message, hint, always=always)

    def expect(self, servers: Sequence[str], selection: Sequence[str] = ()) -> None:
        """Announce the appliances of the run."""
        with suppress(Exception):
            self._view.expect(servers, selection)

    def event(self, event: RunEvent) -> None:
        """Show an event, or a warning that it cannot be shown."""
        try:
            self._view.event(event)
        except Exception as bug:  # noqa: BLE001 - the work goes on
            self.warn(f"{event.server}: an event cannot be shown ({type(bug).__name__})", REPORT)

    def finish(self, envelope: Envelope) -> None:
        """Show the result.

        Raises OutputError: if it cannot be written or shown.
        """
        try:
            self._view.finish(envelope)
        except OutputError:
            raise
        except Exception as bug:
            raise OutputError(f"the result could not be shown: {type(bug).__name__}", hint=REPORT) from bug

    def close(self) -> None:
        """Stop the live display."""
        with suppress(Exception):
            self._view.close()
