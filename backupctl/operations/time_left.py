"""An estimate of the time left of a running job, from earlier jobs and its own progress; never a verdict.

The durations of earlier jobs say how long the whole job may take, and the progress so far says how fast this one is. At
20 % the earlier jobs count for four fifths of the estimate, at 80 % for one fifth.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final, NamedTuple

from backupctl.formatting import duration
from backupctl.results.job import Job

_MAX_EARLIER_JOBS: Final = 10
_MAX_EARLIER_SECONDS: Final = 30 * 86_400.0
"""A job that took longer hung, or its duration is wrong; neither says how long the next one takes."""
_MIN_PERCENT: Final = 10
"""The progress that must have been watched before it says anything about the pace."""
_LONG_FACTOR: Final = 1.5
"""A job is unusually long after this many times the duration of the longest earlier one."""
_LONG_SECONDS: Final = 300.0
"""... and this many seconds more, because short jobs vary."""


class UsualDuration(NamedTuple):
    """How long earlier jobs took, in seconds."""

    median: float
    longest: float


class TimeLeft:
    """Estimates the time left of one job. Times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self.usual: UsualDuration | None = None
        self._began = now
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None
        self.has_learned = False
        self._warned = False

    def learn(self, durations: Sequence[float]) -> None:
        """Take the durations of earlier jobs, the newest first."""
        self.has_learned = True
        newest = [seconds for seconds in durations if seconds <= _MAX_EARLIER_SECONDS][:_MAX_EARLIER_JOBS]
        if newest:
            self.usual = UsualDuration(median(newest), max(newest))

    def observe(self, now: float, job: Job) -> None:
        """Record the state of the job as of ``now``."""
        if job.duration_seconds is not None:
            self._began = min(self._began, now - job.duration_seconds)
        if job.progress is not None and (self._last is None or job.progress != self._last[1]):
            self._last = now, job.progress
            self._first = self._first or self._last

    def seconds(self, now: float) -> float | None:
        """Return the seconds left, None if nothing is known or the job should have ended by now."""
        pace = self._by_pace(now)
        usual = None if self.usual is None else self._began + self.usual.median - now
        done = self._last[1] / 100 if self._last else 0.0
        left = pace if usual is None else usual if pace is None else usual * (1 - done) + pace * done
        return left if left is not None and left > 0 else None

    def expected_end(self, now: float, time: datetime) -> datetime | None:
        """Return when the job is expected to end, if ``time`` is now; None if that is not known."""
        left = self.seconds(now)
        try:
            return None if left is None else time + timedelta(seconds=left)
        except OverflowError:  # This machine's clock is set to the end of the year 9999.
            return None

    def long_run_warning(self, now: float) -> str | None:
        """Return, once, the warning that the job has run for much longer than any earlier one."""
        elapsed = now - self._began
        if self._warned or self.usual is None or elapsed <= _LONG_FACTOR * self.usual.longest + _LONG_SECONDS:
            return None
        self._warned = True
        return f"running for {duration(elapsed)}, usually {duration(self.usual.median)}"

    def _by_pace(self, now: float) -> float | None:
        if self._first is None or self._last is None or self._last[1] - self._first[1] < _MIN_PERCENT:
            return None
        seconds_per_percent = (self._last[0] - self._first[0]) / (self._last[1] - self._first[1])
        return (100 - self._last[1]) * seconds_per_percent - (now - self._last[0])
