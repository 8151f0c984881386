"""Simulated appliances in this process, on real sockets, with a configuration file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backupctl.clock import SystemClock
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import SimulatorServer


@dataclass(frozen=True)
class ServedFleet:
    """Served appliances, and the configuration file that names them."""

    server: SimulatorServer
    config: Path

    @property
    def environ(self) -> dict[str, str]:
        return {"BACKUPCTL_CONFIG": str(self.config), "VC_PASSWORD": self.server.options.password}

    @property
    def requests(self) -> int:
        """The number of requests to the appliances."""
        return sum(state.requests_seen for state in self.server.simulated)

    @property
    def handshakes(self) -> int:
        """The number of accepted TLS handshakes."""
        context = self.server._servers[0]._context
        return int(context.session_stats()["accept"]) if context else 0

    @property
    def open_sessions(self) -> int:
        return sum(state.open_sessions for state in self.server.simulated)

    @property
    def jobs(self) -> int:
        return sum(len(state.jobs) for state in self.server.simulated)


@contextmanager
def serve_fleet(folder: Path, **options: Any) -> Iterator[ServedFleet]:
    """Serve appliances named ``vc1`` to ``vcN`` in the configuration file, in a group ``production``."""
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
        yield ServedFleet(server, config)
