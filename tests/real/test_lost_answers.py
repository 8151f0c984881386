"""Lost responses to the request that starts a backup, on real connections."""

import signal

import pytest

from tests import wording
from tests.support.http_relay import http_relay
from tests.support.processes import CLOCK, Program, Simulators, wait_until

pytestmark = pytest.mark.real


def test_lost_answer_adopts_the_job_and_starts_no_second_one(program: Program, serve: Simulators) -> None:
    served = serve(faults=["lost-create-answer=1"])
    created = program.run("create", environ=served.environ)
    (job,) = program.run("list", "-o", "json", environ=served.environ).result["jobs"]
    assert created.code == 0
    assert f"the backup started: {job['id']}" in created.err


def test_lost_request_without_time_to_search_for_the_job_is_unknown(program: Program, serve: Simulators) -> None:
    served = serve(faults=["lost-create-request=1"])
    created = program.run("create", "--timeout", "2s", "-o", "json", environ=served.environ)
    assert (created.code, created.result["error"]["slug"]) == (5, "outcome-unknown")
    assert program.run("list", "-o", "json", environ=served.environ).result["jobs"] == []


def test_request_that_hangs_ends_with_the_timeout(program: Program, serve: Simulators) -> None:
    served = serve(faults=["slow=60s@create"])
    began = CLOCK.monotonic()
    created = program.run("create", "--timeout", "2s", "-o", "json", environ=served.environ)
    assert (created.code, created.result["error"]["slug"]) == (5, "outcome-unknown")
    assert "backupctl watch latest" in created.result["error"]["attach"]
    assert 2 <= CLOCK.monotonic() - began < 10


def test_term_ends_a_request_that_hangs_within_ten_seconds(program: Program, serve: Simulators) -> None:
    with http_relay(serve("--no-tls", faults=["slow=60s@create"])) as relay:
        process = program.start("create", environ=relay.environ)
        wait_until(lambda: "POST /api/appliance/recovery/backup/job" in relay.requests, "the request")
        began = CLOCK.monotonic()
        process.signal(signal.SIGTERM)
        run = process.wait(30.0)
    assert run.code == 130
    assert 9 <= CLOCK.monotonic() - began < 20
    assert wording.UNKNOWN_WHETHER_STARTED in run.err
    assert "backupctl watch latest" in run.err


def test_broken_connections_while_polling_are_retried(program: Program, serve: Simulators) -> None:
    created = program.run("create", environ=serve(faults=["drop=1@poll", "http-503=1@poll"], seconds="2s").environ)
    assert created.code == 0
    assert "; retrying" in created.err
    assert "recovered:" in created.err


def test_session_that_expires_is_renewed(program: Program, serve: Simulators) -> None:
    created = program.run("create", environ=serve(faults=["session-expires-after=1s"], seconds="2s").environ)
    assert created.code == 0
