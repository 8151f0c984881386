"""A hundred appliances with seven kinds of faults: each result has its exit code, and the run has one."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from backupctl.exit_codes import SEVERITY
from tests.support.command_line import USER, CommandLine, configured

pytestmark = pytest.mark.exhaustive

SIZE = 100
FAULTS = {
    "": (0, None),
    "fail-at=40": (7, "backup-failed"),
    "stall-at=60": (8, "timed-out"),
    "busy": (9, "busy"),
    "forbidden": (4, "forbidden"),
    "html-503=999@list": (6, "api"),
    "drop=999@list": (5, "connection"),
    "lost-create-request": (5, "not-started"),
}
"""The exit code of each fault; two healthy appliances precede each faulty one."""


def kinds() -> list[str]:
    faults = [fault for fault in FAULTS if fault]
    return [faults[(number // 3) % len(faults)] if number % 3 == 2 else "" for number in range(SIZE)]


def hundred(folder: Path, faults: list[str]) -> CommandLine:
    """Return a command line with a configured appliance for each fault; an empty one is healthy."""
    names = [f"vc{number:03}" for number in range(len(faults))]
    servers = "".join(f'[servers.{name}]\nhost = "{name}.example.com"\n' for name in names)
    text = (
        f'[defaults]\nusername = "{USER}"\npassword-env = "VC_PASSWORD"\nlocation = "nfs://nas/vcenter/{{server}}"\n'
        f"{servers}[groups]\nproduction = {json.dumps(names)}\n"
    )
    return configured(
        folder,
        text,
        others={
            f"{name}.example.com": {"faults": [fault] if fault else []}
            for name, fault in zip(names, faults, strict=True)
        },
        job_duration=180.0,
    )


@pytest.mark.parametrize("parallel", ["0", "16"])
def test_hundred_results_have_their_exit_codes_and_the_gravest_decides(tmp_path: Path, parallel: str) -> None:
    faults = kinds()
    assert set(faults) == set(FAULTS)
    backupctl = hundred(tmp_path, faults)
    run = backupctl("create", "-g", "production", "--parallel", parallel, "--timeout", "10m", "-o", "json")
    found = [(result["exit_code"], result["error"] and result["error"]["slug"]) for result in run.json["results"]]
    assert found == [FAULTS[fault] for fault in faults]
    assert run.code == next(code for code in SEVERITY if code in dict(found)) == 7
    sessions = [appliance.open_sessions for appliance in backupctl.others.values()]
    assert sessions == [0] * SIZE
    ours = Counter(
        (fault, sum(job.spec.location.startswith("nfs://nas/") for job in appliance.jobs))
        for fault, appliance in zip(faults, backupctl.others.values(), strict=True)
    )
    started = {"", "fail-at=40", "stall-at=60"}
    assert all(jobs == int(fault in started) for fault, jobs in ours)


def test_text_of_a_hundred_groups_equal_failures_and_ends_with_a_summary(tmp_path: Path) -> None:
    run = hundred(tmp_path, kinds())("create", "--all", "--parallel", "0", "--timeout", "10m")
    with_job = {"", "fail-at=40", "stall-at=60"}
    results = [line for line in run.out.splitlines() if not line.startswith("  ")]
    assert len(results) == sum(fault in with_job for fault in kinds())
    told = [line for line in run.err.splitlines() if not line.startswith("2026-")]
    assert sum(bool(re.match(r"✗ \d+ appliances: ", line)) for line in told) == len(set(FAULTS) - with_job)
    named = {f"vc{number:03}" for number, fault in enumerate(kinds()) if fault}
    assert set(re.findall(r"\bvc\d+\b", " ".join(told))) == named
    assert told[-1] == "67 done, 5 still running, 10 refused, 5 failed, 5 busy, 4 unreachable, 4 not started"
