"""The traits of a command that decide how the runner treats appliances."""

from typing import NamedTuple


class CommandTraits(NamedTuple):
    """The traits of a command.

    ``changes``: it changes appliances, so read-only ones are refused. ``fresh``: appliances wait for a restore.
    ``single_reason``: why it accepts only one appliance, None if it accepts several. ``starts_backups``: the number of
    concurrent backups is limited. ``timed``: ``--timeout`` applies to the first requests too. ``unreachable_grace``:
    seconds for which an appliance may be unreachable. ``journaled``: the journal keeps the results. ``deadline``:
    seconds in which the whole run must end; a monitor then gets an error in the settings of all as that of each.
    """

    changes: bool = False
    fresh: bool = False
    single_reason: str | None = None
    starts_backups: bool = False
    timed: bool = False
    unreachable_grace: float = 0.0
    journaled: bool = False
    deadline: float | None = None


STARTS_BACKUPS = CommandTraits(changes=True, starts_backups=True, timed=True, journaled=True)
DEFAULT_TRAITS = CommandTraits()
