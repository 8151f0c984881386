"""The simulator on real sockets: N independent appliances, one port each, over HTTPS or HTTP."""

import contextlib
import json
import os
import queue
import resource
import selectors
import socket
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
from backupctl.simulator.archive_directory import DirectoryArchiveStore
from backupctl.simulator.http_messages import Response
from backupctl.simulator.server_certificate import ServerCertificate, download_zip, make_certificate
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulated_appliance import SimulatedAppliance

TICK_SECONDS = 0.5
"""How often finished jobs are looked for when nobody asks, so that their files appear in the store."""

WAKE_SECONDS = 0.5
"""How often the waiting thread looks up: a signal that arrives just before a wait without limit begins is not noticed
until that wait ends (seen with CPython 3.13: the process ignored one SIGINT in a few dozen).
"""


MOST_CONNECTIONS = 2000
"""More are not accepted at once, over all appliances: each has a thread."""

SPARE_DESCRIPTORS = 48
"""So many are left for the store, the ready file and what the process began with."""

PAUSE_SECONDS = 0.05
"""How long no connection is accepted where there is no room for one more."""


@dataclass(frozen=True, slots=True)
class ServedAppliance:
    """How to reach one appliance; without TLS there is neither ``ca_file`` nor ``fingerprint``."""

    url: str
    username: str
    password: str
    ca_file: str | None
    fingerprint: str | None


class SimulatorServer:
    """Serves appliances from entering the context to leaving it, each connection in a thread.

    Raises ``UsageError`` for an option that makes no sense, ``ConfigError`` when HTTPS needs a package that is missing,
    ``UsageError`` when an address cannot be listened on. ``states`` are the appliances themselves, and
    ``certificate`` is what they present, for tests.
    """

    def __init__(self, options: ServerOptions, clock: Clock) -> None:
        if options.appliances < 1:
            raise UsageError("the simulator serves at least one appliance")
        self.options = options
        self.states: list[SimulatedAppliance] = []
        self.appliances: list[ServedAppliance] = []
        self.certificate: ServerCertificate | None = None
        self._clock = clock
        self._servers: list[ApplianceServer] = []
        self._stopping: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._cleanup = contextlib.ExitStack()
        store = DirectoryArchiveStore(options.store) if options.store else None
        for index in range(options.appliances):
            options.address(index)
            self.states.append(
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
            self.certificate = self._certificate() if self.options.tls else None
            for index, appliance in enumerate(self.states):
                self._listen(index, appliance, self.certificate)
            self._write_ready_file()
            self._start_accepting()
            if self.options.store:
                self._start_ticker()
            undo.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def ready_line(self) -> str:
        """One line of JSON that says how to reach the appliances."""
        return json.dumps({"appliances": [asdict(appliance) for appliance in self.appliances]})

    def wait(self) -> None:
        """Block until ``stop`` is called, or the thread is interrupted."""
        while self._clock.wait(self._stopping, WAKE_SECONDS) is None:
            pass

    def stop(self) -> None:
        """End ``wait``; may be called from another thread or a signal handler."""
        self._stopping.put(True)

    def close(self) -> None:
        """Stop listening, cut open connections, remove the certificate's file."""
        self._cleanup.close()

    def _certificate(self) -> ServerCertificate:
        folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="backupctl-simulator-"))
        return make_certificate(Path(folder), self.options.address(0)[0])

    def _listen(self, index: int, appliance: SimulatedAppliance, certificate: ServerCertificate | None) -> None:
        address = self.options.address(index)
        try:
            server = ApplianceServer(address, appliance, self._clock, certificate.context if certificate else None)
        except OSError as error:
            raise UsageError(f"cannot listen on {address[0]} port {address[1]}: {error.strerror or error}") from None
        if certificate is not None:
            content = download_zip(certificate.authority)
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
        """Write the ready line, so that the file is never seen half written."""
        path = self.options.ready_file
        if path is None:
            return
        try:
            _replace_file(path, f"{self.ready_line}\n")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from None

    def _start(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name="simulator", daemon=True)
        thread.start()
        return thread

    def _start_accepting(self) -> None:
        """Accept connections for all appliances in one thread, until the other end of its bell is closed."""
        bell, rope = socket.socketpair()

        def accept() -> None:
            with bell, selectors.DefaultSelector() as selector, selectors.DefaultSelector() as only_the_bell:
                selector.register(bell, selectors.EVENT_READ)
                only_the_bell.register(bell, selectors.EVENT_READ)
                for server in self._servers:
                    selector.register(server, selectors.EVENT_READ, server)
                while True:
                    for key, _ in selector.select():
                        if key.fileobj is bell:
                            return
                        has_room = key.data.accept() and self._has_room()
                        while not has_room:  # who knocks meanwhile waits in the queue of the system
                            if only_the_bell.select(PAUSE_SECONDS):
                                return
                            has_room = self._has_room()

        thread = self._start(accept)
        self._cleanup.callback(thread.join)
        self._cleanup.callback(rope.close)

    def _has_room(self) -> bool:
        """Say whether one more connection leaves enough descriptors for everything else."""
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MOST_CONNECTIONS
        if descriptors != resource.RLIM_INFINITY:
            most = min(most, max(1, descriptors - len(self._servers) - SPARE_DESCRIPTORS))
        return sum(server.connections for server in self._servers) < most

    def _start_ticker(self) -> None:
        """Advance the appliances now and then, until a bell is rung."""
        bell: queue.SimpleQueue[bool] = queue.SimpleQueue()

        def tick() -> None:
            while self._clock.wait(bell, TICK_SECONDS) is None:
                for server in self._servers:
                    with server.lock:
                        server.appliance.advance()

        self._start(tick)
        self._cleanup.callback(bell.put, True)


def _replace_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, by way of a new one beside it whose name nobody can foresee."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    growing = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        growing.replace(path)
    except BaseException:
        growing.unlink(missing_ok=True)
        raise


def run(options: ServerOptions, clock: Clock, announce: Callable[[str], None]) -> None:
    """Serve until the thread is interrupted; ``announce`` gets the ready line once everything listens.

    Raises what ``SimulatorServer`` raises.
    """
    with contextlib.suppress(KeyboardInterrupt), SimulatorServer(options, clock) as server:
        announce(server.ready_line)
        server.wait()
