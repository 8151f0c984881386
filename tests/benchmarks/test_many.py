"""Ten thousand appliances in one run on the fake clock: time and memory grow no faster than their number.

Run with ``pytest -m benchmark -s tests/benchmarks/test_many.py``. Each run is a process of its own, which holds the
simulated appliances too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import PASSWORD, USER, CommandLine
from tests.support.processes import ROOT

pytestmark = pytest.mark.benchmark

SIZES = (2_500, 10_000)
MOST_GROWTH = 1.3
"""The most growth of the cost per appliance from the smallest to the largest run."""


def measure(folder: Path, size: int) -> None:
    """Back up ``size`` appliances; print the CPU seconds, and the MiB before and at the peak."""
    names = [f"vc{number:05}" for number in range(size)]
    config = folder / "config.toml"
    config.touch(mode=0o600)
    config.write_text(
        f'[defaults]\nusername = "{USER}"\npassword-env = "VC_PASSWORD"\nlocation = "nfs://nas/vcenter/{{server}}"\n'
        + "".join(f'[servers.{name}]\nhost = "{name}.example.com"\n' for name in names)
    )
    environ = {"BACKUPCTL_CONFIG": str(config), "VC_PASSWORD": PASSWORD}
    backupctl = CommandLine(environ=environ, others={f"{name}.example.com": {} for name in names}, job_duration=60.0)
    memory, began = peak_memory(), cpu_seconds()
    run = backupctl("create", "--all", "--parallel", "0", "--interval", "30s", "-o", "json")
    seconds = cpu_seconds() - began
    assert run.code == 0, run.err
    assert [len(appliance.jobs) for appliance in backupctl.others.values()] == [1] * size
    print(json.dumps([seconds, memory, peak_memory()]))  # noqa: T201 - read by the test


def cpu_seconds() -> float:
    """Return the CPU seconds of this process."""
    used = os.times()
    return used.user + used.system


def peak_memory() -> float:
    """Return the peak memory of this process in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_cost_per_appliance_does_not_grow_with_their_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{'appliances':>10}{'CPU s':>8}{'ms each':>9}{'MiB':>7}{'KiB each':>10}"]
    each: list[tuple[float, float]] = []
    for size in SIZES:
        code = f"from pathlib import Path; from tests.benchmarks.test_many import measure; measure(Path.cwd(), {size})"
        folder = tmp_path / str(size)
        folder.mkdir()
        environ = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environ, stdout=subprocess.PIPE, check=True)
        seconds, before, peak = json.loads(done.stdout)
        each.append((1000 * seconds / size, 1024 * (peak - before) / size))
        lines.append(f"{size:10}{seconds:8.1f}{each[-1][0]:9.2f}{peak:7.0f}{each[-1][1]:10.1f}")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert all(last < MOST_GROWTH * first for first, last in zip(each[0], each[-1], strict=True))
