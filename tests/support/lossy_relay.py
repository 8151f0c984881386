"""A relay that loses its connections after a number of bytes: they end, hang, or go on byte by byte."""

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from typing import Literal

HOST = "127.0.0.2"
"""Where the relay listens, on the ports that a server has on 127.0.0.1: FTP names further ports in its answers."""

Loss = Literal["reset", "close", "stall", "drip"]

_DRIP_SECONDS = 0.05
_RESET = struct.pack("ii", 1, 0)


class LossyRelay:
    """Relays until ``limit`` bytes of answers have passed, whatever their connection; then ``loss`` happens to all."""

    def __init__(self, ports: Sequence[int], limit: int | None = None, loss: Loss = "reset") -> None:
        self.passed = 0
        self._left = limit
        self._loss = loss
        self._over = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._listeners = [socket.create_server((HOST, port)) for port in ports]
        for each in self._listeners:
            self._selector.register(each, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._selector.close()
        for each in (*self._listeners, *self._peers):
            each.close()

    @property
    def _lost(self) -> bool:
        return self._left is not None and self._left <= 0

    def _run(self) -> None:
        while not self._over.wait(_DRIP_SECONDS if self._lost else 0):
            if self._lost and self._loss != "drip":
                if self._loss != "stall":
                    self._end()
                continue
            for key, _ in self._selector.select(_DRIP_SECONDS):
                ready = key.fileobj
                assert isinstance(ready, socket.socket)
                if ready in self._listeners:
                    self._accept(ready)
                elif ready in self._peers and not (self._lost and self._loss != "drip"):
                    self._forward(ready)

    def _accept(self, listener: socket.socket) -> None:
        client, _ = listener.accept()
        try:
            upstream = socket.create_connection(("127.0.0.1", listener.getsockname()[1]))
        except OSError:
            client.close()
            return
        self._clients.add(client)
        self._peers |= {client: upstream, upstream: client}
        for each in (client, upstream):
            self._selector.register(each, selectors.EVENT_READ)

    def _forward(self, source: socket.socket) -> None:
        peer = self._peers[source]
        is_answer = source not in self._clients
        size = 65536 if not is_answer or self._left is None else max(self._left, 1)
        try:
            data = source.recv(min(size, 65536))
            peer.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop(source)
        if is_answer:
            self.passed += len(data)
            if self._left is not None:
                self._left -= len(data)

    def _drop(self, source: socket.socket) -> None:
        for each in (source, self._peers[source]):
            self._selector.unregister(each)
            del self._peers[each]
            each.close()

    def _end(self) -> None:
        """End all connections, and refuse new ones."""
        for each in self._clients & self._peers.keys():
            if self._loss == "reset":
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._drop(each)
        for each in self._listeners:
            if each.fileno() >= 0:
                self._selector.unregister(each)
                each.close()


@contextlib.contextmanager
def lossy_relay(ports: Sequence[int], limit: int | None = None, loss: Loss = "reset") -> Iterator[LossyRelay]:
    """Relay from ``HOST`` to the same ports of 127.0.0.1 while the block runs."""
    relay = LossyRelay(ports, limit, loss)
    try:
        yield relay
    finally:
        relay.close()
