"""Rules that keep archives, with the semantics of ``restic forget``.

The rules are independent: an archive is kept if any of them keeps it. Source:
https://restic.readthedocs.io/en/stable/060_forget.html#removing-snapshots-according-to-a-policy
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec


class KeepRules(msgspec.Struct, frozen=True):
    """How many archives each rule keeps, 0 for none; ``within`` is in seconds before the newest archive."""

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    within: float = 0.0


_PERIODS: Final[dict[str, Callable[[datetime], object]]] = {
    "last": lambda _: object(),  # a period for each archive
    "daily": lambda time: time.date(),
    "weekly": lambda time: time.isocalendar()[:2],
    "monthly": lambda time: (time.year, time.month),
}
"""The period of an archive for each rule that counts; each period keeps its newest archive."""


def keep_reasons(times: Sequence[datetime], rules: KeepRules) -> list[tuple[str, ...]]:
    """Return the names of the rules that keep each archive, none for one to remove; ``times`` are the newest first.

    While a rule has counts left, it keeps the oldest archive too, so that the history is as long as it can be.
    """
    reasons: list[list[str]] = [[] for _ in times]
    for rule, period in _PERIODS.items():
        left, previous = getattr(rules, rule), None
        for index, time in enumerate(times):
            current = period(time)
            if left and (current != previous or index == len(times) - 1):
                reasons[index].append(rule if current != previous else f"oldest {rule}")
                left, previous = left - 1, current
    for index, time in enumerate(times):
        if times[0] - time < timedelta(seconds=rules.within):
            reasons[index].append("within")
    return [tuple(each) for each in reasons]
