"""Job control at a terminal: stop and continue, window resize, and a hangup."""

import errno
import os
import pty
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_relay import http_relay, jobs_of
from tests.support.processes import (
    CLOCK,
    Process,
    Program,
    Programs,
    ServedAppliance,
    Simulators,
    require_program,
    wait_until,
)
from tests.support.terminal import Terminal

pytestmark = pytest.mark.real

BAR = r"(\d+) ?%"
ENDS_WITHIN = 6.0
COMPLETE = {
    "BACKUPCTL_LOCATION_USER": "backup",
    "BACKUPCTL_LOCATION_PASSWORD": "l0cation",
    "BACKUPCTL_BACKUP_PASSWORD": "Correct-Horse1",
}


@contextmanager
def shell(programs: Programs, folder: Path, environ: Mapping[str, str], **size: int) -> Iterator[Terminal]:
    """Yield an interactive shell with job control in a terminal."""
    argv = [require_program("bash"), "--norc", "--noprofile", "-i"]
    with Terminal(folder, argv, {**programs.environ(environ), "PS1": "READY "}, **size) as terminal:
        terminal.wait_for("READY")
        yield terminal


def line(*words: str) -> str:
    return f"{' '.join(Program.words(*words))}; echo EXIT=$?"


def enter(terminal: Terminal, text: str) -> None:
    terminal.type(text)
    terminal.press("Enter")


# Stop, then continue


def test_control_z_stops_and_fg_continues_to_the_end(programs: Programs, serve: Simulators, tmp_path: Path) -> None:
    served = serve("--no-tls", seconds="3s")
    with shell(programs, tmp_path, {**served.environ, **COMPLETE}, columns=150) as terminal:
        enter(terminal, " ".join(Program.words("create")))
        terminal.wait_for(BAR)
        terminal.press("C-z")
        terminal.wait_for("Stopped")
        enter(terminal, "fg; echo EXIT=$?")
        terminal.wait_for("EXIT=0")
        assert "succeeded" in terminal.screen
        assert terminal.cursor_visible
    assert [job["status"] for job in jobs_of(served)] == ["SUCCEEDED"]


def test_prompt_in_the_background_waits_for_fg(programs: Programs, serve: Simulators, tmp_path: Path) -> None:
    served = serve("--no-tls")
    environ = {**served.environ, **COMPLETE}
    del environ["BACKUPCTL_USERNAME"]
    with shell(programs, tmp_path, environ, columns=150) as terminal:
        enter(terminal, f"{' '.join(Program.words('list'))} &")
        wait_until(lambda: "Stopped" in _jobs(terminal), "a job that waits for the terminal")
        enter(terminal, "fg; echo EXIT=$?")
        CLOCK.sleep(0.3)
        terminal.press("Enter")
        terminal.wait_for("EXIT=0")
        assert "Traceback" not in terminal.screen


def _jobs(terminal: Terminal) -> str:
    enter(terminal, "jobs")
    CLOCK.sleep(0.2)
    return terminal.screen


@pytest.mark.parametrize(
    ("options", "job", "code"),
    [((), "1s", 0), (("--timeout", "1s"), "1.5s", 0), (("--timeout", "1s"), "60s", 8)],
    ids=["ended", "ended-after-the-deadline", "running"],
)
def test_process_continued_after_its_timeout_polls_before_it_decides(
    program: Program, serve: Simulators, options: tuple[str, ...], job: str, code: int
) -> None:
    served = serve("--no-tls", seconds=job)
    with http_relay(served) as relay:
        creating = program.start("create", *options, environ=relay.environ)
        creating.wait_for_stderr("backup started")
        creating.signal(signal.SIGSTOP)
        CLOCK.sleep(2.0)
        asked = len(relay.exchanges)
        creating.signal(signal.SIGCONT)
        run = creating.wait()
    assert run.code == code, run.err
    assert any(request.startswith("GET ") for request in relay.requests[asked:])


# Window size


def test_window_resize_does_not_disturb_the_display(programs: Programs, serve: Simulators, tmp_path: Path) -> None:
    served = serve("--no-tls", seconds="2.5s")
    with shell(programs, tmp_path, {**served.environ, **COMPLETE}, columns=100) as terminal:
        enter(terminal, line("create"))
        terminal.wait_for(BAR)
        for columns, rows in ((60, 20), (30, 8), (140, 40), (9, 3), (100, 30)):
            terminal.resize(columns, rows)
            CLOCK.sleep(0.2)
        terminal.wait_for("EXIT=0")
        assert "succeeded" in terminal.screen
        assert "Traceback" not in terminal.screen


# Terminal hangup, as when ssh loses its connection


@contextmanager
def started_on_a_pty(
    program: Program, served: ServedAppliance, *words: str, **options: Any
) -> Iterator[tuple[Process, int]]:
    """Run a command on a pseudo-terminal whose other end the test holds."""
    controller, terminal_end = pty.openpty()
    process = program.start(
        *words,
        environ={**served.environ, **COMPLETE, "TERM": "xterm"},
        under=(require_program("setsid"), "--ctty"),
        stdin=terminal_end,
        stdout=terminal_end,
        stderr=terminal_end,
        **options,
    )
    os.close(terminal_end)
    try:
        yield process, controller
    finally:
        with suppress(OSError):
            os.close(controller)


def read_until(controller: int, wanted: bytes) -> None:
    """Read the terminal output until it contains ``wanted``."""
    read = bytearray()
    os.set_blocking(controller, False)

    def is_written() -> bool:
        try:
            read.extend(os.read(controller, 65536))
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EIO}:
                raise
        return wanted in read

    wait_until(is_written, repr(wanted))


def test_terminal_hangup_detaches_and_logs_out(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls", seconds="3s")
    with (
        http_relay(served) as relay,
        started_on_a_pty(program, served.at(relay.port), "create") as (creating, controller),
    ):
        read_until(controller, b"%")
        os.close(controller)
        began = CLOCK.monotonic()
        assert creating.wait().code == 130
        assert CLOCK.monotonic() - began < ENDS_WITHIN
    assert relay.sessions_left == 0
    assert len(jobs_of(served)) == 1
    watched = program.run("watch", environ=served.environ)
    assert (watched.code, "succeeded" in watched.out) == (0, True)


def test_terminal_hangup_that_the_run_ignores_does_not_end_it(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls", seconds="2s")
    options = {"ignoring": [signal.SIGHUP]}
    with started_on_a_pty(program, served, "create", **options) as (creating, controller):
        read_until(controller, b"%")
        os.close(controller)
        assert creating.wait().code == 0
    assert [job["status"] for job in jobs_of(served)] == ["SUCCEEDED"]
