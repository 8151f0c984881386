"""The simulator on real sockets: independent appliances over HTTPS or HTTP, each on its own port."""

import contextlib
import json
import os
import queue
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from backupctl.clock import Clock
from backupctl.errors import OutputError, UsageError
from backupctl.simulator.appliance_server import ApplianceServer
from backupctl.simulator.appliance_state import MAX_RECORDED_REQUESTS
from backupctl.simulator.archive_directory import ArchiveDirectory
from backupctl.simulator.connection_acceptor import ConnectionAcceptor
from backupctl.simulator.http_messages import Response
from backupctl.simulator.server_certificate import ServerCertificate, download_zip, make_certificate
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulated_appliance import SimulatedAppliance

TICK_SECONDS = 0.5
"""Interval at which appliances advance without a request, so that archives appear in the store when a job ends."""


@dataclass(frozen=True, slots=True)
class ServedAppliance:
    """How to connect to one appliance; without TLS, ``ca_file`` and ``fingerprint`` are None."""

    url: str
    username: str
    password: str
    ca_file: str | None
    fingerprint: str | None


class SimulatorServer:
    """Serves appliances while its context is open, each connection in a thread.

    ``appliances`` says how to connect to them. ``simulated`` are the appliances themselves and ``certificate`` is
    the one they present, for tests.

    Raises ``UsageError``: for an invalid option, or an address that cannot be listened on.
    Raises ``ConfigError``: when HTTPS needs a package that is missing.
    Raises ``OutputError``: when the ready file cannot be written.
    """

    def __init__(self, options: ServerOptions, clock: Clock) -> None:
        if options.appliances < 1:
            raise UsageError("the number of appliances must be at least 1")
        self.options = options
        self.simulated: list[SimulatedAppliance] = []
        self.appliances: list[ServedAppliance] = []
        self.certificate: ServerCertificate | None = None
        self._clock = clock
        self._servers: list[ApplianceServer] = []
        self._stopping: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._cleanup = contextlib.ExitStack()
        store = ArchiveDirectory(options.store) if options.store else None
        for index in range(options.appliances):
            options.address(index)
            self.simulated.append(
                SimulatedAppliance(
                    clock,
                    release=options.release,
                    username=options.username,
                    password=options.password,
                    host=options.appliance_name(index),
                    job_duration=options.job_duration,
                    progress=options.progress,
                    history=options.history,
                    fresh=options.fresh,
                    faults=options.faults,
                    store=store,
                    secure_cookies=options.tls,
                    max_requests=max(1, MAX_RECORDED_REQUESTS // options.appliances),
                )
            )

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self.certificate = self._make_certificate() if self.options.tls else None
            for index, appliance in enumerate(self.simulated):
                self._listen(index, appliance, self.certificate)
            self._write_ready_file()
            self._cleanup.callback(ConnectionAcceptor(self._servers).close)
            if self.options.store:
                self._start_ticker()
            undo.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def ready_line(self) -> str:
        """One line of JSON with ``appliances``."""
        return json.dumps({"appliances": [asdict(appliance) for appliance in self.appliances]})

    def wait(self) -> None:
        """Block until ``stop`` is called, or the thread is interrupted."""
        self._clock.wait(self._stopping, None)

    def stop(self) -> None:
        """End ``wait``; may be called from another thread or a signal handler."""
        self._stopping.put(True)

    def close(self) -> None:
        """Stop listening, close all connections, delete the file of the CA certificate."""
        self._cleanup.close()

    def _make_certificate(self) -> ServerCertificate:
        folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="backupctl-simulator-"))
        return make_certificate(Path(folder), self.options.address(0)[0])

    def _listen(self, index: int, appliance: SimulatedAppliance, certificate: ServerCertificate | None) -> None:
        address = self.options.address(index)
        try:
            server = ApplianceServer(address, appliance, self._clock, certificate.context if certificate else None)
        except OSError as error:
            raise UsageError(f"cannot listen on {address[0]} port {address[1]}: {error.strerror or error}") from None
        if certificate is not None:
            content = download_zip(certificate.ca_certificate)
            appliance.downloads["/certs/download.zip"] = Response(200, (("Content-Type", "application/zip"),), content)
        self._servers.append(server)
        self._cleanup.callback(server.server_close)
        self._cleanup.callback(server.close_connections)
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        self.appliances.append(
            ServedAppliance(
                url=f"{'https' if certificate else 'http'}://{host}:{server.server_address[1]}",
                username=self.options.username,
                password=self.options.password,
                ca_file=str(certificate.ca_file) if certificate else None,
                fingerprint=certificate.fingerprint if certificate else None,
            )
        )

    def _write_ready_file(self) -> None:
        path = self.options.ready_file
        if path is None:
            return
        try:
            _write_atomically(path, f"{self.ready_line}\n")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from None

    def _start_ticker(self) -> None:
        stopping: queue.SimpleQueue[bool] = queue.SimpleQueue()

        def tick() -> None:
            while self._clock.wait(stopping, TICK_SECONDS) is None:
                for server in self._servers:
                    server.advance()

        threading.Thread(target=tick, name="simulator", daemon=True).start()
        self._cleanup.callback(stopping.put, True)


def _write_atomically(path: Path, text: str) -> None:
    """Write a file with permissions for its owner only, by way of a temporary file with an unpredictable name."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def run(options: ServerOptions, clock: Clock, announce: Callable[[str], None]) -> None:
    """Serve until the thread is interrupted; ``announce`` gets the ready line once all appliances listen.

    Raises: as ``SimulatorServer``.
    """
    with contextlib.suppress(KeyboardInterrupt), SimulatorServer(options, clock) as server:
        announce(server.ready_line)
        server.wait()
