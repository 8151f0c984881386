"""The rules of the verdict that the simulated states do not reach."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from backupctl.monitoring.verdict import Thresholds, judge
from backupctl.results.backup_history import BackupHistory
from backupctl.results.job import Job
from backupctl.results.schedule_results import ScheduleInfo
from tests.support.clock import START

HOUR = 3600.0
LIMITS: dict[str, Any] = {
    "warning": 26 * HOUR,
    "critical": 50 * HOUR,
    "type": "any",
    "last_result": "warning",
    "min_size": None,
    "size_deviation": None,
    "max_running": None,
    "schedule": "optional",
    "grace": 0.0,
}


def job(hours_ago: float, state: str = "SUCCEEDED", **fields: Any) -> Job:
    end = START - timedelta(hours=hours_ago)
    facts: dict[str, Any] = {"start_time": end, "end_time": end, "type": "SCHEDULED", "size_bytes": 1000}
    return Job(id=f"{end:%Y%m%d-%H%M%S}-1", state=state, **{**facts, **fields})


NIGHTS = tuple(job(hours) for hours in (2, 26, 50, 74))
BIG = (job(1, size_bytes=1600), *NIGHTS)
MANUAL = (job(1, type="MANUAL"), job(30))
BARE = tuple(job(hours, type=None, size_bytes=None) for hours in (2, 26))
UNTYPED = job(1, "FAILED", type=None)
LOCAL = job(1, type="LOCAL_BACKUP")
AHEAD = job(-1.1)


@pytest.mark.parametrize(
    ("jobs", "limits", "state"),
    [
        (NIGHTS, {"size_deviation": 50.0}, 0),
        (BIG, {"size_deviation": 50.0}, 1),
        (BIG, {"size_deviation": 60.0}, 0),
        (BIG[:3], {"size_deviation": 50.0}, 0),
        ((job(1, size_bytes=400), *NIGHTS), {"size_deviation": 50.0}, 1),
        ((job(1, size_bytes=None), *NIGHTS), {}, 0),
        ((job(1, size_bytes=None), *NIGHTS), {"size_deviation": 50.0}, 3),
        ((job(1, size_bytes=None), *NIGHTS), {"min_size": 1.0}, 3),
        (BARE, {"min_size": 1.0}, 3),
        ((job(1, size_bytes=1), *(job(hours, size_bytes=0) for hours in (2, 3, 4))), {"size_deviation": 50.0}, 0),
        (NIGHTS, {"min_size": 1000.0}, 0),
        (MANUAL, {}, 0),
        (MANUAL, {"type": "scheduled"}, 1),
        (MANUAL, {"type": "scheduled", "critical": 29 * HOUR}, 2),
        (MANUAL[:1], {"type": "scheduled"}, 2),
        ((job(0.5, "FAILED", type="MANUAL"), *NIGHTS), {"type": "scheduled"}, 0),
        ((job(0.5, "FAILED"), *NIGHTS), {"last_result": "critical"}, 2),
        (BARE, {"type": "scheduled"}, 3),
        (BARE[1:], {"type": "scheduled", "warning": HOUR, "critical": 25 * HOUR}, 2),
        ((UNTYPED, *NIGHTS), {"type": "scheduled"}, 1),
        ((*NIGHTS, UNTYPED), {"type": "scheduled"}, 0),
        ((job(1, type=None), *MANUAL[:1]), {"type": "scheduled"}, 3),
        ((LOCAL,), {}, 2),
        ((LOCAL, job(27)), {}, 1),
        ((job(-0.9),), {}, 0),
        ((AHEAD,), {}, 3),
        ((AHEAD, job(-2, "FAILED"), *NIGHTS), {}, 0),
        ((AHEAD, job(27)), {}, 1),
        ((job(1, start_time=None, end_time=None),), {}, 2),
        ((job(26), job(20, "NONE", end_time=None)), {}, 0),
        ((job(1, "FAILED"), job(47, "FAILED")), {"grace": 48 * HOUR}, 1),
        ((job(1, "FAILED"), job(49, "FAILED")), {"grace": 48 * HOUR}, 2),
        ((job(1, "INPROGRESS", end_time=None), *NIGHTS), {"max_running": 1800.0}, 1),
        ((*NIGHTS, job(90, "INPROGRESS", end_time=None)), {"max_running": 1800.0}, 0),
    ],
)
def test_state_of_these_jobs(jobs: tuple[Job, ...], limits: dict[str, Any], state: int) -> None:
    verdict = judge(BackupHistory(read_at=START, jobs=jobs), Thresholds(**{**LIMITS, **limits}))
    assert verdict.state == state, verdict.summary


@pytest.mark.parametrize(
    ("hours", "grace", "jobs", "state"),
    [
        (23, 24, (), 1),
        (25, 24, (), 2),
        (23, 0, (), 2),
        (None, 24, (), 2),
        (25, 24, (job(1, "FAILED"),), 2),
        (23, 24, (job(25, "FAILED"),), 2),
    ],
    ids=str,
)
def test_appliance_without_a_success_is_new_for_a_while(
    hours: float | None, grace: float, jobs: tuple[Job, ...], state: int
) -> None:
    installed: datetime | None = None if hours is None else START - timedelta(hours=hours)
    limits = Thresholds(**{**LIMITS, "grace": grace * HOUR})
    assert judge(BackupHistory(read_at=START, jobs=jobs), limits, installed).state == state


@pytest.mark.parametrize(
    ("unreadable", "jobs", "state"),
    [
        ("odd", (), 3),
        ("odd", NIGHTS, 1),
        (job(1).id, NIGHTS, 1),
        (job(3).id, NIGHTS, 0),
    ],
    ids=str,
)
def test_job_that_cannot_be_read_may_be_newer(unreadable: str, jobs: tuple[Job, ...], state: int) -> None:
    verdict = judge(BackupHistory(read_at=START, jobs=jobs, unreadable=(unreadable,)), Thresholds(**LIMITS))
    assert (verdict.state, "read" in verdict.summary) == (state, True)


@pytest.mark.parametrize(
    ("jobs", "limits", "said"),
    [
        ((LOCAL,), {}, "no backup yet; 1 local backup does not count"),
        ((LOCAL, LOCAL, *NIGHTS), {}, "last success 2 h ago (1 kB); 2 local backups do not count"),
        ((*NIGHTS, LOCAL), {}, "last success 2 h ago (1 kB)"),
        ((AHEAD, *NIGHTS), {}, "last success 2 h ago (1 kB); 1 backup ended in the future: check the clocks"),
        (NIGHTS[:3], {"size_deviation": 50.0}, "last success 2 h ago (1 kB); size not compared: 2 earlier sizes"),
    ],
)
def test_what_does_not_count_is_said(jobs: tuple[Job, ...], limits: dict[str, Any], said: str) -> None:
    assert judge(BackupHistory(read_at=START, jobs=jobs), Thresholds(**{**LIMITS, **limits})).summary == said


@pytest.mark.parametrize(
    ("history", "state"),
    [
        ({"schedules_error": "denied"}, 3),
        ({"schedules": ()}, 1),
        ({}, 1),
        ({"schedules": (ScheduleInfo(name="default"),)}, 3),
    ],
    ids=str,
)
def test_required_schedule_that_is_not_known_to_be_enabled(history: dict[str, Any], state: int) -> None:
    limits = Thresholds(**{**LIMITS, "schedule": "required"})
    assert judge(BackupHistory(read_at=START, jobs=NIGHTS, **history), limits).state == state
