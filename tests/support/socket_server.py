"""Servers on loopback that run in a thread."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
