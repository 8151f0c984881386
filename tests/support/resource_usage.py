"""Measure commands as processes: wall time, CPU, memory, threads."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backupctl.clock import SystemClock
from tests.support.processes import ROOT

CLOCK = SystemClock()
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Usage:
    """The output of a command and its cost: seconds, peak MiB, most threads."""

    code: int
    out: str
    err: str
    wall: float
    cpu: float
    memory: float
    threads: int

    @property
    def lines(self) -> list[Any]:
        """The lines of ``-o jsonl``."""
        return [json.loads(line) for line in self.out.splitlines()]


def measure(
    words: Sequence[str],
    folder: Path,
    environ: Mapping[str, str] = {},
    *,
    meanwhile: Callable[[int, float], None] = lambda _pid, _seconds: None,
) -> Usage:
    """Run a command line in its own process; call ``meanwhile`` with its id and age 20 times a second."""
    argv = [sys.executable, "-m", "backupctl", *words]
    complete = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), **environ}
    out, err = folder / "out", folder / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        streams = [(os.POSIX_SPAWN_DUP2, stdout.fileno(), 1), (os.POSIX_SPAWN_DUP2, stderr.fileno(), 2)]
        began = CLOCK.monotonic()
        pid = os.posix_spawn(sys.executable, argv, complete, file_actions=streams)
    threads = memory = 0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        wall = CLOCK.monotonic() - began
        if ended:
            break
        threads, memory = max(threads, _fact(pid, "Threads")), max(memory, _fact(pid, "VmHWM"))
        meanwhile(pid, wall)
        CLOCK.sleep(SAMPLE_SECONDS)
    code, cpu = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
    return Usage(code, out.read_text(), err.read_text(), wall, cpu, memory / 1024, threads)


def _fact(pid: int, name: str) -> int:
    """Return a number from the process's status file; ``ru_maxrss`` would include the parent's memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition(f"{name}:")[2].partition("\n")[0].split()[0]) if f"{name}:" in status else 0
