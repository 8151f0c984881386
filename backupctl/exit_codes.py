"""The exit codes, and the one for the results of several appliances."""

from collections.abc import Iterable
from enum import IntEnum


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


def overall_exit_code(codes: Iterable[int]) -> ExitCode:
    """Return 0 if all codes are 0, else the most severe one; an unknown code counts as BUG."""
    failed = {code if code in SEVERITY else ExitCode.BUG for code in codes if code != ExitCode.DONE}
    return next((code for code in SEVERITY if code in failed), ExitCode.DONE)
