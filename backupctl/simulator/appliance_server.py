"""One appliance on one port, with or without TLS: accepts connections and gives each a thread."""

import contextlib
import errno
import functools
import socket
import socketserver
import ssl
import threading

from backupctl.clock import Clock
from backupctl.simulator.http_handler import HttpHandler
from backupctl.simulator.http_messages import Request, Response
from backupctl.simulator.simulated_appliance import SimulatedAppliance

READ_TIMEOUT_SECONDS = 65.0
"""How long a connection may be silent, within a request or between two."""

HANDSHAKE_TIMEOUT_SECONDS = 10.0

CLOSE_TIMEOUT_SECONDS = 1.0
"""How long ``close_connections`` waits for the threads."""

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class ApplianceServer(socketserver.ThreadingTCPServer):
    """Serves one appliance; a lock makes sure that the appliance handles one request at a time."""

    allow_reuse_address = True
    request_queue_size = 128
    timeout = 0  # handle_request is called only when a connection is waiting

    def __init__(
        self, address: tuple[str, int], appliance: SimulatedAppliance, clock: Clock, context: ssl.SSLContext | None
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._appliance = appliance
        self._clock = clock
        self._lock = threading.Lock()
        self._context = context
        self._connections: set[socket.socket] = set()
        self._connection_threads: set[threading.Thread] = set()
        self._exhausted = False
        super().__init__(address, functools.partial(HttpHandler, self.respond, clock))

    def respond(self, request: Request) -> Response:
        """Return the response of the appliance."""
        with self._lock:
            return self._appliance.handle(request)

    def advance(self) -> None:
        """Bring the appliance up to the time of the clock."""
        with self._lock:
            self._appliance.advance()

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._connection_threads)

    def accept(self) -> bool:
        """Accept a waiting connection; return False when the system is out of descriptors, memory or threads."""
        self._exhausted = False
        self.handle_request()
        return not self._exhausted

    def close_connections(self) -> None:
        """Close all connections and wait for their threads; one that sends a slow response may outlive the wait."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = self._clock.monotonic() + CLOSE_TIMEOUT_SECONDS
        for thread in list(self._connection_threads):
            thread.join(max(0.0, deadline - self._clock.monotonic()))

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection, and notice when descriptors or memory are exhausted."""
        try:
            return super().get_request()
        except OSError as error:
            self._exhausted = error.errno in _EXHAUSTED
            raise

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Start the thread of a connection."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._connection_threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left
            self._connection_threads.discard(thread)
            self._exhausted = True
            request.close()

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Serve a connection. The TLS handshake happens here, so that a silent client blocks no other."""
        connection = request
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connection = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            self._connections.add(connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.settimeout(HANDSHAKE_TIMEOUT_SECONDS)
                connection.do_handshake()
            connection.settimeout(READ_TIMEOUT_SECONDS)
            super().process_request_thread(connection, client_address)
        except (OSError, ValueError):  # closed by a peer or by close_connections, which raises ValueError within TLS
            connection.close()
        finally:
            self._connections.discard(connection)
            self._connection_threads.discard(threading.current_thread())

    def handle_error(self, request: object, client_address: object) -> None:
        """Print the traceback of a defect, and nothing about a client that went away."""
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]
