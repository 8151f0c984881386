"""How results are rendered, and a rendered result."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from backupctl.formatting import relative, timestamp
from backupctl.output.terminal.styled_lines import StyledLine, Symbols
from backupctl.output.terminal.table import Cell, Rows
from backupctl.results.backup_results import Check


class RenderOptions(NamedTuple):
    """How to render results.

    ``width`` is None if lines need not fit, ``number`` is the number of results, ``shared`` are checks and
    ``not_proved`` is what no verification proves, both shown once below all results, ``cancelled`` are servers whose
    job this run has cancelled.
    """

    width: int | None
    symbols: Symbols
    zone: tzinfo | None
    now: datetime
    command: str | None = None
    number: int = 1
    shared: frozenset[Check] = frozenset()
    not_proved: Sequence[str] = ()
    cancelled: frozenset[str] = frozenset()

    @property
    def several(self) -> bool:
        """Whether there is more than one result."""
        return self.number > 1

    def when(self, time: datetime | None) -> str | None:
        """Format a time, relative and absolute: ``2 h ago · 2026-11-28 06:30 CET``."""
        if time is None:
            return None
        return f" {self.symbols.dot} ".join(filter(None, (relative(time, self.now), timestamp(time, self.zone))))

    def when_cells(self, time: datetime | None) -> tuple[Cell, Cell]:
        """Return a time as two cells, relative and absolute."""
        if time is None:
            return None, None
        return relative(time, self.now) or None, timestamp(time, self.zone)


class Rendered(NamedTuple):
    """A result as text: ``lines`` and ``table`` for standard output, ``heading`` and ``notes`` for standard error.

    Tables of several results are shown as one, and a heading that several share once, above the first. ``close`` ones
    have no empty line between them.
    """

    lines: Sequence[StyledLine] = ()
    notes: Sequence[StyledLine] = ()
    heading: Sequence[StyledLine] = ()
    table: Rows | None = None
    close: bool = False
