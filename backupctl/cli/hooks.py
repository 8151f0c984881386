"""Run a hook of the configuration file."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Final

from backupctl.clock import Clock
from backupctl.formatting import duration_option
from backupctl.scheduler.task import Task, call
from backupctl.secrets.from_command import end_group

_MAX_OUTPUT_BYTES: Final = 1_000_000
_SHOWN_BYTES: Final = 4000
_SHOWN_LINES: Final = 10


def run_hook(
    words: Sequence[str], environ: Mapping[str, str], given: str, clock: Clock, timeout: float
) -> Task[tuple[str, list[str]]]:
    """Run a program with ``given`` as its input; return what went wrong, empty if nothing did, and its last lines.

    There is no shell. Output goes to a file, as a pipe stays open in a process that the hook leaves in the background.
    An interruption kills the program.
    """
    try:
        with TemporaryFile() as stdin, TemporaryFile() as output:
            stdin.write(given.encode(errors="replace"))
            stdin.seek(0)
            process = subprocess.Popen(  # noqa: S603 - to run it is what the hook is for
                words, stdin=stdin, stdout=output, stderr=subprocess.STDOUT, env=dict(environ), start_new_session=True
            )
            problem = yield from _wait(process, output, clock, timeout)
            output.seek(max(0, output.seek(0, os.SEEK_END) - _SHOWN_BYTES))
            return problem, output.read().decode(errors="replace").splitlines()[-_SHOWN_LINES:]
    except (OSError, ValueError) as error:
        return f"cannot be run: {getattr(error, 'strerror', None) or 'invalid program name'}", []


def _wait(process: subprocess.Popen[bytes], output: IO[bytes], clock: Clock, timeout: float) -> Task[str]:
    """Wait for the end of a process and return what went wrong, empty if nothing did."""
    deadline, status = clock.monotonic() + timeout, None
    try:
        while status is None and clock.monotonic() < deadline:
            status = yield from call(partial(_wait_a_moment, process))
            if os.fstat(output.fileno()).st_size > _MAX_OUTPUT_BYTES:
                return "wrote too much output"
    finally:
        if process.poll() is None:
            end_group(process)
            process.wait()
    if status is None:
        return f"timed out after {duration_option(timeout)}"
    return f"was killed by signal {-status}" if status < 0 else f"failed with exit status {status}" if status else ""


def _wait_a_moment(process: subprocess.Popen[bytes]) -> int | None:
    with suppress(subprocess.TimeoutExpired):
        return process.wait(0.2)
    return None
