"""Run one case: a command line against an appliance with faults, and the state of the appliance afterwards."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from backupctl.simulator.backup_runs import BackupRun
from backupctl.simulator.http_messages import RecordedRequest
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulated_runs import SimulatedRun
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.faults.commands import JOB_SECONDS, WAYS, Command
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, CommandLine

SESSION = "vmware-api-session-id"

MAX_REQUESTS = 3_000
"""Many more requests than one run sends, so that an endless loop fails."""


@dataclass(frozen=True)
class Case:
    """A command, its API family and authentication, its faults, and its output format."""

    command: Command
    way: str
    faults: tuple[str, ...] = ()
    output: str = "json"
    archive_location: bool = False
    """Whether the details of jobs contain the folder of their archive, as those of a real appliance may."""

    def __str__(self) -> str:
        text = f"{self.command.name} | {self.way} | {' '.join(self.faults) or 'no fault'} | {self.output}"
        return f"{text} | archive-location" if self.archive_location else text


class SessionLine(httpx.BaseTransport):
    """A transport to an appliance that tracks the sessions that the program knows.

    A session whose id never arrived is not known, so the program cannot log it out.
    """

    def __init__(self, appliance: SimulatedAppliance, clock: FakeClock, *, max_requests: int = MAX_REQUESTS) -> None:
        self._most_requests = max_requests
        self._inner = SimulatorTransport(appliance, clock)
        self._sessions = appliance.sessions
        self._clock = clock
        self.known: set[str] = set()
        self.logouts: Counter[str] = Counter()
        self.requests = 0
        self.max_open = 0
        self.last_request_at = 0.0

    @property
    def open(self) -> set[str]:
        """The ids of the sessions that are open on the appliance, known or not."""
        return self._sessions.open_tokens

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.requests > self._most_requests:
            raise RuntimeError(f"{self.requests} requests: the program loops")
        token = request.headers.get(SESSION)
        if token:
            self.known.add(token)
            if request.method == "DELETE":
                self.logouts[token] += 1
        if "session" not in request.url.path:
            self.last_request_at = self._clock.monotonic()
        response = self._inner.handle_request(request)
        if request.method == "POST" and request.url.path.endswith("/session") and response.is_success:
            self._note_login(response)
        self.max_open = max(self.max_open, len(self.open & self.known))
        return response

    def _note_login(self, response: httpx.Response) -> None:
        if not hasattr(response, "_content"):  # a trickling response: the session is known once it is used
            return
        try:
            body = json.loads(response.content)
        except ValueError:
            return
        self.known.add(body if isinstance(body, str) else body["value"])


@dataclass
class Record:
    """The result of a case: the program's output, and the state of the appliance at the end."""

    case: Case
    code: int
    out: str
    err: str
    seconds: float
    appliance: SimulatedAppliance
    line: SessionLine
    new_jobs: list[BackupRun]
    before: Mapping[str, Any]
    requests: list[RecordedRequest]
    backupctl: CommandLine

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1] if self.case.output == "jsonl" else self.out)

    @property
    def result(self) -> Any:
        results = self.json["results"]
        return results[0] if results else {"error": self.json["error"]}

    @property
    def slug(self) -> str | None:
        """The slug of the error, empty for none; None where the output has no slugs."""
        if self.case.output == "text":
            return None
        error = self.result["error"]
        return error["slug"] if error else ""

    @property
    def error(self) -> str:
        """The error message with its details and its hint."""
        if self.case.output == "text":
            told = self.out + "".join(re.findall(r"(?m)^(?!\d{4}-).*\n?", self.err))  # without the progress
            return told[told.rfind("error: ") :] if "error: " in told else told if self.code else ""
        error = self.result["error"]
        return " ".join([error["message"], *error["details"], error["hint"] or ""]) if error else ""

    @property
    def run(self) -> SimulatedRun | None:
        """The backup, restore or reconciliation that the command starts or checks."""
        match self.case.command.object:
            case "restore":
                return self.appliance.restore
            case "reconciliation":
                return self.appliance.reconciliation
        if self.case.command.task in {"start", "start-only"}:
            return self.new_jobs[0] if self.new_jobs else None
        return max(self.appliance.jobs, key=lambda job: job.job_id, default=None)

    @property
    def state(self) -> str:
        """The state of that run at the last request."""
        run = self.run
        end = run.ended(self.line.last_request_at) if run else None
        return end.state if end else "INPROGRESS" if run else "none"


def run_case(case: Case, *, change_password_after: float | None = None, **more: Any) -> Record:
    """Run one case; ``more`` are further options of the appliance."""
    clock = FakeClock()
    command = case.command
    words, options = WAYS[case.way]
    appliance = SimulatedAppliance(clock, host=HOST, job_duration=JOB_SECONDS, **command.options | options | more)
    if command.task in {"start", "start-only"}:
        command.prepare(appliance)
    for fault in (*case.faults, *(["archive-location"] if case.archive_location else [])):
        appliance.inject(fault)
    if command.task not in {"start", "start-only"}:
        command.prepare(appliance)  # so that the faults of jobs apply to the running one
    line = SessionLine(appliance, clock)
    backupctl = CommandLine(appliance, clock=clock, environ=command.environ, transport=line)
    if change_password_after is not None:
        clock.at(clock.elapsed + change_password_after, lambda: setattr(appliance.sessions, "password", "changed"))
    before = schedules_of(appliance)
    jobs, began = len(appliance.jobs), clock.elapsed
    given = [word.replace("VERSION", appliance.release.version) for word in command.words]
    run = backupctl(*given, *words, "-o", case.output)
    appliance.advance()
    return Record(
        case,
        run.code,
        run.out,
        run.err,
        clock.elapsed - began,
        appliance,
        line,
        appliance.jobs[jobs:],
        before,
        list(appliance.requests),
        backupctl,
    )


def schedules_of(appliance: SimulatedAppliance) -> dict[str, Any]:
    """Return the schedules of an appliance, which commands may change."""
    return {name: schedule.info() for name, schedule in appliance.schedules.entries.items()}
