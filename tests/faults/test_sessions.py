"""A thousand runs on one appliance, ended in every way there is, leave no session behind and never have two open."""

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

from backupctl.simulator.appliance import Appliance
from backupctl.simulator.releases import release_named
from tests.faults.play import SessionLine
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, CommandLine, Run
from tests.support.workers import TimedWorkers

pytestmark = pytest.mark.exhaustive

RUNS_AN_END = 130
CREATE = ("create", "--location", "ftp://backup.example.com/vcenter", "--timeout", "5m")


class BrokenLine(httpx.BaseTransport):
    """A wire with a bug at the request of a number, logins and logouts left out."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.breaks_at = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "session" not in request.url.path:
            self.breaks_at -= 1
            if self.breaks_at == 0:
                raise RuntimeError("a bug")
        return self._inner.handle_request(request)


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


class Bench:
    """One appliance for many runs, each of which is ended in a way by chance."""

    def __init__(self, release: str) -> None:
        self.clock = FakeClock()
        known = release_named(release)
        described = replace(known, api="session") if release == "7.0" else known
        self.appliance = Appliance(self.clock, host=HOST, release=described)
        self.line = SessionLine(self.appliance, self.clock, most_requests=100_000)
        self.broken = BrokenLine(self.line)
        self.chance = random.Random(f"sessions of {release}")
        self.backupctl = CommandLine(
            self.appliance, clock=self.clock, transport=self.broken, workers=TimedWorkers(self.clock)
        )

    def done(self) -> Run:
        return self.backupctl(*self.chance.choice([CREATE, ("list",), ("parts",), ("watch",)]))

    def interrupted(self) -> Run:
        self._signal_after(self.chance.choice([0.0, self.chance.uniform(0, 19)]), signal.SIGINT)
        return self.backupctl(*CREATE)

    def interrupted_and_cancelled(self) -> Run:
        self._signal_after(self.chance.uniform(0, 15), signal.SIGTERM)
        return self.backupctl(*CREATE, "--cancel-on-interrupt")

    def disk_full(self) -> Run:
        self.backupctl.make_stdout = FullDisk
        try:
            return self.backupctl("list")
        finally:
            self.backupctl.make_stdout = io.StringIO

    def bug(self) -> Run:
        self.broken.breaks_at = self.chance.randrange(1, 8)
        try:
            return self.backupctl(*CREATE)
        finally:
            self.broken.breaks_at = 0

    def expired(self) -> Run:
        self.clock.at(self.clock.elapsed + 5, lambda: self.appliance.sessions.close_before(self.clock.monotonic() + 1))
        return self.backupctl(*CREATE)

    def refused(self) -> Run:
        return self.backupctl("list", environ=self.backupctl.environ | {"BACKUPCTL_PASSWORD": "wrong"})

    def misused(self) -> Run:
        return self.backupctl("watch", "no-such-job")

    def _signal_after(self, seconds: float, number: signal.Signals) -> None:
        self.clock.at(self.clock.elapsed + seconds, lambda: os.kill(os.getpid(), number))


ENDS: dict[Callable[[Bench], Run], set[int]] = {
    Bench.done: {0, 7},
    Bench.interrupted: {130},
    Bench.interrupted_and_cancelled: {130},
    Bench.disk_full: {11},
    Bench.bug: {0, 1},
    Bench.expired: {0},
    Bench.refused: {4},
    Bench.misused: {10},
}
"""The ways in which a run is ended, and the exit codes that it then may have."""


@pytest.mark.parametrize("release", ["6.7U2", "7.0", "8.0"])
def test_many_runs_leave_no_session_behind(release: str) -> None:
    bench = Bench(release)
    bench.backupctl(*CREATE)
    codes: Counter[int] = Counter()
    ends = list(ENDS) * RUNS_AN_END
    bench.chance.shuffle(ends)
    for end in ends:
        run = end(bench)
        assert run.code in ENDS[end], (end.__name__, run.code, run.err)
        codes[run.code] += 1
        assert bench.line.open == set(), end.__name__
        bench.clock.sleep(60)
    assert bench.line.most_open == 1
    assert codes.total() == len(ends) >= 1000
    assert set(codes) >= {0, 1, 4, 10, 11, 130}
