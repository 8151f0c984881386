"""The runs that a schedule should have made.

The appliance tells neither when a schedule was created nor when it was changed. So its jobs show when it began and at
which other times it ran; its days are those of today.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final, NamedTuple

from backupctl.rules.days import WEEK
from backupctl.rules.recurrence import Occurrence, occurrences

EARLY: Final = timedelta(minutes=5)
PROMPT: Final = timedelta(minutes=15)
"""A run is on time if it starts at most this long before or after it is due."""

REGULAR: Final = 3
"""Runs in a row at another time that show an earlier time of the schedule."""

NEAR: Final = timedelta(hours=2)
"""The longest time between a run that is on time and when it is due, with room for a change of the clock."""


class Era(NamedTuple):
    """Runs at the same time of day, from the start of the ``first`` to that of the ``last``."""

    at: time
    first: datetime
    last: datetime


class Calendar(NamedTuple):
    """The time, the days and the time zone of a schedule."""

    at: time
    days: Collection[str]
    zone: tzinfo

    def day(self, due: datetime) -> str:
        """Return the day of the week of a run."""
        return WEEK[due.astimezone(self.zone).weekday()]

    def is_on_time(self, start: datetime, at: time | None = None) -> bool:
        """Return whether a run started at the time of the schedule, or at another one, on whatever day."""
        near = occurrences(at or self.at, (), start - NEAR, start + NEAR, self.zone)
        return any(each.earliest - EARLY <= start <= each.latest + PROMPT for each in near)

    def eras(self, starts: Sequence[datetime]) -> list[Era]:
        """Return when the schedule ran at which time, oldest first; irregular runs belong to none."""
        found: list[Era] = []
        for index, start in enumerate(starts):
            known = [self.at, *(era.at for era in found[-1:])]
            at = next((each for each in known if self.is_on_time(start, each)), None)
            if at is None:
                at = start.astimezone(self.zone).time().replace(second=0, microsecond=0)
                row = starts[index : index + REGULAR]
                if len(row) < REGULAR or not all(self.is_on_time(each, at) for each in row):
                    continue
            if found and found[-1].at == at:
                found[-1] = found[-1]._replace(last=start)
            else:
                found.append(Era(at, start, start))
        return found

    def expected(self, eras: Sequence[Era], until: datetime) -> list[Occurrence]:
        """Return the runs that were due in the eras, and then to before ``until``, oldest first.

        After the last run of an era, the next ones are expected at the following time: the change came in between.
        """
        runs: list[Occurrence] = []
        begin, now = eras[0].first - NEAR, Era(self.at, until + NEAR, until)
        for era, following in pairwise((*eras, now)):
            old = self._due(era.at, begin, following.first)
            made = sum(each.earliest - EARLY <= era.last for each in old)
            runs += old[:made]
            begin = min([each.due for each in old[made:]] + [following.first - NEAR])
        return runs + self._due(self.at, begin, until)

    def _due(self, at: time, since: datetime, until: datetime) -> list[Occurrence]:
        return list(occurrences(at, self.days, since, until, self.zone))
