"""A thousand runs on one appliance, with every kind of ending: no session is left open, and no two are open at once."""

import errno
import io
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from backupctl.simulator.releases import release_named
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from tests.faults.play import SessionLine
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, CommandLine, Run
from tests.support.intercept import Send

pytestmark = pytest.mark.exhaustive

RUNS_PER_ENDING = 45
Ending = tuple[Run, int]
"""A run and its expected exit code."""

CREATE = ("create", "--location", "ftp://backup.example.com/vcenter", "--timeout", "5m")


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


class SessionRuns:
    """One appliance for many runs with random endings."""

    def __init__(self, release: str) -> None:
        self.clock = FakeClock()
        known = release_named(release)
        described = replace(known, api="session") if release == "7.0" else known
        self.appliance = SimulatedAppliance(self.clock, host=HOST, release=described)
        self.line = SessionLine(self.appliance, self.clock, max_requests=100_000)
        self.crash_at = 0
        self.chance = random.Random(f"sessions of {release}")
        self.backupctl = CommandLine(
            self.appliance,
            clock=self.clock,
            intercept=self._crash,
            transport=self.line,
        )

    def done(self) -> Ending:
        words = self.chance.choice([CREATE, ("list",), ("parts",), ("watch",)])
        latest = self.backupctl.states[-1]
        return self.backupctl(*words), 7 if words == ("watch",) and latest == "FAILED" else 0

    def interrupted(self) -> Ending:
        self._signal_after(self.chance.choice([0.0, self.chance.uniform(0, 19)]), signal.SIGINT)
        return self.backupctl(*CREATE), 130

    def interrupted_and_cancelled(self) -> Ending:
        self._signal_after(self.chance.uniform(0, 15), signal.SIGTERM)
        return self.backupctl(*CREATE, "--cancel-on-interrupt"), 130

    def disk_full(self) -> Ending:
        self.backupctl.make_stdout = FullDisk
        try:
            return self.backupctl("list"), 11
        finally:
            self.backupctl.make_stdout = io.StringIO

    def bug(self) -> Ending:
        self.crash_at = self.chance.randrange(1, 8)
        try:
            return self.backupctl(*CREATE), 1 if self.crash_at <= 0 else 0
        finally:
            self.crash_at = 0

    def expired(self) -> Ending:
        self.clock.at(self.clock.elapsed + 5, lambda: self.appliance.sessions.close_before(self.clock.monotonic() + 1))
        return self.backupctl(*CREATE), 0

    def refused(self) -> Ending:
        return self.backupctl("list", environ=self.backupctl.environ | {"BACKUPCTL_PASSWORD": "wrong"}), 4

    def misused(self) -> Ending:
        return self.backupctl("watch", "no-such-job"), 10

    def _crash(self, request: httpx.Request, send: Send) -> httpx.Response:
        """Raise an error, as a bug would, at the nth request; logins and logouts do not count."""
        self.crash_at -= "session" not in request.url.path
        if self.crash_at == 0 and "session" not in request.url.path:
            raise RuntimeError("a bug")
        return send(request)

    def _signal_after(self, seconds: float, number: signal.Signals) -> None:
        self.clock.at(self.clock.elapsed + seconds, lambda: os.kill(os.getpid(), number))


ENDINGS: tuple[Callable[[SessionRuns], Ending], ...] = (
    SessionRuns.done,
    SessionRuns.interrupted,
    SessionRuns.interrupted_and_cancelled,
    SessionRuns.disk_full,
    SessionRuns.bug,
    SessionRuns.expired,
    SessionRuns.refused,
    SessionRuns.misused,
)
"""The ways in which a run can end."""


@pytest.mark.parametrize("release", ["6.7U2", "7.0", "8.0"])
def test_many_runs_leave_no_session_open(release: str) -> None:
    runs = SessionRuns(release)
    runs.backupctl(*CREATE)
    codes: Counter[int] = Counter()
    ends = list(ENDINGS) * RUNS_PER_ENDING
    runs.chance.shuffle(ends)
    for end in ends:
        run, code = end(runs)
        assert run.code == code, (end.__name__, run.err)
        codes[run.code] += 1
        assert runs.line.open == set(), end.__name__
        runs.clock.sleep(60)
    assert runs.line.max_open == 1
    assert codes.total() == len(ends)
    assert set(codes) >= {0, 1, 4, 10, 11, 130}
