"""Virtual time for real threads and real sockets: it advances only while all threads wait.

The scheduler waits in ``SharedClock.wait``, the calls of the program run on threads of ``CallThreads``. The two places
where httpcore blocks, a socket and a pool without a free connection, wait in virtual time instead. While a call runs,
time stands still. When all calls sleep, time jumps to the next deadline. So a server that hangs for five minutes costs
no real time, and an abandoned call keeps sleeping, like a thread that is stuck in a dead connection.
"""

import contextlib
import heapq
import itertools
import queue
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from unittest import mock

import httpcore
from httpcore._backends.sync import SyncBackend, SyncStream

from backupctl.scheduler.workers import DoneCallback

T = TypeVar("T")

STUCK_SECONDS = 2.0
"""Real seconds without activity after which the calls are assumed to wait for one another, and time advances."""
GUARD_SECONDS = 60.0
"""Real seconds after which a silent socket means that the adversary itself is broken."""


class RunEndedError(Exception):
    """The run has ended: raised in threads that still sleep."""


class _Sleeper:
    def __init__(self) -> None:
        self.woken = threading.Event()
        self.asleep = True


class SharedClock:
    """A ``backupctl.clock.Clock`` for the scheduler and for the threads of calls."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0
        self._changed = threading.Condition()
        self._active = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, _Sleeper]] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._main = threading.current_thread()
        self.over = False
        self.stuck = 0

    @property
    def elapsed(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Call ``action`` in the scheduler's thread, ``seconds`` after the start."""
        heapq.heappush(self._due, (seconds, next(self._order), action))

    def sleep(self, seconds: float) -> None:
        if threading.current_thread() is self._main:
            self._advance(self._elapsed + max(0.0, seconds))
        else:
            self.sleep_until(self._elapsed + max(0.0, seconds))

    def sleep_until(self, moment: float, sleeper: _Sleeper | None = None) -> None:
        """Block the thread of a call until ``moment`` (elapsed seconds) or until its sleeper is woken.

        Raises RunEndedError: when the run is over.
        """
        sleeper = sleeper or _Sleeper()
        with self._changed:
            if self.over:
                raise RunEndedError
            self._active -= 1
            heapq.heappush(self._sleepers, (moment, next(self._order), sleeper))
            self._changed.notify_all()
        sleeper.woken.wait()
        if self.over:
            raise RunEndedError

    def wake(self, sleeper: _Sleeper) -> None:
        """Wake a call before its deadline."""
        with self._changed:
            self._wake(sleeper)

    def _wake(self, sleeper: _Sleeper) -> None:
        if sleeper.asleep and not sleeper.woken.is_set():
            sleeper.asleep = False
            self._active += 1
            sleeper.woken.set()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Count a call as active, from ``begin`` until the block ends."""
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def begin(self) -> None:
        with self._changed:
            self._active += 1

    def wait(self, mailbox: "queue.SimpleQueue[T]", seconds: float | None) -> T | None:
        deadline = float("inf") if seconds is None else self._elapsed + max(0.0, seconds)
        while True:
            with contextlib.suppress(queue.Empty):
                return mailbox.get_nowait()
            with self._changed:
                if self._active and not mailbox.empty():
                    continue
                if self._active and self._changed.wait(STUCK_SECONDS):
                    continue
                if not mailbox.empty():
                    continue
                self.stuck += bool(self._active)
            if self._step(deadline):
                return None

    def _step(self, deadline: float) -> bool:
        """Advance to the next deadline, and return whether it is the scheduler's."""
        with self._changed:
            while self._sleepers and not self._sleepers[0][2].asleep:
                heapq.heappop(self._sleepers)
            moment = self._sleepers[0][0] if self._sleepers else float("inf")
        signal_at = self._due[0][0] if self._due else float("inf")
        if min(moment, signal_at, deadline) == float("inf"):
            raise AssertionError("waiting for ever: no call and no signal is pending")
        if deadline < min(moment, signal_at):
            self._advance(deadline)
            return True
        if signal_at <= moment:
            self._advance(signal_at)
            return False
        with self._changed:
            _, _, sleeper = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, moment)
            self._wake(sleeper)
        return False

    def _advance(self, to: float) -> None:
        while self._due and self._due[0][0] <= to:
            due, _, action = heapq.heappop(self._due)
            self._elapsed = max(self._elapsed, due)
            action()
        self._elapsed = max(self._elapsed, to)

    def end(self) -> None:
        """End the run: wake all sleeping threads, which then raise RunEndedError."""
        with self._changed:
            self.over = True
            for _, _, sleeper in self._sleepers:
                sleeper.woken.set()


class CallThreads:
    """Workers that run each call on a thread of its own; virtual time waits for them."""

    def __init__(self, clock: SharedClock) -> None:
        self._clock = clock
        self._threads: list[threading.Thread] = []

    def submit(self, function: Callable[[], Any], on_done: DoneCallback, **_: Any) -> Callable[[], None]:
        self._clock.begin()
        thread = threading.Thread(target=self._run, args=(function, on_done), daemon=True)
        self._threads.append(thread)
        thread.start()
        return lambda: None

    def join(self) -> None:
        """Wait for abandoned calls, which the end of the run has woken."""
        for thread in self._threads:
            thread.join(STUCK_SECONDS)

    def _run(self, function: Callable[[], Any], on_done: DoneCallback) -> None:
        with self._clock.at_work():
            try:
                result = function()
            except RunEndedError:
                return
            except BaseException as error:  # noqa: BLE001 - passed to the callback
                on_done(None, error)
            else:
                on_done(result, None)


