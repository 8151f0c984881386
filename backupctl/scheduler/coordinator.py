"""Coordinator: decide when each appliance of a run may log in and start its backup.

Each appliance has a ``Slot``, which ``run_on`` and ``create`` use at four points: before the first request, around each
login, before the backup starts, and when the work has ended. The command line creates one ``Coordinator`` per run and
passes each task its slot::

    coordinator = Coordinator(appliances, parallel=..., together=..., fail_fast=...)
    run_on(appliance, JobResult, work(appliance), slot=coordinator.slot(appliance))       # work calls:
    create(appliance, plan, coordinator.slot(appliance))

Commands that start no backup use ``Coordinator(appliances)``, which limits the logins only.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from backupctl.error_facts import error_on
from backupctl.errors import BackupctlError, InterruptedRunError, NotTriedError
from backupctl.exit_codes import ExitCode
from backupctl.results.events import Ended, Queued
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.login_limiter import LoginLimiter
from backupctl.scheduler.semaphore import Semaphore
from backupctl.scheduler.start_barrier import StartBarrier
from backupctl.scheduler.task import Task

T = TypeVar("T")

NO_BACKUP: Final = "no backup was started"
"""Part of the message when a backup is interrupted before the request that starts it."""


class Coordinator:
    """The appliances of a run and what they share: a semaphore, a login limiter and a start barrier.

    At most ``parallel`` appliances are worked on at once (None: all). With ``together``, all backups start at once, or
    none when an appliance fails before; ``parallel`` is then ignored. With ``fail_fast``, no backup starts after the
    first failure. ``failed`` holds the appliances that failed before anything could be sent. A password that one
    appliance has rejected is never sent to the others.
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
        self.parallel_limit = Semaphore(None if together else parallel)
        self.login_limiter = LoginLimiter()
        self.barrier = StartBarrier((*(each.name for each in appliances), *failed)) if together else None
        self.size = len(appliances) + len(failed)
        self._fail_fast = fail_fast
        self._first_failure: tuple[str, BackupctlError] | None = None
        self._slots = {each.name: Slot(self, each) for each in appliances}
        for name, error in failed.items():
            self.fail(name, error)

    def slot(self, appliance: Appliance) -> "Slot":
        """Return the slot of an appliance, the same one each time."""
        return self._slots[appliance.name]

    def check(self) -> None:
        """Raise NotTriedError after the first failure of a run with ``fail_fast``."""
        if self._fail_fast and self._first_failure is not None:
            name, error = self._first_failure
            raise NotTriedError(
                f"not started: {name} failed first (--fail-fast)",
                exit_code=error.exit_code,
                details=[error_on(name, error.facts)],
            )

    def fail(self, name: str, error: BackupctlError) -> None:
        """Record a failure, for ``fail_fast`` and for the start barrier."""
        self._first_failure = self._first_failure or (name, error)
        if self.barrier is not None:
            self.barrier.abort(name, error)


class Slot:
    """The place of one appliance in a run."""

    def __init__(self, coordinator: Coordinator, appliance: Appliance) -> None:
        self._coordinator = coordinator
        self._appliance = appliance
        self._acquired = False

    def acquire(self) -> Task[None]:
        """Wait until requests may be sent.

        Raises NotTriedError when the appliance must not be tried any more, and InterruptedRunError before anything was
        sent.
        """
        if self._coordinator.parallel_limit.locked:
            self._appliance.emit(Queued())
        try:
            yield from self._coordinator.parallel_limit.acquire()
        except InterruptedRunError as interruption:
            raise InterruptedRunError(f"$cause: {NO_BACKUP}", cause=interruption) from interruption
        self._acquired = True
        self._coordinator.check()

    def log_in(self, log_in: Task[T], *, until: float | None = None, shielded: bool = False) -> Task[T]:
        """Run ``log_in`` under the login limiter, as ``LoginLimiter.run`` does."""
        return (yield from self._coordinator.login_limiter.run(self._appliance, log_in, until=until, shielded=shielded))

    def wait_to_start(self) -> Task[None]:
        """Wait until the backup may start.

        Raises NotTogetherError or NotTriedError when it must not start.
        """
        if self._coordinator.barrier is not None:
            yield from self._coordinator.barrier.wait(self._appliance.name)
        self._coordinator.check()

    def release(self, error: BackupctlError | None) -> None:
        """Let the next appliance in, and emit ``Ended`` when there are several; ``error`` is why the work failed."""
        if error is not None:
            self._coordinator.fail(self._appliance.name, error)
        if self._acquired:
            self._acquired = False
            self._coordinator.parallel_limit.release()
        if self._coordinator.size > 1:
            code = ExitCode.DONE if error is None else error.exit_code
            self._appliance.emit(Ended(exit_code=code, error=error))
