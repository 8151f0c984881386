"""Servers on loopback that run in a thread, and ports for those that run as processes."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

S = TypeVar("S", bound=socketserver.BaseServer)

Serve = Callable[[socket.socket, threading.Event], None]
"""Serves one connection; the event says that the test is over."""


@contextmanager
def run_server(server: S, *, poll_seconds: float = 0.05) -> Iterator[S]:
    """Serve in a thread while the block runs; the server checks for its end every ``poll_seconds``."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(poll_seconds,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serve_connections(serve: Serve) -> Iterator[tuple[str, list[int]]]:
    """Serve each connection on loopback in a thread; yield the address and the ports of the connections."""
    over, connections = threading.Event(), list[int]()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, (_, port) = server.accept()
                except OSError:
                    return
                connections.append(port)
                threading.Thread(target=each, args=(connection,), daemon=True).start()

        def each(connection: socket.socket) -> None:
            with connection:
                try:
                    serve(connection, over)
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", connections
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)


def free_ports(count: int) -> list[int]:
    """Return ports on loopback that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


def is_open(port: int) -> bool:
    """Return whether a server listens on a port on loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
