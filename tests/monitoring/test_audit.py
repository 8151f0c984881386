"""Single questions to the audit of a schedule."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from backupctl.monitoring.audit import audit_schedule
from backupctl.results.audit_results import AuditResult, RunVerdict
from backupctl.results.backup_history import BackupHistory
from backupctl.results.job import Job
from backupctl.results.schedule_results import ScheduleInfo
from tests import wording

BERLIN = ZoneInfo("Europe/Berlin")
SCHEDULE = ScheduleInfo(name="default", location="nfs://a/b/", hour=2, minute=30, time_zone="Europe/Berlin")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def job(start: str, state: str = "SUCCEEDED", hours: float = 0.5, **fields: Any) -> Job:
    """Return a job that started at a time in Berlin, such as ``03-01 02:30``; a scheduled one by default."""
    started = datetime.fromisoformat(f"2026-{start}").replace(tzinfo=BERLIN).astimezone(UTC)
    ended = None if state == "INPROGRESS" else started + timedelta(hours=hours)
    kind = {"type": "SCHEDULED", "location": "nfs://a/b"}
    return Job(id=start, state=state, start_time=started, end_time=ended, **{**kind, **fields})


def audited(*jobs: Job, now: str = "03-10 12:00", known: tuple[Job, ...] = (), **fields: Any) -> AuditResult:
    read_at = datetime.fromisoformat(f"2026-{now}").replace(tzinfo=BERLIN)
    unreadable, since = fields.pop("unreadable", 0), fields.pop("since", LONG_AGO)
    schedules = (replace(SCHEDULE, **fields),)
    history = BackupHistory(
        read_at=read_at.astimezone(UTC), schedules=schedules, jobs=jobs[::-1], unreadable=("bad",) * unreadable
    )
    return audit_schedule(history, since, known=known)


def verdicts(result: AuditResult) -> list[str]:
    """Return the verdicts, those of gaps in upper case."""
    return [run.verdict.upper() if run.is_gap else run.verdict for run in result.runs]


def days(month: int, first: int, last: int, at: str) -> list[Job]:
    """Return a job for each day of a month, from the first to the last."""
    return [job(f"{month:02}-{day:02} {at}") for day in range(first, last + 1)]


FIRST = job("03-07 02:30")
LAST = job("03-10 02:30")
MIXED = ("MISSED", "made", "MISSED")
MADE_3 = ("made", "made", "made")


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([FIRST, LAST], ["made", "MISSED", "MISSED", "made"]),
        ([FIRST, job("03-08 02:25:30"), job("03-09 02:45"), LAST], ["made"] * 4),
        ([FIRST, job("03-08 02:24", hours=0.05), LAST], ["made", "MISSED", "MISSED", "made"]),
        ([FIRST, job("03-08 02:46"), job("03-09 23:00"), LAST], ["made", "late", "late", "made"]),
        ([FIRST, job("03-08 02:30", "FAILED"), job("03-08 09:00"), LAST], ["made", "failed", "MISSED", "made"]),
        ([FIRST, job("03-08 09:00", type="MANUAL"), LAST], ["made", "missed", "MISSED", "made"]),
        ([FIRST, job("03-08 09:00", "FAILED", type="MANUAL"), LAST], ["made", "MISSED", "MISSED", "made"]),
        ([FIRST, job("03-08 09:00", type="MANUAL", location="nfs://a/bc"), LAST], ["made", "MISSED", "MISSED", "made"]),
        ([FIRST, job("03-08 09:00", location="nfs://a/b/M", type="X"), LAST], ["made", "missed", "MISSED", "made"]),
        ([FIRST, job("03-08 02:29", type="MANUAL"), LAST], ["made", "kept-out", "MISSED", "made"]),
        ([FIRST, job("03-08 02:29", hours=0.01, type="MANUAL"), LAST], ["made", "missed", "MISSED", "made"]),
        ([FIRST, job("03-08 02:29", "FAILED", type="MANUAL"), LAST], ["made", "KEPT-OUT", "MISSED", "made"]),
        ([FIRST, job("03-08 02:30", hours=57)], ["made", "made", "kept-out", "kept-out"]),
        ([FIRST, job("03-08 02:30", "INPROGRESS")], ["made", "running", "KEPT-OUT", "due"]),
        ([job("03-10 02:30", "INPROGRESS")], ["running"]),
        ([job("03-07 02:30", "CANCELLED"), LAST], ["FAILED", "MISSED", "MISSED", "made"]),
        ([FIRST, job("03-08 02:30", type=None), job("03-09 09:30", type=None)], ["made", "made", "missed", "MISSED"]),
        ([FIRST, job("03-08 09:00", type="MANUAL", location=None), LAST], ["made", "MISSED", "MISSED", "made"]),
        ([*days(3, 5, 8, "02:30"), *days(3, 9, 10, "05:40")], ["made"] * 4 + ["late"] * 2),
        ([*days(3, 5, 7, "02:30"), *days(3, 8, 10, "05:40")], ["made"] * 3 + ["late"] * 3),
        ([job("03-07 02:31", type="MANUAL")], ["MISSED"]),
        ([job("03-08 02:31", type="MANUAL")], []),
        ([job("03-01 09:00")], []),
        ([], []),
    ],
)  # fmt: skip
def test_verdict_of_each_run(jobs: list[Job], expected: list[str]) -> None:
    assert verdicts(audited(*jobs)) == expected


@pytest.mark.parametrize(
    ("now", "expected"), [("03-08 02:29", []), ("03-08 02:30:01", ["due"]), ("03-08 02:46", ["MISSED"])]
)
def test_run_is_missed_only_after_its_time(now: str, expected: list[str]) -> None:
    assert verdicts(audited(FIRST, now=now)) == ["made", *expected]


@pytest.mark.parametrize("start", ["01:30", "03:00", "03:10", "03:40"])
def test_time_that_does_not_exist_may_be_an_hour_earlier_or_later(start: str) -> None:
    result = audited(job("03-28 02:30"), job(f"03-29 {start}"), job("03-30 02:30"), now="03-30 12:00")
    assert (verdicts(result), result.unexplained) == (["made"] * 3, ())


@pytest.mark.parametrize("runs", [(0,), (1,), (0, 1)])
def test_time_that_exists_twice_may_be_either_or_both(runs: tuple[int, ...]) -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    twice = [replace(FIRST, id=str(hour), start_time=first + timedelta(hours=hour)) for hour in runs]
    result = audited(job("10-24 02:30"), *twice, job("10-26 02:30"), now="10-26 12:00")
    assert (verdicts(result), result.unexplained) == (["made"] * 3, ())
    assert str(result.runs[1].due) == "2026-10-25 02:30:00+02:00"


def test_backup_that_makes_up_for_a_run_is_explained() -> None:
    result = audited(FIRST, job("03-08 02:30", "FAILED"), job("03-08 09:00"), now="03-09 02:00")
    assert (result.runs[-1].made_up_by, result.gaps, result.unexplained) == ("03-08 09:00", (), ())


def test_nothing_makes_up_for_a_run_whose_location_is_unknown() -> None:
    assert verdicts(audited(FIRST, job("03-08 09:00", type="MANUAL"), LAST, location=None)).count("MISSED") == 2


def test_disabled_schedule_is_judged_up_to_its_last_run() -> None:
    result = audited(FIRST, job("03-09 02:30"), now="06-01 12:00", enable=False)
    assert (verdicts(result), result.notes[0]) == (
        ["made", "MISSED", "made"],
        wording.DISABLED_SINCE("2026-03-09 02:30 CET"),
    )


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"unreadable": 2}, wording.UNREADABLE_JOBS(2)),
        ({"since": datetime(2026, 3, 7, tzinfo=UTC)}, wording.NO_OLDER_RUN("2026-03-07 02:30 CET")),
    ],
)
def test_what_is_unknown_is_said(fields: dict[str, Any], note: str) -> None:
    assert note in audited(FIRST, **fields).notes


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        *[({"hour": hour}, wording.NO_TIME_OF_SCHEDULE) for hour in (None, 24, -1)],
        ({"time_zone": None}, wording.UNKNOWN_ZONE("of the appliance")),
        ({"time_zone": "Middle/Earth"}, wording.UNKNOWN_ZONE("Middle/Earth")),
    ],
)
def test_without_a_valid_time_and_a_zone_nothing_is_judged(fields: dict[str, Any], note: str) -> None:
    result = audited(FIRST, **fields)
    assert (result.runs, result.unexplained, result.notes) == ((), (), (note,))


@pytest.mark.parametrize(
    ("fields", "expected", "notes"),
    [
        ({}, ["MISSED"], [wording.NEVER_RAN]),
        ({"now": "03-10 02:40"}, ["MISSED"], [wording.NEVER_RAN]),
        ({"enable": False}, [], [wording.DISABLED_SCHEDULE, wording.NO_REGULAR_RUN]),
        ({"days": ("SUNDAY",)}, [], [wording.NO_REGULAR_RUN]),
    ],
)
def test_schedule_that_never_ran_missed_its_newest_run(
    fields: dict[str, Any], expected: list[str], notes: list[str]
) -> None:
    by_hand = [replace(each, type="MANUAL") for each in days(2, 25, 28, "09:00")]
    result = audited(*by_hand, **fields)
    assert (verdicts(result), list(result.notes)) == (expected, notes)
    newest = "03-09" if fields.get("now") else "03-10"
    assert [f"{run.due:%m-%d}" for run in result.runs] == [newest] * len(expected)


def test_job_with_an_impossible_start_time_changes_nothing() -> None:
    odd = [replace(FIRST, id=str(year), start_time=datetime(year, 1, 1, tzinfo=UTC)) for year in (1, 1970, 9998)]
    assert verdicts(audited(*odd[:2], FIRST, job("03-09 02:30"), LAST, odd[2])) == ["made", "MISSED", "made", "made"]


def test_backups_that_only_the_journal_knows_make_up_for_a_run_and_extend_no_memory() -> None:
    forgotten = job("02-20 02:30"), job("03-08 09:00", type="MANUAL"), job("03-09 02:00", "INPROGRESS", type="MANUAL")
    assert verdicts(audited(FIRST, LAST, known=forgotten)) == ["made", "missed", "MISSED", "made"]


@pytest.mark.parametrize(
    ("jobs", "expected", "changed"),
    [
        ([*days(3, 1, 3, "23:00"), *days(3, 5, 10, "02:30")], ["made"] * 9, True),
        ([*days(3, 1, 4, "12:00"), *days(3, 5, 10, "02:30")], ["made"] * 10, True),
        ([*days(3, 1, 3, "23:00"), job("03-05 23:00"), *days(3, 8, 10, "02:30")], [*MADE_3, *MIXED, *MADE_3], True),
        ([*days(3, 1, 3, "23:00"), *days(3, 8, 10, "02:30")], [*MADE_3, *["MISSED"] * 3, *MADE_3], True),
        (days(3, 1, 9, "23:00"), ["made"] * 9, True),
        ([*days(3, 1, 3, "02:30"), *days(3, 4, 6, "23:00"), *days(3, 8, 10, "02:30")], ["made"] * 9, False),
        (days(3, 1, 5, "23:00"), ["made"] * 5 + ["MISSED"] * 4, True),
        ([*days(3, 1, 2, "23:00"), *days(3, 4, 10, "02:30")], ["made"] * 7, False),
        ([*days(3, 1, 3, "02:36"), *days(3, 4, 10, "02:30")], ["made"] * 10, False),
    ],
)  # fmt: skip
def test_three_runs_in_a_row_show_an_earlier_time(jobs: list[Job], expected: list[str], changed: bool) -> None:
    result = audited(*jobs)
    assert verdicts(result) == expected
    at = jobs[0].id.split()[1]
    ran = [each.id for each in jobs if each.id.endswith(at)]
    note = wording.JUDGED_BY_ANOTHER_TIME(f"2026-{ran[-1]} CET", at)
    assert (note in result.notes) is changed
    assert len(result.unexplained) == len(jobs) - sum(run.verdict == "made" for run in result.runs)


@pytest.mark.parametrize(("weeks", "gaps"), [(2, 11), (3, 0), (4, 0)])
def test_days_before_the_first_run_after_three_weeks_without_are_not_judged(weeks: int, gaps: int) -> None:
    sundays = [job(f"{day} 02:30") for day in ("02-01", "02-08", "02-15", "02-22", "03-01")]
    by_hand = job("02-23 12:00", type="MANUAL")
    result = audited(*sundays[-weeks - 1 : -1], by_hand, sundays[-1], *days(3, 2, 10, "02:30"))
    assert (len(result.gaps), result.counts[RunVerdict.NOT_JUDGED]) == (gaps, 0 if gaps else 6 * weeks)
    first = {"Mondays": 2, "Tuesdays": 3, "Wednesdays": 4, "Thursdays": 5, "Fridays": 6, "Saturdays": 7}
    added = ", ".join(f"{weeks} {day} before 2026-03-{number:02}" for day, number in first.items())
    assert (wording.DAYS_NOT_JUDGED(added) in result.notes) is (gaps == 0)
    assert [run.made_up_by for run in result.runs if run.made_up_by] == ([by_hand.id] if gaps else [])


@pytest.mark.parametrize("missed", [("04", "11", "18", "25"), ("11", "18", "25")])
def test_day_on_which_it_does_not_run_again_is_a_gap(missed: tuple[str, ...]) -> None:
    jobs = [each for each in days(2, 1, 28, "02:30") if each.id[3:5] not in missed]
    assert len(audited(*jobs, now="02-28 12:00").gaps) == len(missed)


def test_period_limits_all_that_is_said() -> None:
    jobs = [*days(2, 1, 3, "23:00"), *days(2, 5, 6, "02:30"), job("02-06 12:00"), *days(2, 8, 28, "02:30")]
    since = datetime(2026, 2, 20, tzinfo=UTC)
    result = audited(*jobs, now="02-28 12:00", since=since)
    assert (result.judged_since, len(result.runs), result.gaps) == (since, 9, ())
    assert (result.unexplained, result.notes) == ((), ())


def test_outage_of_four_weeks_is_no_change_of_the_days() -> None:
    result = audited(*days(2, 1, 3, "02:30"), *days(3, 4, 10, "02:30"))
    assert len(result.gaps) == 28
