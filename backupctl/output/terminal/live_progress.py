"""Live progress on a terminal: one row per appliance, redrawn several times a second.

Rows are immutable and are replaced as a whole, because a thread of rich reads them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from backupctl.clock import Clock
from backupctl.errors import InterruptedRunError
from backupctl.formatting import seconds_between
from backupctl.output.terminal.event_text import event_lines
from backupctl.output.terminal.progress_log import is_news, message_text, print_lines
from backupctl.output.terminal.progress_rows import Row, add_columns, cells, elapsed_before
from backupctl.output.terminal.rich_console import RichConsole
from backupctl.output.terminal.row_selection import select_rows
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
    Retrying,
    RunEvent,
    Started,
    Waiting,
)
from backupctl.results.result import Result

WIDE: Final = 120
"""From this width on, the last message or step is in the row, not below it."""
REFRESHES_PER_SECOND: Final = 4
LINES_ABOVE: Final = 4
"""Lines left free above the rows, for the last events."""
MIN_ROWS: Final = 3
ECHO_COLUMNS: Final = 3
"""Columns left free on the right: a terminal echoes ``^C`` at the cursor, and a full line would scroll."""


class LiveProgress:
    """Draws the rows below all other lines; without ``auto_refresh``, only on events."""

    def __init__(self, console: RichConsole, *, clock: Clock, auto_refresh: bool = True) -> None:
        self._console = console
        self._clock = clock
        self._auto_refresh = auto_refresh
        self._servers: dict[str, None] = {}
        self._rows: Mapping[str, Row] = {}
        self._pending: Mapping[str, Row] = {}
        """Appliances without a job yet."""
        self._live: Live | None = None

    def expect(self, servers: Sequence[str]) -> None:
        """Set the order of the rows."""
        self._servers = dict.fromkeys(servers)
        self._pending = dict.fromkeys(servers, Row(preparing=True)) if len(servers) > 1 else {}

    def show(self, event: RunEvent) -> None:
        """Show an event, as a line above the rows or as a change of a row."""
        self._servers.setdefault(event.server)
        if isinstance(event, Ended | Waiting) and event.server in self._pending:
            pending = {event.server: Row()} if isinstance(event, Waiting) else {}
            self._pending = {name: row for name, row in self._pending.items() if name != event.server} | pending
            self._refresh()
        counted = self._is_crowded and isinstance(event, Started | PartsSelected)
        if is_news(event, following=bool(self._rows)) and not counted:
            before = f"{event.server}: " if len(self._servers) > 1 else ""
            print_lines(self._console, event_lines(event, before))
        row = self._row_after(event)
        if row is not None:
            self._replace(event.server, row)

    def settle(self, results: Iterable[Result]) -> None:
        """Draw the final state of each row."""
        self._pending = {}
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
        """Stop drawing; the last state stays on the screen."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    @property
    def _room(self) -> int:
        return max(MIN_ROWS, self._console.height - LINES_ABOVE)

    @property
    def _is_crowded(self) -> bool:
        """Whether there are too many appliances to print a line for each start."""
        return len(self._servers) > self._room

    def _row_after(self, event: RunEvent) -> Row | None:
        """Return the new row of an appliance after an event, None if it does not change."""
        row = self._rows.get(event.server)
        match event:
            case Started(job=job) | Adopted(job=job) | Attached(job=job) | Progressed(job=job) | Cancelling(job=job):
                if row is None or row.job is None or row.job.id != job.id:
                    started = self._clock.monotonic() - elapsed_before(job, event)
                    return Row(job=job, started=started, cancelled=isinstance(event, Cancelling))
                cancelled = row.cancelled or isinstance(event, Cancelling)
                left = seconds_between(event.time, job.expected_end)
                expected_end = None if left is None else self._clock.monotonic() + left
                return msgspec.structs.replace(
                    row, job=job, troubled=None, cancelled=cancelled, expected_end=expected_end
                )
            case Queued():
                return Row()
            case Ended(error=error) if error is not None and self._rows and error.slug != InterruptedRunError.slug:
                return msgspec.structs.replace(row or Row(), failed=error.slug, troubled=None)
            case Retrying() if row is not None:
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
                get_renderable=self._rendered,
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

    def _rendered(self) -> RenderableType:
        return Constrain(self._rows_and_rest(), max(1, self._console.width - ECHO_COLUMNS))

    def _rows_and_rest(self) -> RenderableType:
        rows, now = self._in_order({**self._pending, **self._rows}), self._clock.monotonic()
        wide = self._console.width >= WIDE
        grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=False, expand=True)
        add_columns(grid, named=len(self._servers) > 1, wide=wide)
        shown_rows, rest = select_rows(rows, self._room)
        for server, row in shown_rows:
            columns = cells(row, now, alone=len(rows) == 1)
            if len(self._servers) > 1:
                columns = [line((server, STRONG)), *columns]
            grid.add_row(*columns, self._message(row)) if wide else grid.add_row(*columns)
        if rest is not None:
            return Group(grid, rest)
        if wide or self._live is None or len(rows) != 1:
            return grid
        below = self._message(*rows.values())
        return Group(grid, Padding(below, (0, 0, 0, 7))) if below else grid

    def _message(self, row: Row) -> Text:
        """Return the last message, else the step of the job, cut to one line."""
        if row.job is None or self._live is None:
            return Text()
        text = message_text(row.job.messages[-1]) if row.job.messages else row.job.step or ""
        encoding = self._console.encoding
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        message = line(text).__rich__()
        message.no_wrap = True
        message.overflow = "crop" if self._console.ascii_only else "ellipsis"
        return message
