"""The selection among jobs."""

from datetime import UTC, datetime

import pytest

from backupctl.operations import job_selection
from backupctl.results.job import Job

A, B, C = "20260101-020000-1", "20260102-020000-1", "20260103-020000-1"


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], None),
        ([A], A),
        ([C, B, A], C),
        ([A, B, C], C),
        ([B, C, A], C),
        (["job-1", C], "job-1"),
        (["b", "a"], "b"),
        (["20260101-020000-1x", C], "20260101-020000-1x"),
    ],
)
def test_newest_id_has_the_latest_time_or_is_the_first(ids: list[str], expected: str | None) -> None:
    assert job_selection.newest(ids) == expected


def test_newest_first_sorts_by_start_time_then_id() -> None:
    listed = [
        Job(id=C, state="NONE"),
        Job(id="x2", state="", start_time=datetime(2026, 1, 2, 12, tzinfo=UTC)),
        Job(id="x1", state="", start_time=datetime(2026, 1, 2, 12, tzinfo=UTC)),
        Job(id=B, state="", start_time=datetime(2026, 1, 2, 2, 0, 0, 500, tzinfo=UTC)),
        Job(id=A, state="", start_time=datetime(2026, 1, 2, 2, tzinfo=UTC)),
        Job(id="odd", state=""),
    ]
    for order in (listed, listed[::-1], listed[3:] + listed[:3]):
        assert [job.id for job in job_selection.newest_first(order)] == [C, "x2", "x1", B, A, "odd"]
