"""What is true of a command as a whole, known before anything of it is loaded."""

from typing import NamedTuple


class CommandTraits(NamedTuple):
    """How a command goes about appliances.

    ``changes`` says that it changes them, which a read-only profile refuses; ``fresh`` that they wait for a restore;
    ``single`` why it makes sense for one only; ``starts_backups`` that how many run at once is limited; ``timed`` that
    ``--timeout`` bounds the first requests too. The appliance may be unreachable for ``unreachable_grace`` seconds.
    """

    changes: bool = False
    fresh: bool = False
    single: str | None = None
    starts_backups: bool = False
    timed: bool = False
    unreachable_grace: float = 0.0


STARTS_BACKUPS = CommandTraits(changes=True, starts_backups=True, timed=True)
DEFAULT_TRAITS = CommandTraits()
