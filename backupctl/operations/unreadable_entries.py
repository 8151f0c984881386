"""Lists of the appliance of which some entries cannot be read: the others count, and the user is told."""

from collections.abc import Sequence
from typing import Final, TypeVar

from backupctl.models import Unreadable
from backupctl.results.events import Warned
from backupctl.scheduler.appliance import Appliance

T = TypeVar("T")

_MOST_NAMED: Final = 3


def readable(appliance: Appliance, entries: Sequence[T | Unreadable], what: str) -> list[T]:
    """Return the entries that can be read, and warn of the others; ``what`` is the plural of what they are."""
    odd = [entry for entry in entries if isinstance(entry, Unreadable)]
    warn_unreadable(appliance, odd, f"{len(odd)} of {len(entries)} {what} cannot be read")
    return [entry for entry in entries if not isinstance(entry, Unreadable)]


def warn_unreadable(appliance: Appliance, odd: Sequence[Unreadable], message: str) -> None:
    """Warn of entries that cannot be read, if there are any, and name the first few."""
    if not odd:
        return
    named = [f"{entry.name} ({entry.why})" for entry in odd[:_MOST_NAMED]]
    more = [f"{len(odd) - _MOST_NAMED} more"] if len(odd) > _MOST_NAMED else []
    message = f"{message}: {', '.join([*named, *more])}"
    appliance.emit(Warned(time=appliance.clock.now(), server=appliance.name, message=message))
