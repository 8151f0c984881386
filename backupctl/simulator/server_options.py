"""The options of ``backupctl simulator serve``."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from backupctl.errors import UsageError
from backupctl.simulator.user_sessions import DEFAULT_PASSWORD, DEFAULT_USERNAME


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What to serve: ``appliances`` appliances with the options of ``ApplianceState``.

    ``listen`` is ``HOST:PORT``, with port 0 for any free port. ``job_duration`` is in seconds.
    """

    listen: str = "127.0.0.1:0"
    tls: bool = True
    release: str = "8.0"
    username: str = DEFAULT_USERNAME
    password: str = DEFAULT_PASSWORD
    job_duration: float = 20.0
    progress: str = "linear"
    history: bool = False
    fresh: bool = False
    store: Path | None = None
    appliances: int = 1
    faults: tuple[str, ...] = ()
    ready_file: Path | None = None

    @property
    def open_to_the_network(self) -> bool:
        """Whether other machines can log in with the documented default password."""
        host, _ = self.address(0)
        if host == "localhost" or self.password != DEFAULT_PASSWORD:
            return False
        try:
            return not ip_address(host).is_loopback
        except ValueError:
            return True

    def address(self, index: int) -> tuple[str, int]:
        """Return host and port of appliance ``index`` (from 0); a fixed port is that of the first appliance.

        Raises ``UsageError``: for an invalid ``listen``, or a port above 65535.
        """
        match = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\[\]]*)):(\d{1,5})", self.listen)
        host = (match[1] or match[2]) if match else ""
        port = int(match[3]) if match else 0
        if not host or port + (self.appliances if port else 0) > 65536:
            raise UsageError(f"cannot listen on {self.listen!r}", hint="use HOST:PORT, such as 127.0.0.1:8443")
        return host, port + index if port else 0

    def appliance_name(self, index: int) -> str:
        """Return the host name of appliance ``index`` (from 0)."""
        return "vcsa.simulator.test" if self.appliances == 1 else f"vcsa{index + 1}.simulator.test"
