"""Days of the week in the API's words, and the one form in which two lists of them can be compared."""

from collections.abc import Iterable
from typing import Final

WEEK: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def canonical_days(days: Iterable[str] | None) -> tuple[str, ...]:
    """Return days once each in the order of the week, what is no day of it last; empty for every day.

    No list, an empty one and all seven days mean the same to the appliance.
    """
    found = dict.fromkeys(day.upper() for day in days or ())
    if found.keys() >= set(WEEK):
        return ()
    return tuple(sorted(found, key=lambda day: WEEK.index(day) if day in WEEK else len(WEEK)))
