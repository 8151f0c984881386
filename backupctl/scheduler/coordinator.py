"""A group of appliances in one run: who may log in, and who may start a backup, when.

Each appliance has a ``Slot``, which ``run_on`` and ``create`` ask at four moments: before anything is sent, around the
first login, before the backup is started, and when the work is over. For an appliance that is alone it never waits.
The command line makes one ``Coordinator`` a run, of all its appliances, and gives each task its turn::

    group = Group(appliances, parallel=app.value(PARALLEL) or None, together=..., fail_fast=...)
    run_on(appliance, JobResult, work(appliance), turn=group.turn(appliance))       # work calls:
    create(appliance, plan, group.turn(appliance))

What does not start backups takes ``Group(appliances)``, for the sake of the passwords.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeVar

from backupctl.errors import BackupctlError, ExitCode, InterruptedRunError, NotTriedError
from backupctl.results.events import Ended, Queued
from backupctl.results.result import ErrorInfo
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.login_limiter import LoginLimiter
from backupctl.scheduler.semaphore import Semaphore
from backupctl.scheduler.start_barrier import StartBarrier
from backupctl.scheduler.task import Task

T = TypeVar("T")

NO_BACKUP: Final = "no backup was started"
"""What is said of a backup that was interrupted before it was asked for."""


class Slot(Protocol):
    """What one appliance waits for in its group."""

    def acquire(self) -> Task[None]:
        """Wait for the turn of this appliance; raises what keeps it from having one."""
        ...

    def log_in(self, log_in: Task[T], *, until: float | None = None, shielded: bool = False) -> Task[T]:
        """Do what logs in, once that cannot lock the account; it is waited for ``until`` (monotonic seconds) at most.

        ``shielded`` keeps an interruption away meanwhile.
        """
        ...

    def wait_to_start(self) -> Task[None]:
        """Wait until a backup may be started; raises what keeps it from being started."""
        ...

    def release(self, error: BackupctlError | None) -> None:
        """Let the others have their turn; ``error`` is what the work came to."""
        ...


class Uncoordinated:
    """The turn of an appliance that is alone: nothing is waited for."""

    def acquire(self) -> Task[None]:
        """Begin at once."""
        yield from ()

    def log_in(self, log_in: Task[T], *, until: float | None = None, shielded: bool = False) -> Task[T]:  # noqa: ARG002 - nobody waits
        """Log in at once."""
        return (yield from log_in)

    def wait_to_start(self) -> Task[None]:
        """Start at once."""
        yield from ()

    def release(self, error: BackupctlError | None) -> None:
        """Nobody waits for it."""


UNCOORDINATED: Slot = Uncoordinated()


class Coordinator:
    """The appliances of a run and what they wait for, one for another.

    At most ``parallel`` of them are worked on at once (None: all). With ``together``, a backup is started on all at
    once, or on none where one of them fails before; then ``parallel`` means nothing. With ``fail_fast``, no backup is
    started after the first failure. ``failed`` are those that failed before anything could be sent. In any case a
    password that was refused once is not tried on the rest.
    """

    def __init__(
        self,
        appliances: Sequence[Appliance],
        *,
        parallel: int | None = None,
        together: bool = False,
        fail_fast: bool = False,
        failed: Mapping[str, BackupctlError] = {},
    ) -> None:
        self.semaphore = Semaphore(None if together else parallel)
        self.login_limiter = LoginLimiter()
        self.barrier = StartBarrier((*(each.name for each in appliances), *failed)) if together else None
        self.size = len(appliances) + len(failed)
        self._fail_fast = fail_fast
        self._failed: tuple[str, BackupctlError] | None = None
        self._slots = {each.name: CoordinatedSlot(self, each) for each in appliances}
        for name, error in failed.items():
            self.fail(name, error)

    def slot(self, appliance: Appliance) -> Slot:
        """Return the turn of one of the appliances, always the same."""
        return self._slots[appliance.name]

    def check(self) -> None:
        """Raise NotTriedError after the first failure, where that is to keep the rest from being started."""
        if self._fail_fast and self._failed is not None:
            name, error = self._failed
            raise NotTriedError(
                f"not started, because {name} failed before (--fail-fast)",
                cause=error.exit_code,
                details=[f"{name}: {error.message}"],
            )

    def fail(self, name: str, error: BackupctlError) -> None:
        """Take note of a failure; the first one counts, and those that are to start together learn of it."""
        self._failed = self._failed or (name, error)
        if self.barrier is not None:
            self.barrier.abort(name, error)


class CoordinatedSlot:
    """The turn of one appliance of a group."""

    def __init__(self, coordinator: Coordinator, appliance: Appliance) -> None:
        self._coordinator = coordinator
        self._appliance = appliance
        self._acquired = False

    def acquire(self) -> Task[None]:
        """Wait for a permit; who is interrupted meanwhile has sent nothing at all."""
        if self._coordinator.semaphore.locked:
            self._appliance.emit(Queued(time=self._appliance.clock.now(), server=self._appliance.name))
        try:
            yield from self._coordinator.semaphore.acquire()
        except InterruptedRunError as interruption:
            raise InterruptedRunError(f"{interruption.message}: {NO_BACKUP}") from interruption
        self._acquired = True
        self._coordinator.check()

    def log_in(self, log_in: Task[T], *, until: float | None = None, shielded: bool = False) -> Task[T]:
        """Log in when few enough others do so with the same password."""
        return (yield from self._coordinator.login_limiter.run(self._appliance, log_in, until=until, shielded=shielded))

    def wait_to_start(self) -> Task[None]:
        """Wait for the others where all start together."""
        if self._coordinator.barrier is not None:
            yield from self._coordinator.barrier.wait(self._appliance.name)
        self._coordinator.check()

    def release(self, error: BackupctlError | None) -> None:
        """Tell the others, and give the permit back."""
        if error is not None:
            self._coordinator.fail(self._appliance.name, error)
        if self._acquired:
            self._acquired = False
            self._coordinator.semaphore.release()
        if self._coordinator.size > 1:
            self._appliance.emit(
                Ended(
                    time=self._appliance.clock.now(),
                    server=self._appliance.name,
                    exit_code=ExitCode.DONE if error is None else error.exit_code,
                    error=None if error is None else ErrorInfo.of(error),
                )
            )
