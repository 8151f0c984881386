"""The exit codes of commands and of the monitoring plugin, and the one for the results of several appliances."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple


class ExitCode(IntEnum):
    """The exit codes of the program; scripts depend on them, so they change only with a major release."""

    DONE = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    AUTH = 4
    CONNECTION = 5
    API = 6
    BACKUP_FAILED = 7
    TIMED_OUT = 8
    BUSY = 9
    NOT_FOUND = 10
    OUTPUT = 11
    INTERRUPTED = 130


SEVERITY: tuple[ExitCode, ...] = (
    ExitCode.INTERRUPTED,
    ExitCode.BUG,
    ExitCode.BACKUP_FAILED,
    ExitCode.TIMED_OUT,
    ExitCode.BUSY,
    ExitCode.API,
    ExitCode.CONNECTION,
    ExitCode.AUTH,
    ExitCode.NOT_FOUND,
    ExitCode.CONFIG,
    ExitCode.USAGE,
    ExitCode.OUTPUT,
)
"""The exit codes of failures, most severe first."""


class ServiceState(IntEnum):
    """The exit codes of a monitoring plugin (https://www.monitoring-plugins.org/doc/guidelines.html)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class ExitCodes(NamedTuple):
    """What the exit codes of a command mean.

    ``severity`` lists those of failures, most severe first. ``error`` is the code of every error, and of what is not
    listed; None if each error has its own.
    """

    severity: tuple[int, ...]
    error: int | None = None

    def of_error(self, code: int) -> int:
        """Return the exit code for an error that has the exit code ``code`` in most commands."""
        return code if self.error is None else self.error

    def overall(self, codes: Iterable[int]) -> int:
        """Return 0 if all codes are 0, else the most severe one."""
        failed = {code if code in self.severity else self.of_error(ExitCode.BUG) for code in codes if code}
        return next((code for code in self.severity if code in failed), 0)


COMMAND_CODES: Final = ExitCodes(SEVERITY)
PLUGIN_CODES: Final = ExitCodes(
    (ServiceState.CRITICAL, ServiceState.UNKNOWN, ServiceState.WARNING), ServiceState.UNKNOWN
)
"""The codes of ``check``: whatever is not a verdict is UNKNOWN."""
