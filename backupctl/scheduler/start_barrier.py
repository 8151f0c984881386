"""Start barrier: start the backups of all appliances together, or none."""

from backupctl.error_facts import error_on
from backupctl.errors import BackupctlError, NotTogetherError
from backupctl.exit_codes import COMMAND_CODES
from backupctl.scheduler.task import Event, Task, Wait


class StartBarrier:
    """A barrier that opens when every appliance of ``names`` has reached it or has failed."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._missing = set(names)
        self._failed: dict[str, BackupctlError] = {}
        self._complete = Event()

    def wait(self, name: str) -> Task[None]:
        """Wait until all appliances are ready.

        Raises NotTogetherError when one has failed, with the gravest of the exit codes, so that the run ends with it.
        """
        self._arrive(name)
        while not self._complete.is_set:
            yield Wait(None, event=self._complete)
        if self._failed:
            raise NotTogetherError(
                f"not started (--together): {', '.join(self._failed)} failed",
                exit_code=COMMAND_CODES.overall(error.exit_code for error in self._failed.values()),
                hint="fix or exclude the failed ones",
                details=[error_on(name, error.facts) for name, error in self._failed.items()],
            )

    def abort(self, name: str, error: BackupctlError) -> None:
        """Record that an appliance failed; without effect once it has reached the barrier."""
        if name in self._missing:
            self._failed[name] = error
            self._arrive(name)

    def _arrive(self, name: str) -> None:
        self._missing.discard(name)
        if not self._missing:
            self._complete.set()
