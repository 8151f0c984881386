"""Rows selected for drawing, and the summary of the others."""

from collections import Counter

import pytest

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
from backupctl.output.terminal.row_selection import select_rows
from tests.output.samples import a_finished_job, a_job

ROWS = {
    RUNNING: Row(job=a_job()),
    RETRYING: Row(job=a_job(), troubled=1.0),
    "cancelled": Row(job=a_finished_job("FAILED"), cancelled=True),
    FAILED: Row(failed="connection"),
    DONE: Row(job=a_finished_job()),
    PREPARING: Row(preparing=True),
    WAITING: Row(),
    NOT_STARTED: Row(failed="not-tried"),
}


def drawn(room: int = 20, **counts: int) -> tuple[dict[str, int], str | None]:
    """Return how many rows of each kind are drawn, and the last line."""
    rows = {f"{kind}{number}": ROWS[kind] for kind, count in counts.items() for number in range(count)}
    shown, rest = select_rows(rows, room)
    return Counter(row.kind for _, row in shown), rest.plain if rest else None


def test_row_kinds_have_their_rows() -> None:
    assert {kind: row.kind for kind, row in ROWS.items()} == {kind: kind for kind in KINDS}
    assert Row(job=a_finished_job("FAILED")).kind == FAILED
    assert Row(job=a_job(), failed="timed-out").kind == FAILED


def test_rows_that_fit_are_drawn_in_order() -> None:
    rows = {"a": ROWS[DONE], "b": ROWS[RUNNING], "c": ROWS[FAILED]}
    assert select_rows(rows, 3) == (list(rows.items()), None)


@pytest.mark.parametrize(
    ("counts", "shown", "rest"),
    [
        ({"running": 1000}, {"running": 19}, "and 981 more: 981 running"),
        ({"done": 13, "running": 960}, {"running": 19}, "and 954 more: 941 running, 13 done"),
        ({"done": 990, "running": 10}, {"running": 10, "done": 9}, "and 981 more: 981 done"),
        ({"failed": 30, "running": 970}, {"failed": 9, "running": 10}, "and 981 more: 960 running, 21 failed"),
        ({"failed": 2, "running": 970}, {"failed": 2, "running": 17}, "and 953 more: 953 running"),
        (
            {"failed": 30, "retrying": 30, "running": 40},
            {"retrying": 5, "failed": 4, "running": 10},
            "and 81 more: 30 running, 25 retrying, 26 failed",
        ),
        (
            {"failed": 1, "retrying": 30, "running": 9},
            {"retrying": 9, "failed": 1, "running": 9},
            "and 21 more: 21 retrying",
        ),
        ({"failed": 30, "done": 30}, {"failed": 19}, "and 41 more: 11 failed, 30 done"),
        ({"waiting": 984, "running": 16}, {"running": 16, "waiting": 3}, "and 981 more: 981 waiting"),
    ],
    ids=str,
)
def test_rows_of_highest_priority_are_drawn_and_the_others_counted(
    counts: dict[str, int], shown: dict[str, int], rest: str
) -> None:
    assert drawn(**counts) == (shown, rest)


@pytest.mark.parametrize("room", [0, 1, 2, 3, 50])
def test_rows_drawn_never_exceed_the_height(room: int) -> None:
    counts, rest = drawn(room, running=40, failed=40, retrying=40, done=40)
    assert sum(counts.values()) + (rest is not None) <= max(2, room)
