"""The cost of short commands, compared with a Python that only imports the same libraries.

Run with ``pytest -m benchmark -s tests/benchmarks/test_startup.py``. Each round runs all commands one after the other,
so that load affects all of them. The result is the median of the ratios of CPU seconds, which other programs disturb
less than wall time.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

from backupctl.clock import SystemClock
from tests.support.processes import ROOT, Program
from tests.support.served_fleet import serve_fleet

pytestmark = pytest.mark.benchmark

CLOCK = SystemClock()
ROUNDS = 25
COMPLETING = {"_BACKUPCTL_COMPLETE": "bash"}
IMPORT_CLICK = [sys.executable, "-c", "import click"]
BARE_LIST = """
import os
import ssl

import httpx
import rich

tls = ssl.create_default_context(cafile=os.environ["BACKUPCTL_CA_FILE"])
with httpx.Client(base_url=os.environ["BACKUPCTL_SERVER"], verify=tls) as client:
    login = (os.environ["BACKUPCTL_USERNAME"], os.environ["BACKUPCTL_PASSWORD"])
    client.headers["vmware-api-session-id"] = client.post("/api/session", auth=login).raise_for_status().json()
    client.get("/api/appliance/system/version").raise_for_status()
    jobs = client.get("/api/appliance/recovery/backup/job/details").raise_for_status().json()
    client.delete("/api/session").raise_for_status()
assert jobs
print(jobs)
"""
"""A script that sends the four requests of ``list`` and nothing else."""


class Command(NamedTuple):
    """A command, and the limit of its cost as a multiple of the first command's."""

    name: str
    argv: Sequence[str]
    limit: float | None = None
    environ: Mapping[str, str] = {}


class Cost(NamedTuple):
    """Seconds of one run."""

    cpu: float
    wall: float


def cost(command: Command, folder: Path) -> Cost:
    """Run a command in an environment of its own, in which Python may write its bytecode."""
    environ = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), **command.environ}
    devnull = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    began = CLOCK.monotonic()
    pid = os.posix_spawn(command.argv[0], list(command.argv), environ, file_actions=devnull)
    _, status, usage = os.wait4(pid, 0)
    wall = CLOCK.monotonic() - began
    assert os.waitstatus_to_exitcode(status) == 0, command.name
    return Cost(usage.ru_utime + usage.ru_stime, wall)


def compare(commands: Sequence[Command], folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Print the cost of each command relative to the first; return the ratios above their limits."""
    first = commands[0].name
    for command in commands:
        cost(command, folder)  # Python writes the bytecode.
    rounds = [{command.name: cost(command, folder) for command in commands} for _ in range(ROUNDS)]
    lines, over = [f"{'':24}{'CPU ms':>8}{'wall ms':>9}{'ratio':>7}{'limit':>7}"], {}
    for name, _, limit, _ in commands:
        cpu, wall = (1000 * median(costs[name][column] for costs in rounds) for column in (0, 1))
        ratio = median(costs[name].cpu / costs[first].cpu for costs in rounds)
        lines.append(f"{name:24}{cpu:8.1f}{wall:9.1f}{ratio:7.2f}{f'{limit:.2f}' if limit else '':>7}")
        if limit and ratio > limit:
            over[name] = ratio
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    return over


def test_help_version_and_completion_cost_little_more_than_click(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("".join(f'[servers.vc{number}]\nhost = "vc{number}.example.com"\n' for number in range(50)))
    commands = [
        Command("import click", IMPORT_CLICK),
        Command("--version", Program.words("--version"), 1.1),
        Command("--help", Program.words("--help"), 1.25),
        Command("create --help", Program.words("create", "--help"), 1.4),
        Command("cr<TAB>", Program.words("backupctl cr"), 1.3, COMPLETING),
        Command(
            "create -s <TAB>",
            Program.words("backupctl create -s "),
            1.45,
            {**COMPLETING, "BACKUPCTL_CONFIG": str(file)},
        ),
        Command("create --lo<TAB>", Program.words("backupctl create --lo"), 1.6, COMPLETING),
    ]
    assert not compare(commands, tmp_path, capsys)


def test_list_costs_no_more_than_a_script_that_sends_the_same_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_fleet(tmp_path, history=True) as served:
        appliance, options = served.server.appliances[0], served.server.options
        environ = {
            "BACKUPCTL_SERVER": appliance.url,
            "BACKUPCTL_CA_FILE": str(appliance.ca_file),
            "BACKUPCTL_USERNAME": options.username,
            "BACKUPCTL_PASSWORD": options.password,
        }
        commands = [
            Command("bare script", [sys.executable, "-c", BARE_LIST], None, environ),
            Command("list", Program.words("list"), 1.2, environ),
            Command("list --color always", Program.words("list", "--color", "always"), 1.2, environ),
            Command("list -q", Program.words("list", "-q"), 1.0, environ),
            Command("list -o json", Program.words("list", "-o", "json"), 1.0, environ),
        ]
        assert not compare(commands, tmp_path, capsys)