class ConnectionState:
    """What the client knows about the server's thread of a connection: whether and until when it sleeps."""

    def __init__(self) -> None:
        self._asleep_until: float | None = None
        self._closed = False
        self._resumed = threading.Event()
        self.wake_receiver, self._wake_sender = socket.socketpair()

    @property
    def asleep_until(self) -> float | None:
        return self._asleep_until

    def sleep_until_resumed(self, moment: float) -> None:
        """Block the server's thread until the client resumes it at ``moment``, or until the run is over."""
        if self._closed:
            return
        self._resumed.clear()
        self._asleep_until = moment
        with contextlib.suppress(OSError):
            self._wake_sender.send(b"z")
        self._resumed.wait()

    def resume(self) -> None:
        self._asleep_until = None
        self._resumed.set()

    def close(self) -> None:
        self._closed = True
        self.resume()
        self.wake_receiver.close()
        self._wake_sender.close()


class ConnectionStates:
    """The states of all connections, by the port of the client."""

    def __init__(self) -> None:
        self._lines: dict[int, ConnectionState] = {}
        self._changed = threading.Condition()
        self.over = False

    def add(self, port: int, line: ConnectionState) -> None:
        with self._changed:
            self._lines[port] = line
            self._changed.notify_all()

    def of(self, port: int) -> ConnectionState:
        with self._changed:
            if not self._changed.wait_for(lambda: port in self._lines, GUARD_SECONDS):
                raise AssertionError("the adversary did not accept a connection")
            return self._lines[port]

    def close(self) -> None:
        for line in self._lines.values():
            line.close()


class _Stream(SyncStream):
    """A real socket whose reads wait in virtual time."""

    def __init__(self, sock: socket.socket, clock: SharedClock, line: ConnectionState) -> None:
        super().__init__(sock)
        self._clock = clock
        self._line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        def receive() -> bytes:
            return self._sock.recv(max_bytes)

        try:
            return self._retry_until(receive, timeout, httpcore.ReadTimeout)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        super().write(buffer, GUARD_SECONDS)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            tls = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname, do_handshake_on_connect=False)
        except OSError as error:
            self.close()
            raise httpcore.ConnectError(str(error)) from error
        stream = _Stream(tls, self._clock, self._line)
        try:
            stream._retry_until(tls.do_handshake, timeout, httpcore.ConnectTimeout)
        except OSError as error:
            stream.close()
            raise httpcore.ConnectError(str(error)) from error
        except BaseException:
            stream.close()
            raise
        return stream

    def _retry_until(self, operation: Callable[[], T], timeout: float | None, late: type[Exception]) -> T:
        deadline = float("inf") if timeout is None else self._clock.elapsed + timeout
        self._sock.settimeout(0)
        while True:
            try:
                return operation()
            except (BlockingIOError, ssl.SSLWantReadError):
                if timeout == 0:  # a timeout of 0 only checks for data
                    raise
                if not self._wait_readable(deadline):
                    raise late("no answer in virtual time") from None

    def _wait_readable(self, deadline: float) -> bool:
        """Wait for data, and return whether any arrived before ``deadline`` (elapsed seconds)."""
        while True:
            asleep = self._line.asleep_until
            seconds = GUARD_SECONDS if asleep is None else 0.001
            ready, _, _ = select.select([self._sock, self._line.wake_receiver], [], [], seconds)
            if self._sock in ready:
                return True
            if ready:
                self._line.wake_receiver.recv(64)
                continue
            assert asleep is not None, "the adversary neither answers nor sleeps"
            if self._clock.elapsed < min(asleep, deadline):
                self._clock.sleep_until(min(asleep, deadline))
            if deadline < asleep:
                return False
            self._line.resume()


class _Backend(SyncBackend):
    """A network backend that opens real connections on loopback."""

    def __init__(self, clock: SharedClock, lines: ConnectionStates) -> None:
        self._clock = clock
        self._lines = lines

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = super().connect_tcp(host, port, GUARD_SECONDS, local_address, socket_options)
        sock = stream.get_extra_info("socket")
        return _Stream(sock, self._clock, self._lines.of(sock.getsockname()[1]))


class _PoolEvent:
    """A replacement for httpcore's event for a free connection, which waits in virtual time."""

    def __init__(self, clock: SharedClock) -> None:
        self._clock = clock
        self._is_set = self._waits = False
        self._sleeper = _Sleeper()
        self._lock = threading.Lock()

    def set(self) -> None:
        with self._lock:
            self._is_set = True
            if self._waits:
                self._clock.wake(self._sleeper)

    def wait(self, timeout: float | None = None) -> None:
        with self._lock:
            if self._is_set:
                return
            self._waits = True
        seconds = float("inf") if timeout is None else timeout
        self._clock.sleep_until(self._clock.elapsed + seconds, self._sleeper)
        if not self._is_set:
            raise httpcore.PoolTimeout


@contextlib.contextmanager
def virtual_sockets(clock: SharedClock, lines: ConnectionStates) -> Iterator[None]:
    """Make httpcore's sockets and its pool wait in virtual time while the block runs."""
    pool = "httpcore._sync.connection_pool"
    with (
        mock.patch("httpcore.SyncBackend", partial(_Backend, clock, lines)),
        mock.patch(f"{pool}.Event", partial(_PoolEvent, clock)),
    ):
        yield
