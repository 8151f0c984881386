"""The runs that a schedule should have made.

The appliance does not report when a schedule was created or changed. The jobs show when it began and at which other
times it ran; its days are those of today.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final, NamedTuple

from backupctl.rules.recurrence import Occurrence, occurrences

EARLY: Final = timedelta(minutes=5)
MAX_DELAY: Final = timedelta(minutes=15)
"""A run is on time if it starts at most this long before or after it is due."""

MIN_RUNS: Final = 3
"""Runs in a row that show an earlier time of the schedule, or that it never ran if all are missing."""

MAX_SHIFT: Final = timedelta(hours=2)
"""The longest time between a run that is on time and when it is due, with room for a change of the clock."""


class SchedulePeriod(NamedTuple):
    """Runs at the same time of day, from the start of the ``first`` to that of the ``last``."""

    at: time
    first: datetime
    last: datetime


class Calendar(NamedTuple):
    """The time, the days and the time zone of a schedule."""

    at: time
    days: Collection[str]
    zone: tzinfo

    def is_on_time(self, start: datetime, at: time | None = None) -> bool:
        """Return whether a run started at the time of the schedule, or at another one, on whatever day."""
        near = occurrences(at or self.at, (), start - MAX_SHIFT, start + MAX_SHIFT, self.zone)
        return any(each.earliest - EARLY <= start <= each.latest + MAX_DELAY for each in near)

    def periods(self, starts: Sequence[datetime]) -> list[SchedulePeriod]:
        """Return when the schedule ran at which time, oldest first; irregular runs belong to none.

        After runs at the time that the schedule has now, later runs at another time were late.
        """
        found: list[SchedulePeriod] = []
        for index, start in enumerate(starts):
            known = [self.at, *(period.at for period in found[-1:])]
            at = next((each for each in known if self.is_on_time(start, each)), None)
            if at is None:
                at = start.astimezone(self.zone).time().replace(second=0, microsecond=0)
                row = starts[index : index + MIN_RUNS]
                if len(row) < MIN_RUNS or not all(self.is_on_time(each, at) for each in row):
                    continue
            if found and found[-1].at == at:
                found[-1] = found[-1]._replace(last=start)
            else:
                found.append(SchedulePeriod(at, start, start))
        current = [index for index, period in enumerate(found) if period.at == self.at]
        return found[: current[-1] + 1] if current else found

    def expected(self, periods: Sequence[SchedulePeriod], until: datetime) -> list[Occurrence]:
        """Return the runs that were due in the periods, and then to before ``until``, oldest first.

        After the last run of a period, the next ones are expected at the following time: the change came in between.
        """
        runs: list[Occurrence] = []
        begin, now = periods[0].first - MAX_SHIFT, SchedulePeriod(self.at, until + MAX_SHIFT, until)
        for period, following in pairwise((*periods, now)):
            old = self.due(period.at, begin, following.first)
            made = sum(each.earliest - EARLY <= period.last for each in old)
            runs += old[:made]
            begin = min([each.due for each in old[made:]] + [following.first - MAX_SHIFT])
        return runs + self.due(self.at, begin, until)

    def due(self, at: time, since: datetime, until: datetime) -> list[Occurrence]:
        """Return the runs at a time of day that were due from ``since`` to before ``until``."""
        return list(occurrences(at, self.days, since, until, self.zone))
