"""One case played: a command line against an appliance with faults, and what was true afterwards."""

import json
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

MOST_REQUESTS = 3_000
"""Many more than one run makes; a program that asks for ever is found out, and not waited for."""


@dataclass(frozen=True)
class Case:
    """A command, the way that it goes, the faults that it meets, and how it shows its result."""

    command: Command
    way: str
    faults: tuple[str, ...] = ()
    output: str = "json"
    archive_location: bool = False
    """Whether the details of jobs name the folder of their archive, as a real appliance may do."""

    def __str__(self) -> str:
        told = f"{self.command.name} | {self.way} | {' '.join(self.faults) or 'no fault'} | {self.output}"
        return f"{told} | archive-location" if self.archive_location else told


class SessionLine(httpx.BaseTransport):
    """The wire to an appliance, on which it is noted which sessions the program knows and what became of them.

    A session whose id never arrived is not known: nobody can log it out.
    """

    def __init__(self, appliance: SimulatedAppliance, clock: FakeClock, *, most_requests: int = MOST_REQUESTS) -> None:
        self._most_requests = most_requests
        self._inner = SimulatorTransport(appliance, clock)
        self._sessions = appliance.sessions
        self._clock = clock
        self.known: set[str] = set()
        self.logouts: Counter[str] = Counter()
        self.requests = 0
        self.most_open = 0
        self.last_asked = 0.0

    @property
    def open(self) -> set[str]:
        """The ids of the sessions that are open on the appliance, known or not."""
        return self._sessions.open_tokens

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.requests > self._most_requests:
            raise RuntimeError(f"{self.requests} requests: the program goes round in circles")
        token = request.headers.get(SESSION)
        if token:
            self.known.add(token)
            if request.method == "DELETE":
                self.logouts[token] += 1
        if "session" not in request.url.path:
            self.last_asked = self._clock.monotonic()
        response = self._inner.handle_request(request)
        if request.method == "POST" and request.url.path.endswith("/session") and response.is_success:
            self._note_login(response)
        self.most_open = max(self.most_open, len(self.open & self.known))
        return response

    def _note_login(self, response: httpx.Response) -> None:
        if not hasattr(response, "_content"):  # it trickles: it is known when it is used
            return
        try:
            body = json.loads(response.content)
        except ValueError:
            return
        self.known.add(body if isinstance(body, str) else body["value"])


@dataclass
class Record:
    """What a case came to: what the program said, and what was true on the appliance when it had ended."""

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
        """The sentence about what went wrong, with its evidence and its hint."""
        if self.case.output == "text":
            return self.err[self.err.rfind("error: ") :] if "error: " in self.err else ""
        error = self.result["error"]
        return " ".join([error["message"], *error["details"], error["hint"] or ""]) if error else ""

    @property
    def run(self) -> SimulatedRun | None:
        """What the command was to start or to look at: a backup, a restore or a reconciliation."""
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
        """The state of that run when the appliance was asked for the last time."""
        run = self.run
        end = run.ended(self.line.last_asked) if run else None
        return end.state if end else "INPROGRESS" if run else "none"


def play(case: Case, *, change_password_after: float | None = None, **more: Any) -> Record:
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
        command.prepare(appliance)  # so that the faults of jobs strike the one that runs already
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
