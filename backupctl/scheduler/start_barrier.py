"""Muster: all of a group start together, or none of them does."""

from backupctl.errors import BackupctlError, NotTogetherError, verdict
from backupctl.scheduler.task import Event, Task, Wait


class StartBarrier:
    """Waits for each of ``names``, to be ready or to drop out; only when it has heard of all it lets them go."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._missing = set(names)
        self._failed: dict[str, BackupctlError] = {}
        self._complete = Event()

    def wait(self, name: str) -> Task[None]:
        """Wait until all are ready.

        Raises NotTogetherError where one dropped out, with the code of the gravest reason, so that the whole run ends
        with that code.
        """
        self._seen(name)
        while not self._complete.is_set:
            yield Wait(None, event=self._complete)
        if self._failed:
            raise NotTogetherError(
                f"not started, because not all could be (--together): {', '.join(self._failed)}",
                cause=verdict(error.exit_code for error in self._failed.values()),
                hint="see to those that failed, or leave them out",
                details=[f"{name}: {error.message}" for name, error in self._failed.items()],
            )

    def abort(self, name: str, error: BackupctlError) -> None:
        """Take note that one failed before it was ready; afterwards it is of no consequence."""
        if name in self._missing:
            self._failed[name] = error
            self._seen(name)

    def _seen(self, name: str) -> None:
        self._missing.discard(name)
        if not self._missing:
            self._complete.set()
