"""Progress off a terminal: the lines, and when they are written."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backupctl.errors import ApplianceUnreachableError
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Cancelling, Connected, Progressed, Recovered, Retrying, Started
from backupctl.results.job import Job
from backupctl.results.result import Envelope
from tests import wording
from tests.output.samples import WHERE, Screen, a_finished_job, a_job, a_message, every_event


class Log(Screen):
    """A screen that shows progress events, ten seconds apart."""

    def progress(self, job: Job, *, after: float = 10) -> list[str]:
        return self.emit(Progressed, after=after, job=job)

    def emit(self, kind: Any, *, after: float = 10, **fields: Any) -> list[str]:
        self.clock.sleep(after)
        before = len(self.err)
        self.view.event(kind(time=self.clock.now(), server="vc01", **fields))
        return self.err[before:].splitlines()


def test_log_line_has_time_with_zone_server_percent_state_and_size() -> None:
    log = Log()
    assert log.progress(a_job(size_bytes=1_234_000_000)) == ["2026-03-01 02:00:10 UTC vc01: 40 % (1.2 GB)"]


def test_log_line_time_is_local() -> None:
    assert Log(zone=ZoneInfo("Asia/Tokyo")).progress(a_job()) == ["2026-03-01 11:00:10 JST vc01: 40 %"]


def test_log_unknown_progress_is_the_state_alone() -> None:
    assert Log().progress(a_job("BLOCKED", None)) == ["2026-03-01 02:00:10 UTC vc01: BLOCKED"]


def test_log_progress_is_written_every_ten_percent() -> None:
    log = Log()
    reported = [percent for percent in range(101) if log.progress(a_job(progress=percent), after=1)]
    assert reported == [*range(0, 101, 10)]


def test_log_progress_that_jumps_is_written_once() -> None:
    log = Log()
    reported = [percent for percent in (0, 9, 17, 19, 21, 29, 95) if log.progress(a_job(progress=percent))]
    assert reported == [0, 17, 21, 95]


def test_log_unchanged_progress_is_written_every_five_minutes() -> None:
    log = Log()
    lines = [line for _ in range(24) for line in log.progress(a_job(), after=60)]
    assert [line[11:16] for line in lines] == ["02:01", "02:06", "02:11", "02:16", "02:21"]


def test_log_new_state_is_written_at_once() -> None:
    log = Log()
    log.progress(a_job())
    assert log.progress(a_job("FAILED")) == ["2026-03-01 02:00:20 UTC vc01: failed"]


def test_log_new_message_is_written_once() -> None:
    log = Log()
    log.progress(a_job())
    job = a_job(messages=(a_message("backing up vcdb\nand more"),))
    assert log.progress(job) == [
        "2026-03-01 02:00:20 UTC vc01: backing up vcdb",
        "2026-03-01 02:00:20 UTC vc01: and more",
    ]
    assert log.progress(job) == []


def test_log_message_that_differs_only_in_numbers_is_written_once() -> None:
    log = Log()
    log.progress(a_job(messages=(a_message("copied 12 files"),)))
    assert log.progress(a_job(messages=(a_message("copied 13 files"),))) == []
    assert len(log.progress(a_job(messages=(a_message("copied all files"),)))) == 1


def test_log_progress_right_after_the_start_is_not_written_twice() -> None:
    log = Log()
    assert log.emit(Started, job=a_job(progress=0)) == [
        "2026-03-01 02:00:10 UTC vc01: backup started: 20260301-020000-21560480"
    ]
    assert log.progress(a_job(progress=0)) == []
    assert len(log.emit(Cancelling, job=a_job(progress=0))) == 1


def test_log_error_and_recovery_are_written() -> None:
    log = Log()
    assert log.emit(Retrying, error=ApplianceUnreachableError("refused")) == [
        "2026-03-01 02:00:10 UTC vc01: warning: refused; retrying"
    ]
    assert log.emit(Recovered) == [f"2026-03-01 02:00:20 UTC vc01: {wording.RECOVERED}"]


@pytest.mark.parametrize(("verbose", "lines"), [(True, 1), (False, 0)])
def test_log_connection_is_written_when_verbose(verbose: bool, lines: int) -> None:
    log = Log(verbose=verbose)
    assert len(log.emit(Connected, host="vc01.example.com", api="rest", release=None)) == lines


def test_log_final_state_without_an_event_is_written_before_the_result() -> None:
    log = Log()
    log.progress(a_job())
    log.clock.sleep(720)
    log.view.finish(Envelope.of("create", [JobResult(**WHERE, job=a_finished_job())]))
    assert log.err.splitlines()[-1] == "2026-03-01 02:12:10 UTC vc01: succeeded (1.2 GB)"


def test_log_end_of_a_restore_is_written_like_that_of_a_backup() -> None:
    log = Log()
    log.progress(Job(id="restore", state="INPROGRESS", progress=40))
    log.view.finish(
        Envelope.of("any", [RestoreResult(**WHERE, job=Job(id="restore", state="SUCCEEDED", progress=100))])
    )
    assert log.err.splitlines()[-1] == "2026-03-01 02:00:10 UTC vc01: succeeded"


def test_log_final_state_of_an_event_is_not_written_again() -> None:
    log = Log()
    log.progress(a_finished_job())
    before = log.err
    log.view.finish(Envelope.of("create", [JobResult(**WHERE, job=a_finished_job())]))
    assert log.err == before


def test_log_quiet_writes_nothing() -> None:
    log = Log(quiet=True)
    for event in every_event():
        log.view.event(event)
    log.view.warn("careful", "hint")
    assert log.err == ""
