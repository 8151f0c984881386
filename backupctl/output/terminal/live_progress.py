"""Progress on a terminal: one row for each appliance, as many as fit, drawn again several times a second.

Rows are values that are replaced, never changed, because a thread of rich reads them while the main thread goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from backupctl.clock import Clock
from backupctl.errors import InterruptedRunError
from backupctl.output.terminal.event_text import sentences
from backupctl.output.terminal.progress_log import is_news, message_text, print_lines
from backupctl.output.terminal.progress_rows import Row, add_columns, cells, ran_before
from backupctl.output.terminal.row_selection import screenful
from backupctl.output.terminal.styled_lines import STRONG, line
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import JobResult
from backupctl.results.events import (
    Adopted,
    Attached,
    Cancelling,
    Ended,
    PartsSelected,
    Progressed,
    Queued,
    Recovered,
    RunEvent,
    Started,
    Troubled,
    Waiting,
)
from backupctl.results.result import Result

WIDE: Final = 120
"""From this many columns on, the last message or step stands in the row and not below it."""
REFRESHES_PER_SECOND: Final = 4
LINES_ABOVE: Final = 4
"""Left free above the rows, for the last lines of news."""
LEAST_ROWS: Final = 3
ECHO_COLUMNS: Final = 3
"""Left free on the right: a terminal echoes ``^C`` where the cursor is, and in a full line that would scroll."""


class LiveProgress:
    """Draws the rows below all other lines; without ``auto_refresh``, only when something happens."""

    def __init__(self, console: Console, *, clock: Clock, auto_refresh: bool = True) -> None:
        self._console = console
        self._clock = clock
        self._auto_refresh = auto_refresh
        self._servers: dict[str, None] = {}
        self._rows: Mapping[str, Row] = {}
        self._early: Mapping[str, Row] = {}
        """Of whom there is nothing to be followed yet; they are drawn beside those who have a row."""
        self._live: Live | None = None

    def expect(self, servers: Sequence[str]) -> None:
        """Keep the rows of these appliances in this order, whichever of them has news first."""
        self._servers = dict.fromkeys(servers)
        self._early = dict.fromkeys(servers, Row(preparing=True)) if len(servers) > 1 else {}

    def show(self, event: RunEvent) -> None:
        """Show an event: as a line above the rows, or as a change of its row."""
        self._servers.setdefault(event.server)
        if isinstance(event, Ended | Waiting) and event.server in self._early:
            early = {event.server: Row()} if isinstance(event, Waiting) else {}
            self._early = {name: row for name, row in self._early.items() if name != event.server} | early
            self._refresh()
        counted = self._is_crowded and isinstance(event, Started | PartsSelected)
        if is_news(event, following=bool(self._rows)) and not counted:
            before = f"{event.server}: " if len(self._servers) > 1 else ""
            print_lines(self._console, sentences(event, before))
        row = self._row_after(event)
        if row is not None:
            self._replace(event.server, row)

    def settle(self, results: Iterable[Result]) -> None:
        """Draw each row as its job ended, for good."""
        self._early = {}
        for result in results:
            row = self._rows.get(result.server)
            if row is not None and isinstance(result, JobResult | RestoreResult) and result.job is not None:
                row = msgspec.structs.replace(row, job=result.job, troubled=None)
                self._rows = {**self._rows, result.server: row}
        drawn = self._live is not None
        self.stop()
        if drawn:
            self._console.print()

    def stop(self) -> None:
        """Stop drawing: the last state stays, the cursor is visible again."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    @property
    def _room(self) -> int:
        return max(LEAST_ROWS, self._console.height - LINES_ABOVE)

    @property
    def _is_crowded(self) -> bool:
        """Whether there are so many appliances that what goes as it should is counted and not told."""
        return len(self._servers) > self._room

    def _row_after(self, event: RunEvent) -> Row | None:
        """Return the row of an appliance as it is after an event, None where that changes nothing."""
        row = self._rows.get(event.server)
        match event:
            case Started(job=job) | Adopted(job=job) | Attached(job=job) | Progressed(job=job) | Cancelling(job=job):
                if row is None or row.job is None or row.job.id != job.id:
                    return Row(job=job, started=self._clock.monotonic() - ran_before(job, event))
                return msgspec.structs.replace(row, job=job, troubled=None)
            case Queued():
                return Row()
            case Ended(error=error) if error is not None and self._rows and error.slug != InterruptedRunError.slug:
                return msgspec.structs.replace(row or Row(), failed=error.slug, troubled=None)
            case Troubled() if row is not None:
                return msgspec.structs.replace(row, troubled=row.troubled or self._clock.monotonic())
            case Recovered() if row is not None:
                return msgspec.structs.replace(row, troubled=None)
        return None

    def _replace(self, server: str, row: Row) -> None:
        rows = {**self._rows, server: row}
        self._rows = self._in_order(rows)
        if self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self._drawing,
                auto_refresh=self._auto_refresh,
                refresh_per_second=REFRESHES_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._refresh()

    def _refresh(self) -> None:
        if self._live is not None and not self._auto_refresh:
            self._live.refresh()

    def _in_order(self, rows: Mapping[str, Row]) -> dict[str, Row]:
        return {name: rows[name] for name in self._servers if name in rows}

    def _drawing(self) -> RenderableType:
        return Constrain(self._whole_drawing(), max(1, self._console.width - ECHO_COLUMNS))

    def _whole_drawing(self) -> RenderableType:
        rows, now = self._in_order({**self._early, **self._rows}), self._clock.monotonic()
        wide = self._console.width >= WIDE
        grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=False, expand=True)
        add_columns(grid, named=len(self._servers) > 1, wide=wide)
        drawn, rest = screenful(rows, self._room)
        for server, row in drawn:
            shown = cells(row, now)
            named = [line((server, STRONG)), *shown] if len(self._servers) > 1 else shown
            grid.add_row(*named, self._message(row)) if wide else grid.add_row(*named)
        if rest is not None:
            return Group(grid, rest)
        if wide or self._live is None or len(rows) != 1:
            return grid
        below = self._message(*rows.values())
        return Group(grid, Padding(below, (0, 0, 0, 7))) if below else grid

    def _message(self, row: Row) -> Text:
        """Return the last message, else the step of the job, on one line, cut where the line ends."""
        if row.job is None or self._live is None:
            return Text()
        said = message_text(row.job.messages[-1]) if row.job.messages else row.job.step or ""
        encoding = self._console.encoding
        text = said.encode(encoding, "backslashreplace").decode(encoding)
        message = line(text)
        message.no_wrap = True
        message.overflow = "crop" if self._console.options.ascii_only else "ellipsis"
        return message
