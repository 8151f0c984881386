"""What help, version and completion cost, against a Python that does no more than import click.

Run with ``pytest -m benchmark -s tests/benchmarks/test_startup.py``. The runs are interleaved, so that a machine that
is busy for a moment is busy for all of them; what counts is the median of the ratios of neighbours.
"""

import subprocess
import sys
from statistics import median

import pytest

from backupctl.clock import SystemClock
from tests.support.processes import ROOT, Program

pytestmark = pytest.mark.benchmark

RUNS = 25
BARE = [sys.executable, "-c", "import click"]
COMPLETING = ["env", "_BACKUPCTL_COMPLETE=bash"]
LIMITS = {
    "--version": (Program.words("--version"), 1.35),
    "--help": (Program.words("--help"), 1.5),
    "cr<TAB>": ([*COMPLETING, *Program.words("backupctl cr")], 1.6),
    "create --lo<TAB>": ([*COMPLETING, *Program.words("backupctl create --lo")], 3.0),
}


def seconds(argv: list[str]) -> float:
    clock = SystemClock()
    began = clock.monotonic()
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
    return clock.monotonic() - began


def test_help_version_and_completion_cost_little_more_than_click(capsys: pytest.CaptureFixture[str]) -> None:
    commands = {"import click": BARE, **{name: argv for name, (argv, _) in LIMITS.items()}}
    for argv in commands.values():
        seconds(argv)  # writes the bytecode
    rounds = [{name: seconds(argv) for name, argv in commands.items()} for _ in range(RUNS)]
    ratios = {name: median(times[name] / times["import click"] for times in rounds) for name in commands}
    lines = [f"{'':18}{'median ms':>12}{'ratio':>8}{'limit':>8}"]
    for name, ratio in ratios.items():
        limit = f"{LIMITS[name][1]:.2f}" if name in LIMITS else ""
        lines.append(f"{name:18}{1000 * median(times[name] for times in rounds):12.1f}{ratio:8.2f}{limit:>8}")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    over = {name: ratio for name, ratio in ratios.items() if name in LIMITS and ratio > LIMITS[name][1]}
    assert not over
