"""The poll interval of a running job: when to ask for its status again; no I/O and no clock.

A poll that comes late reports the end late (lag), and a poll that comes early wastes a request. A fixed interval trades
one for the other for the whole job. But while the progress goes from 40 to 41 %, the job cannot end.

The policy, for a job whose progress has changed at least once:

* A step is the time between two changes of the progress. The job is not expected to end before its *last step*, the one
  that reaches 100 % and is as large as the largest of the last four. Until that step begins, wait for half of the
  remaining time, estimated from those four.
* In the last step, poll every 2.5 s, plus 0.2 s for each percent of that step (5 s at most). The last step of a job
  that counts 1 % by 1 % is short and worth watching closely; one of 10 % lasts a tenth of the job.
* A step that takes 1.5 times as long as the longest of those four is overdue, and is polled at the longest interval.
* Never wait longer than 19.5 s, or 9 s from 90 % on, where jobs stand still and then end suddenly.

A job whose progress has not changed yet is polled after half the time since the first poll, between 2.5 and 12 s.

A token bucket limits all of this: it holds 11 polls and gains one every 12 s. Together with the details, which are read
at most once a minute, a job of any progress costs at most 12 + seconds / 10 requests.

``tests/benchmarks/test_following.py`` measures the policy. Run it before and after each change here.
"""

from collections import deque
from itertools import pairwise
from typing import Final, NamedTuple

MAX_INTERVAL: Final = 19.5
"""Seconds. A sudden failure is reported within 20 s, the time of the responses included."""
LATE_PERCENT: Final = 90
LATE_MAX_INTERVAL: Final = 9.0
"""Seconds. In a stall near the end, this reports no later and costs no more requests than a loop of 10 s."""
LAST_STEP_INTERVAL: Final = 2.5
"""Seconds. Reporting the end a second earlier is not worth another request."""
LAST_STEP_SECONDS_PER_PERCENT: Final = 0.2
"""Seconds. A larger last step lasts longer, and must not cost proportionally more requests."""
MAX_LAST_STEP_INTERVAL: Final = 5.0
OVERDUE_FACTOR: Final = 1.5
"""Factor to the longest of the last steps. Uneven steps are common; a step that does not end is a stall."""

BUCKET_SIZE: Final = 11
BUCKET_REFILL_SECONDS: Final = 12.0
"""Seconds in which the bucket gains a poll; also the longest interval before the progress has changed."""
DETAILS_INTERVAL: Final = 60.0

MAX_CHANGES: Final = 5
"""Five changes bound four steps: enough to smooth uneven steps, few enough to forget a pause."""


class ProgressChange(NamedTuple):
    """The time of a poll that returned a new progress."""

    seconds: float
    percent: int


class PollSchedule:
    """The intervals between the polls of one job; a fixed ``interval`` (seconds) replaces the policy and the bucket.

    Times are monotonic seconds. Call ``observe`` after each poll, then ``next_interval``.
    """

    def __init__(self, interval: float | None = None) -> None:
        self._interval = interval
        self._first_poll: float | None = None
        self._polls = 0
        self._details_at: float | None = None
        self._changes: deque[ProgressChange] = deque(maxlen=MAX_CHANGES)

    def observe(self, now: float, progress: int | None) -> None:
        """Record a poll that ended at ``now``; ``progress`` is None if the poll failed or returned none."""
        if self._first_poll is None:
            self._first_poll = now
        self._polls += 1
        if progress is None or (self._changes and progress == self._changes[-1].percent):
            return
        if self._changes and progress < self._changes[-1].percent:
            self._changes.clear()  # The progress went back, so its earlier speed means nothing.
        self._changes.append(ProgressChange(now, progress))

    def next_interval(self, now: float) -> float:
        """Return how many seconds after ``now`` to poll next."""
        if self._interval is not None:
            return self._interval
        followed = self._seconds_followed(now)
        tokens = BUCKET_SIZE + followed / BUCKET_REFILL_SECONDS - self._polls
        until_next_token = (1 - tokens) * BUCKET_REFILL_SECONDS
        return min(MAX_INTERVAL, max(self._unlimited_interval(now, followed), until_next_token))

    def details_due(self, now: float) -> bool:
        """Return whether to read the job's details: at first, and a minute after they were last read."""
        return self._details_at is None or now - self._details_at >= DETAILS_INTERVAL

    def observe_details(self, now: float) -> None:
        """Record that the job's details were requested at ``now``."""
        self._details_at = now

    def _seconds_followed(self, now: float) -> float:
        return 0.0 if self._first_poll is None else now - self._first_poll

    def _unlimited_interval(self, now: float, followed: float) -> float:
        """Return the interval that follows from the progress, before the bucket limits it."""
        late = bool(self._changes) and self._changes[-1].percent >= LATE_PERCENT
        longest = LATE_MAX_INTERVAL if late else MAX_INTERVAL
        if len(self._changes) < 2:
            return min(longest, BUCKET_REFILL_SECONDS, max(LAST_STEP_INTERVAL, followed / 2))
        first, last = self._changes[0], self._changes[-1]
        steps = list(pairwise(self._changes))
        if now - last.seconds > OVERDUE_FACTOR * max(after.seconds - before.seconds for before, after in steps):
            return longest
        largest_step = max(after.percent - before.percent for before, after in steps)
        close = min(MAX_LAST_STEP_INTERVAL, LAST_STEP_INTERVAL + LAST_STEP_SECONDS_PER_PERCENT * largest_step)
        seconds_per_percent = (last.seconds - first.seconds) / (last.percent - first.percent)
        until_last_step = (100 - largest_step - last.percent) * seconds_per_percent
        return max(close, min(longest, until_last_step / 2))
