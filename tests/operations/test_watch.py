"""Watch and status: the outcome of a job that is read or followed."""

from typing import Any

import pytest

from backupctl.location import Location
from backupctl.models import BackupJobStatus, BackupRequest
from backupctl.operations.follow import Timeouts
from backupctl.operations.watch import status as read_once
from backupctl.operations.watch import watch
from tests.support.clock import FakeClock
from tests.support.operation_bench import scripted, simulated

ID = "20260301-020000-1"


def status(**fields: Any) -> BackupJobStatus:
    return BackupJobStatus(**{"id": ID, "state": "INPROGRESS", **fields})


@pytest.mark.parametrize(
    ("state", "code"), [("SUCCEEDED", 0), ("FAILED", 7), ("INPROGRESS", 8), ("NONE", 8), ("PAUSED", 8)]
)
def test_status_and_watch_return_the_exit_code_of_the_state(state: str, code: int, clock: FakeClock) -> None:
    bench, api = scripted(clock, job=status(state=state), job_details={})
    for task in (read_once(bench.appliance, ID), watch(bench.appliance, ID, Timeouts(timeout=0))):
        ended = bench.run(task)
        assert (ended.error.exit_code if ended.error else 0) == code
    assert (clock.elapsed, bench.events) == (0, [])
    assert api.names() == ["job", "job_details"] * 2


def test_watch_follows_a_running_job_to_its_end(clock: FakeClock) -> None:
    bench, _ = simulated(clock, job_duration=120)
    bench.appliance.api.create_job(
        BackupRequest(
            parts=("common",), location_type="FTP", location=Location.parse("ftp://backup.example.com/vcenter")
        )
    )
    clock.sleep(60)
    ended = bench.run(watch(bench.appliance, "latest", Timeouts()))
    assert (ended.error, ended.value.state, bench.kinds[0]) == (None, "SUCCEEDED", "Attached")


def test_watch_does_not_attach_to_a_job_that_has_ended(clock: FakeClock) -> None:
    bench, _ = simulated(clock, history=True)
    assert bench.run(watch(bench.appliance, "latest", Timeouts())).value.ended
    assert (bench.kinds, clock.elapsed) == ([], 0)
