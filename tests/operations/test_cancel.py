"""Cancel: success means that the job has ended without success."""

from typing import Any

import pytest

from backupctl.errors import (
    ApplianceUnreachableError,
    BackupctlError,
    CancelRefusedError,
    InterruptedRunError,
    NotFoundError,
    ServerFaultError,
    TimedOutError,
)
from backupctl.location import Location
from backupctl.models import BackupJobStatus, BackupRequest, LocalizableMessage, ReturnResult
from backupctl.operations.cancel import cancel
from backupctl.results.events import Cancelling
from tests.support.clock import FakeClock
from tests.support.operation_bench import NAME, scripted, simulated

ID = "20260301-020000-1"
REQUEST = BackupRequest(
    parts=("common",), location_type="FTP", location=Location.parse("ftp://backup.example.com/vcenter")
)
LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True)
UNAVAILABLE = ServerFaultError("503", retryable=True)
OK = ReturnResult(status="OK")
FAIL = ReturnResult(status="FAIL")


def status(state: str = "INPROGRESS", progress: float = 50) -> BackupJobStatus:
    return BackupJobStatus(id=ID, state=state, progress=progress)


@pytest.mark.parametrize("job_id", ["latest", "its id"])
@pytest.mark.parametrize("release", ["6.5", "8.0"])
def test_cancel_follows_a_running_job_to_its_end(release: str, job_id: str, clock: FakeClock) -> None:
    bench, simulator = simulated(clock, release=release, job_duration=600)
    running = bench.appliance.api.create_job(REQUEST).id
    clock.sleep(100)
    ended = bench.run(cancel(bench.appliance, "latest" if job_id == "latest" else running))
    assert (ended.error, ended.value.id, ended.value.state) == (None, running, "FAILED")
    assert bench.kinds[0] == "Cancelling"
    assert 100 < clock.elapsed <= 104
    assert len(simulator.jobs) == 1


def test_cancel_shows_the_reasons_of_a_refusal(clock: FakeClock) -> None:
    reason = LocalizableMessage(default_message="It has ended.")
    bench, api = scripted(clock, job=status(), cancel_job=ReturnResult(status="FAIL", messages=[reason]))
    with pytest.raises(CancelRefusedError) as caught:
        bench.run(cancel(bench.appliance, ID))
    assert (caught.value.exit_code, caught.value.details) == (6, ("It has ended.",))
    assert (caught.value.facts.server, caught.value.facts.job) == (NAME, ID)
    assert (api.names(), bench.kinds) == (["job", "cancel_job"], [])


def test_cancel_of_a_job_that_succeeds_anyway_is_refused(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=[status(), status(), status("SUCCEEDED", 100)], cancel_job=OK, job_details={})
    ended = bench.run(cancel(bench.appliance, ID))
    assert (type(ended.error), ended.value.state) == (CancelRefusedError, "SUCCEEDED")


@pytest.mark.parametrize("answer", [OK, ReturnResult(status="WARNING"), ReturnResult(status="ODD"), LOST])
def test_cancel_with_any_other_response_succeeds_if_the_job_fails(answer: Any, clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=[status(), status(), status("FAILED")], cancel_job=answer, job_details={})
    ended = bench.run(cancel(bench.appliance, ID))
    assert (ended.error, ended.value.state) == (None, "FAILED")
    assert len(bench.events_of(Cancelling)) == 1


@pytest.mark.parametrize(
    ("then", "error"), [(status(), TimedOutError), (LOST, ApplianceUnreachableError)], ids=["runs", "dropped"]
)
def test_cancel_follows_the_job_for_a_minute(then: Any, error: type[BackupctlError], clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=[status(), then], cancel_job=OK, job_details={})
    ended = bench.run(cancel(bench.appliance, ID))
    assert (type(ended.error), clock.elapsed) == (error, 60)


@pytest.mark.parametrize("answers", [[LOST, OK], [LOST, FAIL], [LOST, LOST, FAIL], [UNAVAILABLE, OK]], ids=str)
def test_cancel_is_retried_after_a_lost_response(answers: list[Any], clock: FakeClock) -> None:
    bench, api = scripted(clock, job=[status(), status(), status("FAILED")], cancel_job=answers, job_details={})
    ended = bench.run(cancel(bench.appliance, ID))
    assert (ended.error, api.names().count("cancel_job")) == (None, len(answers))


def test_cancel_without_a_response_is_reported_if_the_job_keeps_running(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=status(), cancel_job=LOST, job_details={})
    error = bench.run(cancel(bench.appliance, ID)).error
    assert isinstance(error, TimedOutError)
    assert error.details == ("the cancel request may be lost: dropped",)


def test_cancel_raises_a_certain_error(clock: FakeClock) -> None:
    refused = ApplianceUnreachableError("connection failed")
    bench, api = scripted(clock, job=status(), cancel_job=refused)
    with pytest.raises(ApplianceUnreachableError) as caught:
        bench.run(cancel(bench.appliance, ID))
    assert caught.value is refused
    assert api.names() == ["job", "cancel_job"]


def test_cancel_of_an_unknown_job_is_not_sent(clock: FakeClock) -> None:
    bench, api = scripted(clock, job=NotFoundError("404"), cancel_job=OK)
    with pytest.raises(NotFoundError) as caught:
        bench.run(cancel(bench.appliance, ID))
    assert caught.value.facts.job == ID
    assert "cancel_job" not in api.names()


def test_cancel_interrupted_stops_following(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=status(), cancel_job=OK, job_details={})
    ended = bench.run(cancel(bench.appliance, ID), interrupt_at=[10])
    assert (type(ended.error), clock.elapsed) == (InterruptedRunError, 10)
    assert ended.error is not None
    assert (ended.error.facts.job, ended.error.attach) == (ID, f"watch {ID}")


def test_cancel_interrupted_during_the_request_waits_for_the_response(clock: FakeClock) -> None:
    def slowly(*_: object) -> ReturnResult:
        clock.sleep(20)
        return OK

    bench, api = scripted(clock, job=status(), cancel_job=slowly, job_details={})
    ended = bench.run(cancel(bench.appliance, ID), interrupt_at=[10])
    assert (type(ended.error), clock.elapsed) == (InterruptedRunError, 20)
    assert bench.events_of(Cancelling)
    assert api.names() == ["job", "cancel_job"]
