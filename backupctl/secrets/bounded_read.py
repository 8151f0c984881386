"""Files and pipes read within bounds of size and time: one that nobody writes to is no hang."""

import os
import select
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from backupctl.clock import Clock
from backupctl.errors import ConfigError

PATIENCE_SECONDS: Final = 30.0
"""How long a pipe, a command or a keyring may take to give what it has."""


class NoDataError(Exception):
    """A pipe was not written to its end in time."""


def read_file(
    path: str | Path, where: str, clock: Clock, largest: int, judge: Callable[[int, os.stat_result], None]
) -> bytes:
    """Return what a file or a pipe holds, at most one byte more than ``largest``.

    ``judge`` gets the open descriptor and its status, and raises what is to be said of a file that is not to be read.
    Raises OSError and ValueError where it cannot be, ConfigError about ``where`` when the patience with a pipe ends.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        judge(descriptor, status)
        if stat.S_ISFIFO(status.st_mode):
            try:
                return read_pipe(descriptor, clock, largest)
            except NoDataError:
                raise ConfigError(
                    f"{where} was not written to its end in time", hint="is its writer running?"
                ) from None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(largest + 1)
    finally:
        os.close(descriptor)


def read_pipe(descriptor: int, clock: Clock, largest: int) -> bytes:
    """Read a non-blocking pipe to its end, or to just above the bound; raise NoDataError when patience ends.

    Opening without blocking and polling is what keeps a FIFO that nobody writes to from hanging a cron job for ever.
    """
    content = b""
    deadline = clock.monotonic() + PATIENCE_SECONDS
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while len(content) <= largest:
        left = deadline - clock.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise NoDataError
        chunk = os.read(descriptor, largest + 1 - len(content))
        if not chunk:
            break
        content += chunk
    return content
