"""Run one scenario: the command line in this process, over real sockets, against the adversary's appliance."""

import contextlib
import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backupctl.cli.context import Context
from backupctl.cli.root import run
from tests.adversary.clock import CallThreads, SharedClock, virtual_sockets
from tests.adversary.scenario import LOCATION, LOCATION_USER, OtherJob, Scenario
from tests.adversary.server import Server, tls
from tests.adversary.service import PASSWORD, SSO_PASSWORD, USER, Service
from tests.adversary.truth import Clocks, GroundTruth, Job


@dataclass
class Record:
    """The result of a run: the program's output, and the ground truth of the appliance."""

    scenario: Scenario
    code: int
    out: str
    err: str
    seconds: float
    real_seconds: float
    truth: GroundTruth
    server: Server
    running: Job | None
    schedules_before: dict[str, dict[str, Any]]
    signalled: float | None
    stuck: int
    broken: str | None = None

    @property
    def document(self) -> dict[str, Any] | None:
        """The JSON envelope, None for text or for invalid JSON."""
        if self.scenario.output == "text":
            return None
        try:
            found = json.loads(self.out.splitlines()[-1] if self.scenario.output == "jsonl" else self.out)
        except (ValueError, IndexError):
            return None
        return found if isinstance(found, dict) else None

    @property
    def result(self) -> dict[str, Any]:
        document = self.document or {}
        results = document.get("results") or [{}]
        return dict(results[0])

    @property
    def error(self) -> dict[str, Any]:
        document = self.document or {}
        return dict(self.result.get("error") or document.get("error") or {})

    @property
    def slug(self) -> str:
        return str(self.error.get("slug", ""))

    @property
    def job_id(self) -> str:
        return str((self.result.get("job") or {}).get("id") or "")


def run_scenario(scenario: Scenario) -> Record:
    """Run a scenario and return its record."""
    clock = SharedClock(scenario.start)
    truth, running = _truth(scenario)
    service = Service(truth, scenario.habits, fresh=scenario.command.kind == "restore")
    server = Server(
        service,
        clock,
        scenario.faults,
        plain=scenario.plain,
        on_start=lambda processed: _others_start(truth, scenario, processed=processed),
    )
    before = {name: dict(schedule) for name, schedule in truth.schedules.items()}
    signalled: list[float] = []
    if scenario.signal_at is not None:
        clock.at(scenario.signal_at, lambda: _interrupt(clock, signalled))
    stdout, stderr = io.StringIO(), io.StringIO()
    began = time.perf_counter()
    broken = None
    workers = CallThreads(clock)
    with server.serving(refuse_connections=scenario.refused), virtual_sockets(clock, server.lines), _signals():
        app = Context(
            argv=_argv(scenario, running),
            stdin=io.TextIOWrapper(io.BytesIO(b""), encoding="utf-8"),
            stdout=stdout,
            stderr=stderr,
            environ=_environ(scenario, server.url),
            clock=clock,
            workers=workers,
        )
        try:
            with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
                code = run(app)
        except AssertionError as error:
            code, broken = -1, str(error)
        seconds = clock.elapsed
        clock.end()
    workers.join()
    truth.advance(seconds)
    return Record(
        scenario,
        code,
        stdout.getvalue(),
        stderr.getvalue(),
        seconds,
        time.perf_counter() - began,
        truth,
        server,
        running,
        before,
        signalled[0] if signalled else None,
        clock.stuck,
        broken,
    )


def _interrupt(clock: SharedClock, signalled: list[float]) -> None:
    signalled.append(clock.elapsed)
    os.kill(os.getpid(), signal.SIGINT)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Restore the signal handlers, so that a signal that arrives after the run does not end the tests."""
    ours = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGALRM)
    try:
        yield
    finally:
        if ours:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)


def _truth(scenario: Scenario) -> tuple[GroundTruth, Job | None]:
    clocks = Clocks(scenario.start, scenario.skew, scenario.jump_at, scenario.jump, scenario.id_zone)
    truth = GroundTruth(clocks, job_seconds=scenario.job_seconds, outcome=scenario.outcome)
    for ago in scenario.old:
        truth.add_old_job(ago, location=LOCATION, location_user=LOCATION_USER, user=USER)
    for ago in scenario.old_failures:
        truth.add_old_job(ago + 60.0, location=LOCATION, location_user=LOCATION_USER, user=USER, outcome="FAILED")
    if scenario.id_zone != "UTC":
        truth.add_old_job(600.0, location=LOCATION, location_user=LOCATION_USER, user=USER)
    if scenario.command.schedule:
        truth.schedules["default"] = {
            "location": LOCATION,
            "location_user": LOCATION_USER,
            "parts": ["common", "seat"],
            "enable": True,
            "recurrence_info": {"hour": 1, "minute": 0, "days": []},
            "retention_info": {"max_count": 3},
        }
    running = None
    if scenario.command.running:
        running = truth.start_job(
            location=LOCATION, location_user=LOCATION_USER, user="VSPHERE.LOCAL\\Administrator", seconds=100.0
        )
        running.start = -5.0
    for other in scenario.others:
        if other.at is not None:
            truth.later(other.at, lambda other=other: _start_other(truth, other))  # type: ignore[misc]
    return truth, running


def _start_other(truth: GroundTruth, other: OtherJob) -> None:
    with contextlib.suppress(Exception):  # the appliance is busy, so this job is not started
        truth.start_job(
            type=other.type,
            location=other.location,
            location_user=other.location_user,
            user=other.user,
            seconds=other.seconds,
            outcome="SUCCEEDED",
        )


def _others_start(truth: GroundTruth, scenario: Scenario, *, processed: bool) -> None:
    """Start the jobs of others right before the first starting request is processed, or two seconds after it."""
    for other in scenario.others:
        if other.at is None and other.before:
            _start_other(truth, other)
        elif other.at is None:
            truth.later(truth.now + 2.0, lambda other=other: _start_other(truth, other))  # type: ignore[misc]


def _argv(scenario: Scenario, running: Job | None) -> list[str]:
    words = [running.id if word == "RUNNING" and running else word for word in scenario.words]
    return [*words, "-o", scenario.output]


def _environ(scenario: Scenario, url: str) -> dict[str, str]:
    return {
        "HOME": "/nonexistent",
        "BACKUPCTL_SERVER": url,
        "BACKUPCTL_USERNAME": USER,
        "BACKUPCTL_PASSWORD": PASSWORD,
        "BACKUPCTL_LOCATION_PASSWORD": "L0cation-word",
        "BACKUPCTL_SSO_PASSWORD": SSO_PASSWORD,
        **({} if scenario.plain else {"BACKUPCTL_CA_FILE": str(tls()[1])}),
    }
