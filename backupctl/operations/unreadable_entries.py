"""Lists of the appliance in which some entries cannot be read: a warning names them, and the others are used."""

from collections.abc import Sequence
from typing import Final, TypeVar

from backupctl.models import UnreadableEntry
from backupctl.results.events import Warned
from backupctl.scheduler.appliance import Appliance

T = TypeVar("T")

_MAX_NAMED: Final = 3
"""How many unreadable entries a warning names."""


def readable(appliance: Appliance, entries: Sequence[T | UnreadableEntry], what: str) -> list[T]:
    """Return the readable entries, and warn of the others; ``what`` names the entries, such as ``parts``."""
    bad = [entry for entry in entries if isinstance(entry, UnreadableEntry)]
    warn_unreadable(appliance, bad, f"{len(bad)} of {len(entries)} {what} cannot be read")
    return [entry for entry in entries if not isinstance(entry, UnreadableEntry)]


def warn_unreadable(appliance: Appliance, bad: Sequence[UnreadableEntry], message: str) -> None:
    """Warn of unreadable entries, if any, and name the first three."""
    if not bad:
        return
    named = [f"{entry.name} ({entry.why})" for entry in bad[:_MAX_NAMED]]
    more = [f"{len(bad) - _MAX_NAMED} more"] if len(bad) > _MAX_NAMED else []
    message = f"{message}: {', '.join([*named, *more])}"
    appliance.emit(Warned(message=message))
