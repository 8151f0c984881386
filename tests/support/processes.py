"""Processes under test: in an environment of their own, with output line by line and a limit for every wait."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

import pytest

from backupctl.clock import SystemClock
from backupctl.config.process import process_environment
from tests.support.command_line import LOCATION, Run

S = TypeVar("S")
T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 20.0
"""The limit of each wait, in seconds."""
LANES = 4
"""The number of threads of ``run_in_parallel``."""
NOISE = ("Traceback (most recent call last)", "Exception ignored", "ResourceWarning", "BrokenPipeError", "rror in sys.")

CLOCK = SystemClock()


def require_program(name: str) -> str:
    """Return the path of a program; if it is missing, skip the test (in CI, fail)."""
    return shutil.which(name) or skip_outside_ci(f"{name} is not installed")


def skip_outside_ci(why: str) -> NoReturn:
    """Skip a test that this machine cannot run; in CI, fail."""
    if process_environment().get("CI"):
        pytest.fail(f"CI must be able to run this: {why}")
    pytest.skip(why)


def run_in_parallel(work: Callable[[S], T], things: Iterable[S], lanes: int = LANES) -> list[T]:
    """Call ``work`` for each of ``things`` in threads, and return the results in order."""
    with default_signals(), ThreadPoolExecutor(lanes) as pool:
        return list(pool.map(work, things))


def wait_until(found: Callable[[], T | None], what: str, seconds: float = WAIT_SECONDS) -> T:
    """Call ``found`` until it returns a true value, and return that; fail after ``seconds``."""
    deadline = CLOCK.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        assert CLOCK.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        CLOCK.sleep(0.02)


class OutputReader:
    """Reads a stream line by line in a thread."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        with self._changed:
            return "".join(self._lines)

    def wait_for(self, pattern: str, seconds: float = WAIT_SECONDS) -> re.Match[str]:
        """Wait for a line that matches ``pattern``, and return the match."""

        def match() -> re.Match[str] | None:
            return next((found for line in self._lines if (found := re.search(pattern, line))), None)

        with self._changed:
            self._changed.wait_for(lambda: match() is not None or self._ended, seconds)
            found = match()
            assert found is not None, f"no {pattern!r} within {seconds:g} s in:\n{''.join(self._lines)}"
            return found

    def read_all(self, seconds: float = WAIT_SECONDS) -> str:
        self._reader.join(seconds)
        return self.text

    def _read(self) -> None:
        with contextlib.suppress(ValueError), self._stream:
            for line in self._stream:
                with self._changed:
                    self._lines.append(line.decode(errors="backslashreplace"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Process:
    """A running process and its output."""

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen
        self._started = CLOCK.monotonic()
        self.pid = popen.pid
        self.waited_for = False
        self.out = OutputReader(popen.stdout) if popen.stdout else None
        self.err = OutputReader(popen.stderr) if popen.stderr else None

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def wait_for_stderr(self, pattern: str, seconds: float = WAIT_SECONDS) -> re.Match[str]:
        """Wait for a line on standard error."""
        assert self.err is not None
        return self.err.wait_for(pattern, seconds)

    def wait_for_stdout(self, pattern: str, seconds: float = WAIT_SECONDS) -> re.Match[str]:
        """Wait for a line on standard output."""
        assert self.out is not None
        return self.out.wait_for(pattern, seconds)

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def wait_unchecked(self, seconds: float = WAIT_SECONDS) -> Run:
        """Wait for the exit and return the result unchecked."""
        self.waited_for = True
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"still running after {seconds:g} s; it said:\n{self._texts()}")
        return Run(code, *self._texts())

    def wait(self, seconds: float = WAIT_SECONDS) -> Run:
        """Wait for the exit; fail on a traceback or a warning of the interpreter."""
        run = self.wait_unchecked(seconds)
        noise = [word for word in NOISE if word in run.err]
        assert not noise, f"{noise} in:\n{run.err}"
        return run

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._texts()

    def _texts(self) -> tuple[str, str]:
        return self.out.read_all() if self.out else "", self.err.read_all() if self.err else ""


@dataclass(frozen=True)
class ServedAppliance:
    """A simulated appliance in another process, and its connection data."""

    url: str
    username: str
    password: str
    ca_file: str | None
    fingerprint: str | None

    @property
    def environ(self) -> dict[str, str]:
        """The environment with which a client connects to it."""
        trust = {"BACKUPCTL_CA_FILE": self.ca_file} if self.ca_file else {}
        return {
            "BACKUPCTL_SERVER": self.url,
            "BACKUPCTL_USERNAME": self.username,
            "BACKUPCTL_PASSWORD": self.password,
            "BACKUPCTL_LOCATION": LOCATION,
            "BACKUPCTL_INTERVAL": "0.2s",
            **trust,
        }

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def at(self, port: int) -> "ServedAppliance":
        """Return the same appliance behind another port."""
        return replace(self, url=f"{self.url.rpartition(':')[0]}:{port}")


class Programs:
    """Starts programs with their own home directory, and kills those that still run at the end."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._processes: list[Process] = []

    def environ(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return an environment without the user's settings."""
        path = process_environment().get("PATH", "/usr/bin:/bin")
        home = more.get("HOME", str(self.home))
        homes = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/.config", "XDG_STATE_HOME": f"{home}/.local/state"}
        return {"PATH": path, **homes, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), **more}

    def start(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        ignoring: Sequence[int] = (),
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
        cwd: str | Path | None = None,
    ) -> Process:
        """Start a program with exactly this environment."""
        in_main_thread = threading.current_thread() is threading.main_thread()  # other threads cannot set handlers
        with default_signals(ignoring) if in_main_thread else contextlib.nullcontext():
            popen = subprocess.Popen(
                argv, env=dict(environ), stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd or self.home
            )
        process = Process(popen)
        self._processes.append(process)
        return process

    def close(self) -> None:
        for process in self._processes:
            if process.running:
                process.kill()
            if not process.waited_for:
                process.wait()


