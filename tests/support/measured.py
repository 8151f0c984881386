"""Commands measured as processes: wall, CPU, memory, threads; and what their appliances saw of them."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backupctl.clock import SystemClock
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import SimulatorServer
from tests.support.processes import ROOT

CLOCK = SystemClock()
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Measured:
    """What a command did and what that cost: seconds, MiB at its peak, threads at most."""

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


def measured(
    words: Sequence[str],
    folder: Path,
    environ: Mapping[str, str] = {},
    *,
    meanwhile: Callable[[int, float], None] = lambda _pid, _seconds: None,
) -> Measured:
    """Run a command line in a process of its own; ``meanwhile`` gets its id and its age some times a second."""
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
        CLOCK.sleep(LOOK_SECONDS)
    code, cpu = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
    return Measured(code, out.read_text(), err.read_text(), wall, cpu, memory / 1024, threads)


def _fact(pid: int, name: str) -> int:
    """Return what the kernel counts of a process; its ``ru_maxrss`` is of no use, it begins with that of the parent."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition(f"{name}:")[2].partition("\n")[0].split()[0]) if f"{name}:" in status else 0


@dataclass(frozen=True)
class Served:
    """Simulated appliances in this process, and the configuration file that leads to them."""

    server: SimulatorServer
    config: Path

    @property
    def environ(self) -> dict[str, str]:
        return {"BACKUPCTL_CONFIG": str(self.config), "VC_PASSWORD": self.server.options.password}

    @property
    def requests(self) -> int:
        """How many requests reached the appliances."""
        return sum(state.requests_seen for state in self.server.simulated)

    @property
    def handshakes(self) -> int:
        """How many TLS handshakes they made."""
        context = self.server._servers[0]._context
        return int(context.session_stats()["accept"]) if context else 0

    @property
    def open_sessions(self) -> int:
        return sum(state.open_sessions for state in self.server.simulated)

    @property
    def jobs(self) -> int:
        return sum(len(state.jobs) for state in self.server.simulated)


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Served]:
    """Serve appliances, and write the configuration file that names them ``vc1`` to ``vcN``, a group ``production``."""
    with SimulatorServer(ServerOptions(**options), SystemClock()) as server:
        config = folder / "config.toml"
        trust = f'ca-file = "{server.appliances[0].ca_file}"\n' if server.options.tls else ""
        text = (
            f'[defaults]\nusername = "{server.options.username}"\npassword-env = "VC_PASSWORD"\n{trust}'
            'location = "nfs://nfs.example.com/vcenter/{server}"\n'
        )
        names = [f"vc{number}" for number in range(1, len(server.appliances) + 1)]
        for name, appliance in zip(names, server.appliances, strict=True):
            text += f'[servers.{name}]\nhost = "{appliance.url}"\n'
        config.touch(mode=0o600)
        config.write_text(f"{text}[groups]\nproduction = {json.dumps(names)}\n", encoding="utf-8")
        yield Served(server, config)
