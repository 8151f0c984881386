"""The request that starts a backup, when its answer does not come: on a real connection that dies."""

import pytest

from tests.support.processes import Program, Simulators

pytestmark = pytest.mark.real


def test_lost_answer_adopts_the_job_and_starts_no_second_one(program: Program, serve: Simulators) -> None:
    served = serve(faults=["lost-create-answer=1"])
    created = program.run("create", environ=served.environ)
    (job,) = program.run("list", "-o", "json", environ=served.environ).result["jobs"]
    assert created.code == 0
    assert f"the backup started: {job['id']}" in created.err


def test_lost_request_starts_nothing_and_says_so(program: Program, serve: Simulators) -> None:
    served = serve(faults=["lost-create-request=1"])
    created = program.run("create", "--timeout", "2s", "-o", "json", environ=served.environ)
    assert (created.code, created.result["error"]["slug"]) == (5, "not-started")
    assert program.run("list", "-o", "json", environ=served.environ).result["jobs"] == []


def test_connections_that_die_while_polling_are_outlived(program: Program, serve: Simulators) -> None:
    created = program.run("create", environ=serve(faults=["drop=1@poll", "http-503=1@poll"], seconds="2s").environ)
    assert created.code == 0
    assert "trouble:" in created.err
    assert "recovered:" in created.err


def test_session_that_expires_is_renewed(program: Program, serve: Simulators) -> None:
    created = program.run("create", environ=serve(faults=["session-expires-after=1s"], seconds="2s").environ)
    assert created.code == 0
