"""Accepts connections for all appliances of a process in one thread, as long as file descriptors last."""

import resource
import selectors
import socket
import threading
from collections.abc import Sequence

from backupctl.simulator.appliance_server import ApplianceServer

MAX_CONNECTIONS = 2000
"""Limit of open connections over all appliances, as each has a thread."""

RESERVED_DESCRIPTORS = 48
"""File descriptors kept for the store, the ready file and what was open at the start."""

PAUSE_SECONDS = 0.05
"""How long to wait when no further connection can be accepted."""


class ConnectionAcceptor:
    """A thread that accepts connections for ``servers`` until ``close``."""

    def __init__(self, servers: Sequence[ApplianceServer]) -> None:
        self._servers = servers
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and wait for its end."""
        self._wake_sender.close()  # makes the receiver readable
        self._thread.join()

    def _run(self) -> None:
        with self._wake_receiver, selectors.DefaultSelector() as selector, selectors.DefaultSelector() as wake_selector:
            for each in (selector, wake_selector):
                each.register(self._wake_receiver, selectors.EVENT_READ)
            for server in self._servers:
                selector.register(server, selectors.EVENT_READ, server)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._wake_receiver:
                        return
                    can_accept = key.data.accept() and self._has_room()
                    # Until a connection ends, new ones wait in the listen queue of the kernel.
                    while not can_accept:
                        if wake_selector.select(PAUSE_SECONDS):
                            return
                        can_accept = self._has_room()

    def _has_room(self) -> bool:
        """Return whether one more connection leaves enough file descriptors."""
        limit = MAX_CONNECTIONS
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if descriptors != resource.RLIM_INFINITY:
            limit = min(limit, max(1, descriptors - len(self._servers) - RESERVED_DESCRIPTORS))
        return sum(server.connections for server in self._servers) < limit
