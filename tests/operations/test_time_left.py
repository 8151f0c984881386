"""The estimate of the time left: earlier jobs and the pace of this one, mixed by its progress; no verdict."""

from datetime import UTC, datetime

import pytest

from backupctl.errors import ServerFaultError
from backupctl.models import BackupJobStatus, JobDetails
from backupctl.operations.follow import Timeouts, follow
from backupctl.operations.time_left import TimeLeft
from backupctl.results.events import Progressed, Warned
from backupctl.results.job import Job
from tests.support.clock import FakeClock
from tests.support.operation_bench import scripted

MINUTE = 60.0


def job(progress: int | None = None, seconds: int | None = None) -> Job:
    return Job(id="20260301-020000-1", state="INPROGRESS", progress=progress, duration_seconds=seconds)


def estimate(*durations: float, watched: tuple[tuple[float, int], ...] = ()) -> TimeLeft:
    time_left = TimeLeft(0.0)
    time_left.learn(durations)
    for now, progress in watched:
        time_left.observe(now, job(progress))
    return time_left


def test_nothing_is_known_without_earlier_jobs_and_progress() -> None:
    assert estimate().seconds(300) is None
    assert estimate(watched=((0, 5), (60, 14))).seconds(60) is None


def test_earlier_jobs_give_their_median() -> None:
    assert estimate(20 * MINUTE, 21 * MINUTE, 90 * MINUTE).seconds(7 * MINUTE) == 14 * MINUTE


def test_only_the_ten_newest_jobs_count() -> None:
    assert estimate(*[600.0] * 10, *[6000.0] * 30).seconds(0) == 600


def test_progress_gives_the_pace() -> None:
    assert estimate(watched=((0, 0), (60, 10), (120, 20))).seconds(120) == 480
    assert estimate(watched=((0, 0), (60, 10), (120, 20))).seconds(150) == 450


def test_progress_decides_how_much_the_pace_counts() -> None:
    time_left = estimate(1000, watched=((0, 0), (500, 25)))
    assert time_left.seconds(500) == 0.75 * 500 + 0.25 * 1500


def test_job_that_should_have_ended_has_no_estimate() -> None:
    assert estimate(600).seconds(601) is None


def test_duration_that_the_appliance_reports_counts_from_the_true_start() -> None:
    time_left = TimeLeft(1000.0)
    time_left.observe(1000, job(seconds=400))
    time_left.learn((600,))
    assert time_left.seconds(1000) == 200


def test_job_far_beyond_the_longest_earlier_one_is_warned_about_once() -> None:
    time_left = estimate(20 * MINUTE, 22 * MINUTE)
    assert time_left.long_run_warning(38 * MINUTE) is None
    assert time_left.long_run_warning(62 * MINUTE) == "running for 1h 02m, usually 21m"
    assert time_left.long_run_warning(63 * MINUTE) is None


def details(status: str = "SUCCEEDED", kind: str = "MANUAL", duration: float | None = 1260) -> JobDetails:
    return JobDetails(status=status, type=kind, location="sftp://h/d", duration=duration)


HISTORY = {
    "20260227-020000-1": details(duration=1200),
    "20260228-020000-1": details(status="FAILED", duration=3),
    "20260228-030000-1": details(kind="SCHEDULED", duration=9000),
    "20260228-040000-1": details(duration=None),
    "20260228-050000-1": details(duration=1320),
}


def status(state: str = "INPROGRESS", progress: int = 5) -> BackupJobStatus:
    return BackupJobStatus(id="20260301-020000-1", state=state, progress=progress)


def test_follow_reads_the_history_once_and_counts_successful_jobs_of_the_same_type(clock: FakeClock) -> None:
    own = {"20260301-020000-1": details(status="RUNNING", duration=10)}
    bench, api = scripted(
        clock, job=[status(), status(progress=6), status("SUCCEEDED", 100)], job_details=[HISTORY | own, own]
    )
    ended = bench.run(follow(bench.appliance, job(4), Timeouts(interval=10)))
    assert api.names() == ["job", "job_details", "job", "job", "job_details"]
    running = [event.job for event in bench.events if isinstance(event, Progressed) and not event.job.ended]
    assert [each.usual_duration_seconds for each in running] == [1260, 1260]
    assert running[0].expected_end is not None
    assert (ended.value.expected_end, ended.value.usual_duration_seconds) == (None, 1260)


def test_history_is_read_again_while_it_lacks_the_followed_job(clock: FakeClock) -> None:
    own = {"20260301-020000-1": details(status="RUNNING", duration=70)}
    bench, api = scripted(
        clock,
        job=[status(), status(progress=6), status(progress=7), status("SUCCEEDED", 100)],
        job_details=[HISTORY, HISTORY | own, own],
    )
    ended = bench.run(follow(bench.appliance, job(4), Timeouts(interval=60)))
    assert api.names() == ["job", "job_details", "job", "job_details", "job", "job_details", "job", "job_details"]
    assert ended.value.usual_duration_seconds == 1260


@pytest.mark.parametrize("answer", [ServerFaultError("503", retryable=True, certain=False), {}])
def test_follow_goes_on_without_a_history(answer: object, clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=[status(), status(progress=6), status("SUCCEEDED", 100)], job_details=answer)
    ended = bench.run(follow(bench.appliance, job(5), Timeouts(interval=10)))
    assert (ended.error, ended.value.expected_end, ended.value.usual_duration_seconds) == (None, None, None)
    assert not [event for event in bench.events if isinstance(event, Warned)]


@pytest.mark.parametrize("duration", [1e10, 1e12, 9e18])
def test_absurd_duration_of_an_earlier_job_is_ignored(duration: float, clock: FakeClock) -> None:
    own = {"20260301-020000-1": details(status="RUNNING", duration=10)}
    odd = {"20260228-060000-1": details(duration=duration)}
    bench, _ = scripted(
        clock, job=[status(), status(progress=6), status("SUCCEEDED", 100)], job_details=[HISTORY | odd | own, own]
    )
    ended = bench.run(follow(bench.appliance, job(4), Timeouts(interval=10)))
    assert (ended.error, ended.value.usual_duration_seconds) == (None, 1260)


def test_end_beyond_the_last_year_is_unknown() -> None:
    assert estimate(600).expected_end(0, datetime(9999, 12, 31, 23, 59, tzinfo=UTC)) is None
