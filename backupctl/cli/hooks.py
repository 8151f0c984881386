"""Run the hooks of the configuration file around each backup."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Final

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.config.environment import environment_without_secrets
from backupctl.config.notify_keys import HOOK_TIMEOUT
from backupctl.config.option import Option
from backupctl.errors import HookFailedError
from backupctl.formatting import duration_option, size
from backupctl.output.json_text import json_text
from backupctl.results.result import Result
from backupctl.scheduler.semaphore import Semaphore
from backupctl.scheduler.task import Task, call
from backupctl.secrets.from_command import end_group

MAX_HOOKS: Final = 16
"""How many hooks run at once: each takes a process and some open files of ours."""

_POLL_SECONDS: Final = 0.2
_MAX_OUTPUT_BYTES: Final = 10_000_000
_SHOWN_BYTES: Final = 2000
_SHOWN_LINES: Final = 10


class Hooks:
    """The hooks of a run."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._semaphore = Semaphore(MAX_HOOKS)

    def run(
        self, settings: ApplianceSettings, hook: Option[tuple[str, ...]], result: Result | None = None
    ) -> Task[None]:
        """Run a hook of an appliance, if it has one. Raises HookFailedError: if it fails."""
        words, timeout = settings.notify(hook).value, settings.notify(HOOK_TIMEOUT).value
        if not words:
            return
        yield from self._semaphore.acquire()
        try:
            given = json_text(result) if result else ""
            problem, lines = yield from _run_program(words, self._environ(settings, result), given, timeout)
        finally:
            self._semaphore.release()
        for line in lines:
            settings.debug(f"{hook.name} hook: {settings.redactor.redact(line)}")
        if problem:
            about = f"{hook.name} hook {words[0]!r}"  # the other words may be secret
            raise HookFailedError("$1 $2", texts=(about, problem), server=settings.name, details=lines)

    def _environ(self, settings: ApplianceSettings, result: Result | None) -> dict[str, str]:
        facts = {"COMMAND": str(self._context.command), "SERVER": settings.name}
        if result is not None:
            error, job = result.error, getattr(result, "job", None)
            facts |= {"EXIT_CODE": f"{result.exit_code:d}", "SLUG": error.slug if error else ""}
            facts |= {"JOB": job.id if job else ""}
        environ = environment_without_secrets(self._context.environ, self._context.configuration.secret_variables)
        return environ | {f"BACKUPCTL_{name}": value for name, value in facts.items()}


def _run_program(
    words: Sequence[str], environ: Mapping[str, str], given: str, timeout: float
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
            try:
                problem = yield from call(partial(_wait, process, output, timeout))
            finally:
                if process.poll() is None:
                    end_group(process)
                    process.wait()
            output.seek(max(0, output.seek(0, os.SEEK_END) - _SHOWN_BYTES))
            return problem, output.read().decode(errors="replace").splitlines()[-_SHOWN_LINES:]
    except (OSError, ValueError) as error:
        return f"cannot be run: {getattr(error, 'strerror', None) or 'invalid program name'}", []


def _wait(process: subprocess.Popen[bytes], output: IO[bytes], timeout: float) -> str:
    """Wait for the end of a process and return what went wrong, empty if nothing did."""
    for _ in range(int(timeout / _POLL_SECONDS) + 1):
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(_POLL_SECONDS)
            return (
                f"was killed by signal {-status}" if status < 0 else f"failed with exit status {status}" * bool(status)
            )
        if os.fstat(output.fileno()).st_size > _MAX_OUTPUT_BYTES:
            return f"wrote more than {size(_MAX_OUTPUT_BYTES)}"
    return f"timed out after {duration_option(timeout)}"
