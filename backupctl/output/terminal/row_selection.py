"""Choose the rows to draw when there are more than fit on the screen, and count the rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from rich.text import Text

from backupctl.output.terminal.labels import CANCELLED
from backupctl.output.terminal.progress_rows import (
    DONE,
    FAILED,
    KINDS,
    NOT_STARTED,
    PREPARING,
    RETRYING,
    RUNNING,
    WAITING,
    Row,
)
from backupctl.output.terminal.styled_lines import BAD, FAINT, GOOD, ODD, line, with_commas

_COUNTED = (RUNNING, RETRYING, FAILED, DONE, CANCELLED, PREPARING, WAITING, NOT_STARTED)
"""Order in which the rest is counted."""

_STYLES = {RETRYING: ODD, FAILED: BAD, DONE: GOOD, CANCELLED: ODD}

Named = tuple[str, Row]


def select_rows(rows: Mapping[str, Row], room: int) -> tuple[list[Named], Text | None]:
    """Return the rows to draw in ``room`` lines, and a last line that counts the others, None if all fit.

    Retrying and failed rows come first, but leave half of the room to running ones, and share their half evenly. Other
    rows keep their order, so that they do not jump about.
    """
    if len(rows) <= room:
        return list(rows.items()), None
    room = max(1, room - 1)
    by_kind: dict[str, list[Named]] = {kind: [] for kind in KINDS}
    for named in rows.items():
        by_kind[named[1].kind].append(named)
    retrying, failed, *fine = by_kind.values()
    shown = _both(retrying, failed, max(room - len(by_kind[RUNNING]), room // 2))
    shown += islice((named for those in fine for named in those), room - len(shown))
    return shown, _rest(rows, shown)


def _both(some: Sequence[Named], others: Sequence[Named], room: int) -> list[Named]:
    """Return as many of two kinds as fit, half of each if there are enough."""
    fewer = min(len(others), max(room // 2, room - len(some)))
    return [*some[: room - fewer], *others[:fewer]]


def _rest(rows: Mapping[str, Row], shown: Sequence[Named]) -> Text:
    counts = Counter(row.kind for row in rows.values())
    counts.subtract(row.kind for _, row in shown)
    pieces = [(f"{counts[kind]} {kind}", _STYLES.get(kind, "")) for kind in _COUNTED if counts[kind]]
    text = line((f"and {len(rows) - len(shown)} more: ", FAINT), *with_commas(pieces)).__rich__()
    text.no_wrap, text.overflow = True, "crop"
    return text
