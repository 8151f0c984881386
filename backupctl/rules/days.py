"""Days of the week, in the words of the API."""

from collections.abc import Iterable
from typing import Final

WEEK: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def sorted_days(days: Iterable[str] | None) -> tuple[str, ...]:
    """Return each day once, in the order of the week and unknown names last, so that two lists can be compared.

    The result is empty for every day: no list, an empty list and all seven days mean the same to the appliance.
    """
    found = dict.fromkeys(day.upper() for day in days or ())
    if found.keys() >= set(WEEK):
        return ()
    return tuple(sorted(found, key=lambda day: WEEK.index(day) if day in WEEK else len(WEEK)))
