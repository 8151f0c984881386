"""Read a secret from the output of a command, such as a password manager."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from backupctl.errors import ConfigError, UsageError
from backupctl.secrets.bounded_read import NoDataError, TimeLimit, read_pipe
from backupctl.secrets.from_text import MAX_SECRET_BYTES, secret_from_bytes
from backupctl.secrets.secret import Secret

_GRACE_SECONDS: Final = 5.0
"""Time limit from the end of the output to the exit of the command."""


def split_command(text: str) -> tuple[str, ...]:
    """Split a command line as a shell would.

    Raises UsageError: for unbalanced quotes or no command; the message never shows ``text``.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError("the command has unbalanced quotes") from error
    if not words or not words[0]:
        raise UsageError("the command is empty")
    return words


def find_program(words: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return the path of the program that a command would start, None if there is none; nothing is run."""
    return shutil.which(words[0], path=environ.get("PATH", os.defpath))


def run_secret_command(
    words: Sequence[str], option: str, environ: Mapping[str, str], limit: TimeLimit, *, lines: bool = False
) -> Secret:
    """Run a command and return its line of output, or with ``lines`` all of them.

    The command runs with ``environ`` as its environment, without a shell, without input, and in a session of its own,
    so that a timeout or an interrupt ends all processes that it started. Its stderr is passed through.

    Raises ConfigError: when it fails; the message shows only the first word, as the others may be secret.
    """
    where = f"{option}: {words[0]!r}"
    try:
        process = subprocess.Popen(  # noqa: S603 - to run it is what the option is for; there is no shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "invalid program name"
        raise ConfigError(f"{where} cannot be run: {reason}", hint="check the name and PATH") from None
    collected = _collect(process, limit)
    if collected is None:
        raise ConfigError(
            f"{where} timed out after {limit.seconds:.3g} seconds",
            hint="it must work without a terminal: try it with </dev/null",
        )
    content, status = collected
    if status and len(content) <= MAX_SECRET_BYTES:
        ended = f"failed with exit status {status}" if status > 0 else f"was killed by signal {-status}"
        raise ConfigError(f"{where} {ended}", hint="check its output above, or run it yourself")
    return secret_from_bytes(content, f"{where}: the output", lines=lines)


def _collect(process: subprocess.Popen[bytes], limit: TimeLimit) -> tuple[bytes, int] | None:
    """Return output and exit status, None after a timeout; subprocess errors stay here, as they show all words."""
    with process as running:
        output = running.stdout
        try:
            content = b"" if output is None else _read_output(output.fileno(), limit)
            if len(content) > MAX_SECRET_BYTES:
                end_group(running)
            return content, running.wait(min(_GRACE_SECONDS, limit.seconds))
        except (NoDataError, subprocess.TimeoutExpired):
            end_group(running)
            return None
        except BaseException:  # an interrupt
            end_group(running)
            raise


def _read_output(descriptor: int, limit: TimeLimit) -> bytes:
    os.set_blocking(descriptor, False)
    return read_pipe(descriptor, limit, MAX_SECRET_BYTES)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill all processes in the session of a process."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
