"""Read files and pipes within limits of size and time, so that a pipe without a writer cannot hang the program."""

import os
import select
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from backupctl.clock import Clock
from backupctl.errors import ConfigError

READ_TIMEOUT_SECONDS: Final = 30.0
"""Time limit for a pipe, a command or a keyring."""


class TimeLimit(NamedTuple):
    """How long the writer of a pipe has, from the moment when it is read."""

    clock: Clock
    seconds: float = READ_TIMEOUT_SECONDS


class NoDataError(Exception):
    """The writer of a pipe did not finish in time."""


def read_file(
    path: str | Path, where: str, limit: TimeLimit, max_bytes: int, check: Callable[[int, os.stat_result], None]
) -> bytes:
    """Return the content of a file or pipe, at most one byte more than ``max_bytes``.

    ``check`` gets the open descriptor and its status and raises an error for a file that must not be read.

    Raises OSError and ValueError: when it cannot be read. Raises ConfigError, about ``where``: when a pipe times out.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(descriptor)
        check(descriptor, status)
        if stat.S_ISFIFO(status.st_mode):
            try:
                return read_pipe(descriptor, limit, max_bytes)
            except NoDataError:
                raise ConfigError(f"{where} did not end in time", hint="check that its writer is running") from None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(max_bytes + 1)
    finally:
        os.close(descriptor)


def read_pipe(descriptor: int, limit: TimeLimit, max_bytes: int) -> bytes:
    """Read a non-blocking pipe to its end, or to one byte more than ``max_bytes``.

    Raises NoDataError: if it has not ended in time.
    """
    content = b""
    deadline = limit.clock.monotonic() + limit.seconds
    poll = select.poll()  # a blocking read of a FIFO without a writer would hang a cron job forever
    poll.register(descriptor, select.POLLIN)
    while len(content) <= max_bytes:
        left = deadline - limit.clock.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise NoDataError
        chunk = os.read(descriptor, max_bytes + 1 - len(content))
        if not chunk:
            break
        content += chunk
    return content
