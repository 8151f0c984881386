"""A relay that adds latency to TCP connections and counts their round trips, whatever they carry."""

import contextlib
import queue
import socket
import socketserver
import threading

from backupctl.clock import SystemClock
from tests.support.socket_server import run_server

CLOCK = SystemClock()


class LatencyRelay(socketserver.ThreadingTCPServer):
    """Relays connections to ``port`` on this machine; what the server sends arrives ``seconds`` later.

    A round trip begins when a client sends after it received something, so requests sent together count once, if they
    are sent within ``seconds``.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream, self.seconds = port, seconds
        self.round_trips = self.connections = self.most_open = self._open = 0
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def count_open(self, change: int) -> None:
        """Count a connection that was opened (1) or closed (-1)."""
        with self._lock:
            self._open += change
            self.connections += max(0, change)
            self.most_open = max(self.most_open, self._open)

    def count_round_trip(self) -> None:
        with self._lock:
            self.round_trips += 1


class _Connection(socketserver.BaseRequestHandler):
    server: LatencyRelay
    request: socket.socket

    def handle(self) -> None:
        self.server.count_open(1)
        self.received = threading.Event()
        self.received.set()
        late: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        with contextlib.closing(socket.create_connection(("127.0.0.1", self.server.upstream))) as upstream:
            for each in self.request, upstream:
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threads = [
                threading.Thread(target=self._receive, args=(upstream, late), daemon=True),
                threading.Thread(target=self._deliver, args=(late,), daemon=True),
            ]
            for thread in threads:
                thread.start()
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    if self.received.is_set():
                        self.received.clear()
                        self.server.count_round_trip()
                    upstream.sendall(data)
            with contextlib.suppress(OSError):
                upstream.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
        self.server.count_open(-1)

    def _receive(self, upstream: socket.socket, late: "queue.SimpleQueue[tuple[float, bytes]]") -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(65536):
                late.put((CLOCK.monotonic() + self.server.seconds, data))
        late.put((0.0, b""))

    def _deliver(self, late: "queue.SimpleQueue[tuple[float, bytes]]") -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = late.get()
                if not data:
                    break
                CLOCK.sleep(max(0.0, due - CLOCK.monotonic()))
                self.request.sendall(data)
                self.received.set()
            self.request.shutdown(socket.SHUT_RDWR)


def latency_relay(port: int, seconds: float) -> contextlib.AbstractContextManager[LatencyRelay]:
    """Relay to ``port`` while the block runs."""
    return run_server(LatencyRelay(port, seconds))
