"""The system clock is set during a run: forward, back, and before the certificate is valid."""

import json
from pathlib import Path

import pytest

from tests.support.http_relay import jobs_of
from tests.support.processes import Program, Simulators, require_program

pytestmark = pytest.mark.real


@pytest.fixture
def faked(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """Return an environment whose wall clock is controlled by a file; monotonic time is unaffected."""
    faketime = Path(require_program("faketime"))
    library = next(faketime.parents[1].glob("lib/*/faketime/libfaketimeMT.so.1"))
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    return (
        {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        },
        offset,
    )


@pytest.mark.parametrize("set_to", ["-2h", "+1d", "-3y"])
def test_clock_set_during_a_run_does_not_change_the_result(
    program: Program, serve: Simulators, faked: tuple[dict[str, str], Path], set_to: str
) -> None:
    environ, offset = faked
    served = serve("--no-tls", seconds="2s")
    creating = program.start("create", "-o", "jsonl", "--timeout", "30s", environ={**served.environ, **environ})
    before = json.loads(creating.wait_for_stdout('"event":"started"').string)["time"]
    offset.write_text(f"{set_to}\n")
    run = creating.wait()
    result = run.events[-1]
    (job,) = jobs_of(served)
    assert run.code == result["exit_code"] == 0
    assert result["results"][0]["job"]["state"] == job["status"] == "SUCCEEDED"
    assert 0 <= result["results"][0]["job"]["duration_seconds"] <= 3
    assert (result["time"] > before) == set_to.startswith("+"), "the clock was not set"


def test_clock_set_forward_does_not_end_a_wait(
    program: Program, serve: Simulators, faked: tuple[dict[str, str], Path]
) -> None:
    environ, offset = faked
    served = serve("--no-tls", seconds="60s")
    creating = program.start("create", "--timeout", "3s", environ={**served.environ, **environ})
    creating.wait_for_stderr("backup started")
    offset.write_text("+2d\n")
    with pytest.raises(AssertionError):
        creating.wait_for_stderr("still running", seconds=1.5)
    run = creating.wait()
    assert (run.code, "still running" in run.out + run.err) == (8, True)


def test_clock_before_the_certificate_is_a_clear_error(
    program: Program, serve: Simulators, faked: tuple[dict[str, str], Path]
) -> None:
    environ, offset = faked
    served = serve()
    offset.write_text("-30y\n")
    refused = program.run("list", environ={**served.environ, **environ})
    assert refused.code == 5
    assert "certificate" in refused.err