class Program:
    """Runs ``python -m backupctl`` in processes."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def start(
        self,
        *words: str,
        environ: Mapping[str, str] | None = None,
        python: Sequence[str] = ("-W", "error::ResourceWarning"),
        without: Sequence[str] = (),
        under: Sequence[str] = (),
        **options: Any,
    ) -> Process:
        """Start a command line, optionally ``under`` another program.

        ``without`` names variables to remove from its environment.
        """
        complete = self._programs.environ(environ or {})
        kept = {name: value for name, value in complete.items() if name not in without}
        return self._programs.start([*under, *self.words(*words, python=python)], kept, **options)

    def run(self, *words: str, seconds: float = WAIT_SECONDS, **options: Any) -> Run:
        """Run a command line to its end."""
        return self.start(*words, **options).wait(seconds)

    @staticmethod
    def words(*words: str, python: Sequence[str] = ()) -> list[str]:
        """Return the arguments that execute a command line."""
        return [sys.executable, *python, "-m", "backupctl", *words]


class Simulators:
    """Serves simulated appliances in processes that must exit cleanly."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._serving: list[Process] = []

    def __call__(self, *words: str, faults: Sequence[str] = (), seconds: str = "0.6s") -> ServedAppliance:
        """Serve one appliance whose backups take ``seconds``."""
        (served,) = self.many(1, *words, faults=faults, seconds=seconds)
        return served

    def many(self, count: int, *words: str, faults: Sequence[str] = (), seconds: str = "0.6s") -> list[ServedAppliance]:
        """Serve ``count`` independent appliances in one process."""
        options = ["--appliances", str(count), *(word for fault in faults for word in ("--fault", fault))]
        serving = self._program.start("simulator", "serve", "--job-duration", seconds, *options, *words)
        self._serving.append(serving)
        return [
            ServedAppliance(**appliance)
            for appliance in json.loads(serving.wait_for_stdout(r"^\{.*\}$").string)["appliances"]
        ]

    def close(self) -> None:
        for serving in self._serving:
            serving.signal(signal.SIGTERM)
        for serving in self._serving:
            ended = serving.wait()
            assert (ended.code, ended.err) == (0, "")


@contextlib.contextmanager
def default_signals(ignored: Sequence[int] = ()) -> Iterator[None]:
    """Start child processes with the default signal handlers, except for the ``ignored`` signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        for number in before:
            signal.signal(number, signal.SIG_IGN if number in ignored else _default(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _default(number: int) -> Any:
    return signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
