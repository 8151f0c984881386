"""Connections to a backup server that the tasks of a run share."""

import queue
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from backupctl.errors import BackupctlError, NotFoundError
from backupctl.location import Location
from backupctl.operations import target_connections
from backupctl.operations.target_connections import MAX_CONNECTIONS, MAX_IDLE_SECONDS, RETRY_SECONDS, TargetConnections
from backupctl.scheduler.scheduler import Scheduler
from backupctl.scheduler.task import Task, Wait
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target
from backupctl.targets.target_errors import TargetIdentityError, TargetLoginError, TargetUnreachableError
from tests.support.clock import FakeClock
from tests.support.workers import TimedWorkers

ACCESS = TargetAccess(Location.parse("sftp://backup.example.com/vcenter"), "backup")


class Server:
    """A backup server that counts its connections, and takes a second to connect."""

    def __init__(self, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = clock
        self.error: BackupctlError | None = None
        self.opened = self.open = self.most = 0
        monkeypatch.setattr(target_connections, "open_target", self.connect)
        self.connections = TargetConnections(clock)

    def connect(self, access: TargetAccess, clock: FakeClock) -> "Server":
        clock.sleep(1)
        self.opened += 1
        if self.error is not None:
            raise self.error
        self.open += 1
        self.most = max(self.most, self.open)
        return self

    def list(self, folder: tuple[str, ...]) -> tuple[str, ...]:
        self.clock.sleep(2)
        return folder

    def close(self) -> None:
        self.open -= 1

    def use(self, function: Callable[[Target], Any] = lambda target: target.list(("sn_vc01",))) -> Task[Any]:
        return attempt_task(self.connections.use(ACCESS, function))

    def run(self, *tasks: Task[Any]) -> Sequence[Any]:
        return Scheduler[Any](self.clock, TimedWorkers(self.clock), queue.SimpleQueue()).run(list(tasks))


def attempt_task(task: Task[Any]) -> Task[Any]:
    try:
        return (yield from task)
    except BackupctlError as error:
        return error


@pytest.fixture
def server(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(clock, monkeypatch)


def test_a_thousand_tasks_share_few_connections(server: Server) -> None:
    assert server.run(*(server.use() for _ in range(1000))) == [("vcenter", "sn_vc01")] * 1000
    assert (server.opened, server.most) == (MAX_CONNECTIONS, MAX_CONNECTIONS)
    server.connections.close()
    assert server.open == 0


@pytest.mark.parametrize(
    ("error", "attempts_later"), [(TargetLoginError("rejected"), 1), (TargetUnreachableError("no answer"), 2)]
)
def test_failure_to_connect_is_not_repeated_by_the_others(
    server: Server, error: BackupctlError, attempts_later: int
) -> None:
    server.error = error
    assert server.run(*(server.use() for _ in range(50))) == [error] * 50
    server.clock.sleep(RETRY_SECONDS / 2)
    assert server.run(server.use()) == [error]
    assert server.opened == 1
    server.clock.sleep(RETRY_SECONDS / 2)
    server.run(server.use())
    assert server.opened == attempts_later


def test_shared_failure_has_the_hint_of_each_appliance(server: Server) -> None:
    server.error = TargetIdentityError("unknown", hint="trust pin $selector", selector=("-s", "vc00"))
    others = [replace(ACCESS, selector=("-s", name)) for name in ("vc01", "vc02")]
    uses = (server.connections.use(each, lambda target: target.list(())) for each in (ACCESS, *others))
    errors = server.run(*map(attempt_task, uses))
    assert [each.hint.split()[-1] for each in errors[1:]] == ["vc01", "vc02"]


@pytest.mark.parametrize(
    ("error", "opened"), [(NotFoundError("missing"), 1), (TargetUnreachableError("lost"), 2), (ValueError("bug"), 2)]
)
def test_connection_is_used_again_unless_it_may_be_broken(server: Server, error: Exception, opened: int) -> None:
    def fail(_: Target) -> None:
        raise error

    def both() -> Task[Any]:
        try:
            yield from server.connections.use(ACCESS, fail)
        except type(error):
            return (yield from server.use())

    assert server.run(both()) == [("vcenter", "sn_vc01")]
    assert (server.opened, server.open) == (opened, 1)


def test_idle_connection_is_closed_after_a_while(server: Server) -> None:
    def twice() -> Task[None]:
        yield from server.use()
        yield Wait(server.clock.monotonic() + MAX_IDLE_SECONDS + 1)
        yield from server.use()

    server.run(twice())
    assert (server.opened, server.open) == (2, 1)


def test_call_that_never_ends_is_abandoned(server: Server) -> None:
    (error,) = server.run(server.use(lambda _: server.clock.sleep(10_000)))
    assert isinstance(error, TargetUnreachableError)
    assert server.clock.elapsed < 1000
