"""Servers of tests: each runs in a thread of its own while a block does."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from typing import TypeVar

S = TypeVar("S", bound=socketserver.BaseServer)


@contextlib.contextmanager
def running(server: S, *, looks_up: float = 0.05) -> Iterator[S]:
    """Serve while the block runs; ``looks_up`` is how often, in seconds, the server asks whether it is to end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(looks_up,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
