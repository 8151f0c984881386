"""Connections to backup servers, shared by the appliances of a run."""

import math
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import msgspec

from backupctl.clock import Clock
from backupctl.errors import (
    ApplianceUnreachableError,
    BackupctlError,
    InterruptedRunError,
    NotFoundError,
    NotVerifiedError,
    VerifyFailedError,
)
from backupctl.scheduler.semaphore import Semaphore
from backupctl.scheduler.task import Task, call
from backupctl.targets.access import TargetAccess
from backupctl.targets.open_target import open_target
from backupctl.targets.target import SubTarget, Target
from backupctl.targets.target_errors import TargetAnswerError, TargetUnreachableError

T = TypeVar("T")

MAX_CONNECTIONS: Final = 4
"""Connections to one server. Its appliances need at least 10 at once for a backup (the vendor's page on file-based
backups), and many servers limit those of one user."""

MAX_IDLE_SECONDS: Final = 15.0
"""An idle connection is used again for so long, as servers close those that are idle."""

RETRY_SECONDS: Final = 60.0
"""A server that could not be reached is not tried again for so long; one that refused is never tried again."""

CALL_SECONDS: Final = 600.0
"""How long one call may take: a server that sends a byte now and then would otherwise never end it."""


class _Server(msgspec.Struct, eq=False):
    """The connections to one server; until ``closed_until``, connecting raises ``error``."""

    slots: Semaphore
    opening: Semaphore
    idle: list[tuple[float, Target]] = msgspec.field(default_factory=list)
    error: BackupctlError | None = None
    closed_until: float = 0.0


class TargetConnections:
    """Lends connections to tasks, at most ``MAX_CONNECTIONS`` to one server.

    They are opened one after another, and not again after a failure: a wrong password is sent once, and a thousand
    appliances do not wait for a dead server a thousand times.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._servers: dict[tuple[object, ...], _Server] = {}

    def use(
        self,
        access: TargetAccess,
        function: Callable[[Target], T],
        *,
        seconds: float | None = CALL_SECONDS,
        shielded: bool = False,
    ) -> Task[T]:
        """Call ``function`` with a target whose root is the folder of the location.

        It runs on a worker thread, for at most ``seconds``. Raises what it raises, and what ``open_target`` raises.
        """
        server = self._servers.setdefault(access.server, _Server(Semaphore(MAX_CONNECTIONS), Semaphore(1)))
        yield from server.slots.acquire()
        try:
            target = yield from self._connection(server, access)
            try:
                result = yield from self._call(partial(function, SubTarget(target, access.folder)), seconds, shielded)
            except (NotFoundError, TargetAnswerError, VerifyFailedError, NotVerifiedError):
                server.idle.append((self._clock.monotonic(), target))
                raise
            except BaseException:
                target.close()
                raise
            server.idle.append((self._clock.monotonic(), target))
            return result
        finally:
            server.slots.release()

    def _connection(self, server: _Server, access: TargetAccess) -> Task[Target]:
        while server.idle:
            since, target = server.idle.pop()
            if self._clock.monotonic() - since <= MAX_IDLE_SECONDS:
                return target
            target.close()
        yield from server.opening.acquire()
        try:
            known = server.error if self._clock.monotonic() < server.closed_until else None
            if known is None:
                return (yield from self._open(server, access))
        finally:
            server.opening.release()
        raise known.with_facts(selector=access.pin_selector if known.facts.selector else ())

    def _open(self, server: _Server, access: TargetAccess) -> Task[Target]:
        """Connect, and remember a failure."""
        try:
            return (yield from self._call(partial(open_target, access, self._clock), CALL_SECONDS, shielded=False))
        except InterruptedRunError:
            raise
        except BackupctlError as error:
            is_unreachable = isinstance(error, TargetUnreachableError)
            server.error = error
            server.closed_until = self._clock.monotonic() + (RETRY_SECONDS if is_unreachable else math.inf)
            raise

    def _call(self, function: Callable[[], T], seconds: float | None, shielded: bool) -> Task[T]:
        until = None if seconds is None else self._clock.monotonic() + seconds
        try:
            return (yield from call(function, until=until, shielded=shielded))
        except ApplianceUnreachableError as error:  # the scheduler's, after ``until``
            raise TargetUnreachableError("the backup server did not answer in time") from error

    def close(self) -> None:
        """Close all idle connections."""
        for server in self._servers.values():
            while server.idle:
                server.idle.pop()[1].close()
