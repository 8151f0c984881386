"""When to ask again about a running job; it must not read the time or talk to anybody.

Two mistakes are possible: to learn late that a job has ended (lag) and to pester the appliance. A loop with a fixed
interval trades one for the other for the whole job; but while 40 % becomes 41 %, nothing can be learnt late.

The policy, for a job whose progress has been seen to move:

* A job is not expected to end before its *last step*: the one that, as large as the largest of the four seen last,
  would reach 100 %. Until that step begins, wait half of the time to it, at the speed of those four.
* In the last step, ask every 2.5 s, plus 0.2 s for each percent of that step (5 s at most): the last step of a job
  that counts 1 % by 1 % is short and worth watching closely, one of 10 % lasts a tenth of the job.
* A step that takes half as long again as any of those four is overdue, and no longer watched closely.
* Never wait longer than 19.5 s, nor longer than 9 s from 90 % on: there jobs stand still, then end at once.

A job that has not moved yet is asked after half the time it has been followed, from 2.5 up to 12 s.

Above it all stands a bucket that holds 11 polls and gets one more every 12 s. With the details, read at most once a
minute, it guarantees at most 12 + seconds / 10 requests for any job, whatever its progress looks like.

``tests/benchmarks/test_following.py`` measures the policy; the figures there decide about a change here.
"""

from collections import deque
from itertools import pairwise
from typing import Final, NamedTuple

LONGEST_GAP: Final = 19.5
"""Seconds: with the time the answers take, a sudden failure is known within 20 s."""
LATE_PERCENT: Final = 90
LATE_GAP: Final = 9.0
"""Seconds: in a stall near the end, neither later nor, with details and all, more often than a loop of 10 s."""
CLOSE_GAP: Final = 2.5
"""Seconds: to know of the end a second earlier is not worth a request."""
CLOSE_GAP_PER_PERCENT: Final = 0.2
"""Seconds: a larger step is a longer last step, and must not cost as many more requests."""
LONGEST_CLOSE_GAP: Final = 5.0
OVERDUE: Final = 1.5
"""Times the longest of the lately seen steps: uneven steps are common, a step that never ends is a stall."""

BUCKET_POLLS: Final = 11
BUCKET_SECONDS: Final = 12.0
"""Seconds in which the bucket gains a poll; also the longest gap for a job that tells nothing of its progress."""
DETAILS_SECONDS: Final = 60.0

CHANGES_KEPT: Final = 5
"""Four steps: enough to smooth a rough pace, few enough to forget a pause."""


class ProgressChange(NamedTuple):
    """A progress seen for the first time."""

    seconds: float
    percent: int


class PollSchedule:
    """How long to wait between the polls of one job; ``interval`` (seconds) makes that constant and lifts the bucket.

    Times are seconds of any clock that only goes forward. Call ``observe`` for each poll, then ask for ``next_gap``.
    """

    def __init__(self, interval: float | None = None) -> None:
        self._interval = interval
        self._began: float | None = None
        self._polls = 0
        self._details_at = 0.0
        self._changes: deque[ProgressChange] = deque(maxlen=CHANGES_KEPT)

    def observe(self, now: float, progress: int | None) -> None:
        """Count a poll that ended at ``now``; ``progress`` is None if the answer has none, or there was no answer."""
        if self._began is None:
            self._began = self._details_at = now
        self._polls += 1
        if progress is None or (self._changes and progress == self._changes[-1].percent):
            return
        if self._changes and progress < self._changes[-1].percent:
            self._changes.clear()  # it went back: what was learnt about its speed is void
        self._changes.append(ProgressChange(now, progress))

    def next_gap(self, now: float) -> float:
        """Return the seconds to wait from ``now`` until the next poll."""
        if self._interval is not None:
            return self._interval
        followed = self._followed(now)
        credit = BUCKET_POLLS + followed / BUCKET_SECONDS - self._polls
        until_next_credit = (1 - credit) * BUCKET_SECONDS
        return min(LONGEST_GAP, max(self._wanted_gap(now, followed), until_next_credit))

    def details_due(self, now: float) -> bool:
        """Tell whether the job's details may be read: a minute after the first poll, or after they were last read."""
        return self._began is not None and now - self._details_at >= DETAILS_SECONDS

    def observe_details(self, now: float) -> None:
        """Count a reading of the job's details at ``now``, answered or not."""
        self._details_at = now

    def _followed(self, now: float) -> float:
        return 0.0 if self._began is None else now - self._began

    def _wanted_gap(self, now: float, followed: float) -> float:
        """Return the gap that the job's progress asks for, before the bucket has its say."""
        late = bool(self._changes) and self._changes[-1].percent >= LATE_PERCENT
        longest = LATE_GAP if late else LONGEST_GAP
        if len(self._changes) < 2:
            return min(longest, BUCKET_SECONDS, max(CLOSE_GAP, followed / 2))
        first, last = self._changes[0], self._changes[-1]
        steps = list(pairwise(self._changes))
        if now - last.seconds > OVERDUE * max(after.seconds - before.seconds for before, after in steps):
            return longest
        largest_step = max(after.percent - before.percent for before, after in steps)
        close = min(LONGEST_CLOSE_GAP, CLOSE_GAP + CLOSE_GAP_PER_PERCENT * largest_step)
        seconds_per_percent = (last.seconds - first.seconds) / (last.percent - first.percent)
        until_last_step = (100 - largest_step - last.percent) * seconds_per_percent
        return max(close, min(longest, until_last_step / 2))
