"""The live display on a real terminal, with its real thread and the real clock."""

import os
import pty
import subprocess
import sys

import pytest

CHILD = """
import os, sys
from backupctl.clock import SystemClock
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Progressed
from backupctl.results.job import Job
from backupctl.results.result import Envelope
from backupctl.output.view_selection import make_view
clock = SystemClock()
view = make_view("text", stdout=sys.stdout, stderr=sys.stderr, clock=clock, environ=os.environ)
job = Job(id="1", state="INPROGRESS", progress=40)
view.event(Progressed(time=clock.now(), server="vc01", job=job))
clock.sleep(2.5)
view.finish(Envelope.of("watch", [JobResult(server="vc01", host="vc01", exit_code=8, job=job)]))
"""


@pytest.mark.real
def test_live_display_refreshes_between_events_and_restores_the_terminal() -> None:
    terminal, side = pty.openpty()
    environ = {"TERM": "xterm", "COLUMNS": "80", "LINES": "24", "LC_ALL": "C.UTF-8"}
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=side, stderr=side, env=environ)
    os.close(side)
    shown = b""
    while chunk := _read(terminal):
        shown += chunk
    os.close(terminal)
    assert child.wait() == 0
    assert all(elapsed in shown for elapsed in (b" 0s ", b" 1s ", b" 2s "))
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
    assert shown.rindex(b"is running") > shown.rindex(b"\x1b[?25h")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when nobody has the other side open any more
        return b""
