"""Rows of the live display: percent, bar, elapsed time, size, state."""

from typing import Final

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from backupctl.formatting import duration, percent, seconds_between, size, time_left
from backupctl.output.terminal.labels import CANCELLED, STOPPED_BY_OTHERS, state_word, verdict
from backupctl.output.terminal.styled_lines import BAD, FAINT, GOOD, ODD, StyledLine, line
from backupctl.results.events import RunEvent, Started
from backupctl.results.job import Job

WIDE_BAR: Final = 40
PULSE_LENGTH: Final = 8
PULSE_SPEED: Final = 12

RETRYING: Final = "retrying"
FAILED: Final = "failed"
RUNNING: Final = "running"
DONE: Final = "done"
PREPARING: Final = "preparing"
WAITING: Final = "waiting"
NOT_STARTED: Final = "not started"
KINDS: Final = (RETRYING, FAILED, RUNNING, DONE, CANCELLED, PREPARING, WAITING, NOT_STARTED)
"""States of a row, the most urgent first."""

_STYLES: Final = {
    RETRYING: "cyan",
    FAILED: BAD,
    RUNNING: "cyan",
    DONE: GOOD,
    CANCELLED: ODD,
    PREPARING: FAINT,
    WAITING: FAINT,
    NOT_STARTED: FAINT,
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The last known state of an appliance.

    ``job`` is None before it starts, and if it never did. ``preparing`` is the time of login and checks before it.
    ``started``, ``troubled`` and ``expected_end`` are readings of ``Clock.monotonic``.
    ``failed`` is the slug of the error. ``cancelled``: this run has cancelled the job.
    """

    job: Job | None = None
    started: float = 0.0
    troubled: float | None = None
    expected_end: float | None = None
    failed: str | None = None
    preparing: bool = False
    cancelled: bool = False

    @property
    def kind(self) -> str:
        """The state, one of ``KINDS``; an appliance that was stopped by the failure of another has not failed."""
        if self.job is None and self.failed in STOPPED_BY_OTHERS:
            return NOT_STARTED
        if self.job is not None and state_word(self.job, cancelled=self.cancelled) == CANCELLED:
            return CANCELLED
        if self.failed is not None or (self.job is not None and self.job.ended and not self.job.succeeded):
            return FAILED
        if self.job is None:
            return PREPARING if self.preparing else WAITING
        if self.job.succeeded:
            return DONE
        return RUNNING if self.troubled is None else RETRYING

    def elapsed(self, now: float) -> float | None:
        """Return the running time of the job in seconds, None without a job."""
        if self.job is None:
            return None
        if not self.job.ended:
            return now - self.started
        if self.job.duration_seconds is not None:
            return self.job.duration_seconds
        ran = seconds_between(self.job.start_time, self.job.end_time)
        return now - self.started if ran is None else ran


class Pulse:
    """A moving bar for unknown progress.

    The one of rich blends colours, which the sixteen colours of a terminal cannot do.
    """

    def __init__(self, time: float, style: str) -> None:
        self._time = time
        self._style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        sign = "-" if options.ascii_only else "━"
        start = int(self._time * PULSE_SPEED) % max(width, 1)
        bright = {(start + offset) % width for offset in range(min(PULSE_LENGTH, width))}
        track = " " if console.no_color else sign
        yield Text("").join(
            Text(sign, self._style) if column in bright else Text(track, FAINT) for column in range(width)
        )


def add_columns(grid: Table, *, named: bool, wide: bool) -> None:
    """Add the columns for ``cells``; ``named`` adds the server before them, ``wide`` the last message after them."""
    if named:
        grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True, min_width=5)
    grid.add_column(width=WIDE_BAR) if wide else grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True, min_width=9)
    grid.add_column(justify="right", no_wrap=True, min_width=6)
    grid.add_column(no_wrap=True, min_width=13)
    if wide:
        grid.add_column(no_wrap=True, ratio=1)


def cells(row: Row, now: float, *, alone: bool = False) -> list[RenderableType]:
    """Return the cells of a row at ``now``, a reading of ``Clock.monotonic``; one ``alone`` has room for more."""
    job = row.job
    elapsed = row.elapsed(now)
    known = None if job is None else 100 if job.succeeded else job.progress
    return [
        line("" if known is None else percent(known)),
        _bar(row, known, now),
        line("" if elapsed is None else duration(elapsed, exact=True)),
        line("" if job is None or job.size_bytes is None else size(job.size_bytes)),
        _state(row, now, alone=alone),
    ]


def _bar(row: Row, known: int | None, now: float) -> RenderableType:
    if row.job is None:
        return Text()
    style = _STYLES[row.kind]
    if known is None and row.kind in {RUNNING, RETRYING}:
        return Pulse(now, style)
    return ProgressBar(completed=known or 0, style=FAINT, complete_style=style, finished_style=style)


def _state(row: Row, now: float, *, alone: bool) -> StyledLine:
    if row.kind == RETRYING and row.troubled is not None:
        return line(("retrying", ODD), f" {duration(now - row.troubled, exact=True)}")
    if row.kind == RUNNING and row.job is not None and row.expected_end is not None:
        left = time_left(row.expected_end - now, row.job.usual_duration_seconds if alone else None)
        return line((left or RUNNING, _STYLES[RUNNING]))
    if row.job is not None and (row.job.ended or row.failed is None):
        return line((state_word(row.job, cancelled=row.cancelled), _STYLES[row.kind]))
    return line((verdict(row.failed) if row.failed else row.kind, _STYLES[row.kind]))


def elapsed_before(job: Job, event: RunEvent) -> float:
    """Return how many seconds a job ran before its first event.

    The appliance's own duration is preferred, as its clock and this one may differ. A job that was just started is new.
    """
    if isinstance(event, Started):
        return 0
    if job.duration_seconds is not None:
        return job.duration_seconds
    return seconds_between(job.start_time, event.time) or 0
