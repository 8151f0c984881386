"""The row of a job in the live display: percent, bar, elapsed time, size, state."""

from typing import Final

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from backupctl.models import JobState
from backupctl.results import Event, Job, Started
from backupctl.views.human.lines import BAD, FAINT, GOOD, ODD, line
from backupctl.views.quantities import duration, percent, seconds_between, size

WIDE_BAR: Final = 40
PULSE_LENGTH: Final = 8
PULSE_SPEED: Final = 12


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it was last seen; ``started`` and ``troubled`` are readings of the clock's ``monotonic``."""

    job: Job
    started: float
    troubled: float | None = None

    def elapsed(self, now: float) -> float:
        """Return how long the job runs or ran, in seconds."""
        if not self.job.ended:
            return now - self.started
        if self.job.duration_seconds is not None:
            return self.job.duration_seconds
        ran = seconds_between(self.job.start_time, self.job.end_time)
        return now - self.started if ran is None else ran


class Pulse:
    """A bar for a progress that nobody knows: a piece of it moves along.

    The one of rich blends colours, which the sixteen of a terminal theme cannot do.
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
    """Add the columns of the cells: before them the server if ``named``, after them the last message if ``wide``."""
    if named:
        grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True, min_width=5)
    grid.add_column(width=WIDE_BAR) if wide else grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True, min_width=9)
    grid.add_column(justify="right", no_wrap=True, min_width=6)
    grid.add_column(no_wrap=True, min_width=13)
    if wide:
        grid.add_column(no_wrap=True, ratio=1)


def cells(row: Row, now: float) -> list[RenderableType]:
    """Return what is to be seen of a job at the time ``now`` of the clock's ``monotonic``."""
    job = row.job
    style = _style(job)
    known = 100 if job.succeeded else job.progress
    bar: RenderableType = Pulse(now, style)
    if known is not None or job.ended:
        bar = ProgressBar(completed=known or 0, style=FAINT, complete_style=style, finished_style=style)
    state = line((job.state, style))
    if row.troubled is not None:
        state = line(("retrying", ODD), f" {duration(now - row.troubled)}")
    return [
        line("" if known is None else percent(known)),
        bar,
        line(duration(row.elapsed(now))),
        line("" if job.size_bytes is None else size(job.size_bytes)),
        state,
    ]


def _style(job: Job) -> str:
    if job.succeeded:
        return GOOD
    return BAD if job.state == JobState.FAILED else "cyan"


def ran_before(job: Job, event: Event) -> float:
    """Return how long a job ran before it was seen first.

    The appliance's own count is best, as its clock and ours may differ; a job that was just started is new.
    """
    if isinstance(event, Started):
        return 0
    if job.duration_seconds is not None:
        return job.duration_seconds
    return seconds_between(job.start_time, event.time) or 0
