"""The report on one appliance: what it counts, what it knows, and what it leaves unknown."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from backupctl.monitoring.report import backup_report, skew_of_newest, zone_of
from backupctl.results.audit_results import RunVerdict
from backupctl.results.backup_history import BackupHistory
from backupctl.results.job import Job
from backupctl.results.journal_entry import JournalEntry
from backupctl.results.report_results import BackupReport, Period, ReportInfo, ReportResult
from backupctl.results.schedule_results import ScheduleInfo
from tests import wording

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INFO = ReportInfo(since=NOW - timedelta(days=10), until=NOW, generated_at=NOW, generator="backupctl", change="CHG1")
DAY = timedelta(days=1)


def a_job(days_ago: float, state: str = "SUCCEEDED", *, minutes: float = 30) -> Job:
    start = NOW - timedelta(days=days_ago)
    end = None if state == "INPROGRESS" else start + timedelta(minutes=minutes)
    return Job(id=f"job-{days_ago}", state=state, start_time=start, end_time=end)


def report_of(*jobs: Job, forgotten: tuple[Job, ...] = (), info: ReportInfo = INFO, **fields: Any) -> BackupReport:
    entries = [an_entry(job=job) for job in forgotten]
    return backup_report(BackupHistory(read_at=NOW, jobs=jobs, **fields), info, entries, "vc01")


def an_entry(**fields: Any) -> JournalEntry:
    known = {"time": NOW - DAY, "command": "create", "server": "vc01", "host": "x", "exit_code": 0, **fields}
    return JournalEntry(**known)


def ended(days_ago: float) -> datetime:
    return NOW - timedelta(days=days_ago, minutes=-30)


def test_report_counts_the_backups_of_the_period_and_no_others() -> None:
    until = INFO.until - DAY
    info = ReportInfo(since=INFO.since, until=until, generated_at=NOW, generator="backupctl")
    jobs = [a_job(0.5), a_job(1), a_job(1.5), a_job(4, "FAILED"), a_job(5, "INPROGRESS"), a_job(10), a_job(10.1)]
    report = report_of(*jobs, info=info)
    assert [run.job for run in report.runs] == jobs[2:6]
    assert (report.succeeded, report.failed) == (2, 1)
    assert (report.last_success, report.remembered_since) == (ended(1.5), jobs[-1].start_time)
    assert (report.since, report.until, report.change, report.generated_at) == (INFO.since, until, None, NOW)


def test_longest_interval_begins_before_the_period_and_ends_with_it() -> None:
    assert report_of(a_job(1), a_job(2), a_job(9), a_job(14)).longest_interval == Period(since=ended(9), until=ended(2))
    assert report_of(a_job(1), a_job(9.9), a_job(30)).longest_interval == Period(since=ended(30), until=ended(9.9))
    assert report_of(a_job(1), a_job(4)).longest_interval == Period(since=ended(4), until=ended(1))
    failing = report_of(a_job(1), a_job(5, "FAILED"), a_job(8, "FAILED"))
    assert failing.longest_interval == Period(since=NOW - timedelta(days=8), until=ended(1))
    assert report_of(a_job(8, "FAILED")).longest_interval == Period(since=NOW - timedelta(days=8), until=NOW)
    assert report_of(a_job(6, "FAILED"), a_job(7)).longest_interval == Period(since=ended(7), until=NOW)


def test_backup_of_an_appliance_whose_clock_is_ahead_is_in_a_report_until_now() -> None:
    ahead = a_job(-0.02)
    report = report_of(ahead, a_job(1))
    assert ([run.job for run in report.runs], report.last_success) == ([ahead, a_job(1)], ahead.end_time)
    assert report.longest_interval == Period(since=ended(1), until=ended(-0.02))
    info = ReportInfo(since=INFO.since, until=NOW, generated_at=NOW + DAY, generator="backupctl")
    assert report_of(ahead, a_job(1), info=info).last_success == ended(1)


def test_local_backup_is_listed_and_does_not_count() -> None:
    local = Job(**{**asdict(a_job(1)), "type": "LOCAL_BACKUP"})
    report = report_of(local, a_job(2))
    assert ([run.job for run in report.runs], report.succeeded) == ([local, a_job(2)], 1)
    assert (report.last_success, report.longest_interval) == (ended(2), Period(since=ended(2), until=NOW))


def test_impossible_start_times_have_no_effect() -> None:
    odd = [
        Job(id=str(year), state="SUCCEEDED", start_time=(at := datetime(year, 1, 1, tzinfo=UTC)), end_time=at)
        for year in (1, 1970, 9999)
    ]
    report = report_of(a_job(1), *odd, a_job(2))
    assert ([run.job for run in report.runs], report.remembered_since) == ([a_job(1), a_job(2)], a_job(2).start_time)
    assert (report.longest_interval, report.unreadable) == (Period(since=ended(2), until=ended(1)), 3)


def test_period_before_all_that_is_known_has_no_interval() -> None:
    info = ReportInfo(since=INFO.since, until=NOW - 5 * DAY, generated_at=NOW, generator="backupctl")
    report = report_of(a_job(1), info=info)
    assert (report.runs, report.last_success, report.longest_interval) == ((), None, None)
    assert (report.succeeded, report.failed) == (None, None)
    assert report.remembered_since == a_job(1).start_time


def test_of_an_appliance_that_remembers_nothing_all_is_unknown() -> None:
    report = report_of(unreadable=("bad", "bad2"))
    assert (report.runs, report.succeeded, report.last_success, report.longest_interval) == ((), 0, None, None)
    assert (report.remembered_since, report.unreadable, report.schedules, zone_of(report)) == (None, 2, None, UTC)


def test_backup_without_a_start_time_counts_as_unreadable() -> None:
    report = report_of(a_job(1), Job(id="odd", state="SUCCEEDED"), unreadable=("bad",))
    assert (len(report.runs), report.unreadable) == (1, 2)


def test_backup_that_only_the_journal_knows_is_a_run_but_not_remembered() -> None:
    report = report_of(a_job(1), forgotten=(a_job(3), a_job(5, "FAILED")))
    assert (report.succeeded, report.failed, report.remembered_since) == (2, 1, a_job(1).start_time)


def test_attempts_are_the_starts_of_the_period_that_have_no_job() -> None:
    login = an_entry(exit_code=4)
    others = [
        *(an_entry(exit_code=4, **other) for other in ({"server": "vc02"}, {"command": "watch"}, {"job": a_job(1)})),
        *(an_entry(exit_code=4, time=time) for time in (INFO.since - DAY, NOW + DAY)),
        an_entry(),
    ]
    report = backup_report(BackupHistory(read_at=NOW), INFO, [login, *others], "vc01")
    assert report.attempts == (login,)


def test_time_zone_is_that_of_a_schedule() -> None:
    schedules = (ScheduleInfo(name="a"), ScheduleInfo(name="b", time_zone="Europe/Berlin"))
    assert str(zone_of(report_of(schedules=schedules))) == "Europe/Berlin"


def test_skew_is_that_of_the_newest_successes_of_a_group() -> None:
    info = ReportInfo(**{**asdict(INFO), "group": "linked"})
    results = [ReportResult(report=report_of(a_job(days), a_job(9))) for days in (1.0, 1.01, 1.002)]
    results.append(ReportResult(report=report_of(a_job(0.5, "FAILED"), a_job(1.001))))
    assert skew_of_newest(results, info) == 864
    assert skew_of_newest(results, INFO) is None
    assert skew_of_newest(results[:1], info) is None
    assert skew_of_newest([*results, ReportResult()], info) is None
    assert skew_of_newest([*results, ReportResult(report=report_of(a_job(1, "FAILED")))], info) is None


NIGHTLY = ScheduleInfo(name="default", enable=True, hour=2, minute=0, time_zone="UTC")


def nightly(*days_ago: int, **fields: Any) -> BackupReport:
    jobs = [Job(**{**asdict(a_job(days + 10 / 24)), "type": "SCHEDULED"}) for days in days_ago]
    return report_of(*jobs, **{"schedules": (NIGHTLY,), **fields})


def test_scheduled_runs_are_those_of_the_period() -> None:
    info = ReportInfo(since=INFO.since, until=NOW - DAY, generated_at=NOW, generator="backupctl")
    report = nightly(0, 1, 4, 5, 20, info=info)
    assert report.scheduled_runs
    assert Counter(run.verdict for run in report.scheduled_runs) == {RunVerdict.MISSED: 6, RunVerdict.MADE: 3}
    assert report.scheduled_runs[-1].due == NOW - timedelta(days=1, hours=10)
    assert report.notes == ()


def test_scheduled_runs_are_unknown_in_a_period_before_the_first() -> None:
    info = ReportInfo(since=INFO.since, until=NOW - 5 * DAY, generated_at=NOW, generator="backupctl")
    assert nightly(0, 1, info=info).scheduled_runs is None


def test_notes_say_what_cannot_be_judged() -> None:
    assert len(nightly(0, 1).notes) == 1


@pytest.mark.parametrize(
    ("fields", "notes"),
    [
        ({"schedules": None}, ()),
        ({"schedules": ()}, ()),
        ({"schedules_error": "one is unreadable"}, ()),
        ({"schedules": (NIGHTLY, NIGHTLY)}, (wording.SEVERAL_SCHEDULES,)),
        ({"schedules": (replace(NIGHTLY, time_zone="Middle/Earth"),)}, (wording.UNKNOWN_ZONE("Middle/Earth"),)),
    ],
)
def test_scheduled_runs_are_unknown_if_they_cannot_be_judged(fields: dict[str, Any], notes: tuple[str, ...]) -> None:
    report = nightly(0, 1, **fields)
    assert (report.scheduled_runs, report.notes) == (None, notes)


def test_scheduled_runs_are_unknown_without_the_types_of_the_jobs() -> None:
    report = report_of(a_job(1), schedules=(NIGHTLY,))
    assert (report.scheduled_runs, report.notes) == (None, (wording.UNKNOWN_TYPES,))
