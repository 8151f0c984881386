"""The ground truth of the appliance: jobs, sessions, schedules and restores, and who started them.

Nothing here is about HTTP. Times are seconds since the start of the run; the appliance's own clock is ``Clocks.wall``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

BUILD = "24091160"
HOST_NAME = "vc01.example.com"


class InUseError(Exception):
    """A backup or a restore is running."""


class UnknownNameError(Exception):
    """Nothing has this name."""


class ExistsError(Exception):
    """A schedule already exists."""


@dataclass
class Job:
    """A backup job; ``ours``: a request of the program under test started it."""

    id: str
    start: float
    wall_start: datetime
    seconds: float
    outcome: str = "SUCCEEDED"
    ours: bool = False
    type: str = "MANUAL"
    location: str = ""
    location_user: str | None = None
    user: str | None = None
    parts: list[str] = field(default_factory=list)
    cancelled: float | None = None

    @property
    def end(self) -> float:
        return self.start + self.seconds if self.cancelled is None else min(self.cancelled, self.start + self.seconds)

    def state(self, now: float) -> str:
        if now < self.end:
            return "INPROGRESS"
        return "FAILED" if self.cancelled is not None and self.cancelled < self.start + self.seconds else self.outcome

    def progress(self, now: float) -> int:
        return min(100, int(100 * (now - self.start) / self.seconds)) if self.seconds else 100


@dataclass
class Run:
    """A restore or a reconciliation."""

    start: float
    seconds: float
    outcome: str
    cancelled: float | None = None

    def state(self, now: float) -> str:
        if self.cancelled is not None and self.cancelled <= now:
            return "FAILED"
        return "INPROGRESS" if now < self.start + self.seconds else self.outcome


@dataclass
class Clocks:
    """The appliance's wall clock: ``skew`` seconds off, moved by ``jump`` seconds at ``jump_at``."""

    start: datetime
    skew: float = 0.0
    jump_at: float = float("inf")
    jump: float = 0.0
    id_zone: str = "UTC"

    def wall(self, now: float) -> datetime:
        jumped = self.jump if now >= self.jump_at else 0.0
        return self.start + timedelta(seconds=now + self.skew + jumped)

    def job_id(self, wall: datetime) -> str:
        return f"{wall.astimezone(ZoneInfo(self.id_zone)):%Y%m%d-%H%M%S}-{BUILD}"


class GroundTruth:
    """The state of one appliance, and everything that was really done to it."""

    def __init__(self, clocks: Clocks, *, job_seconds: float, outcome: str) -> None:
        self.clocks = clocks
        self.job_seconds = job_seconds
        self.outcome = outcome
        self.now = 0.0
        self.jobs: list[Job] = []
        self.sessions: set[str] = set()
        self.opened: list[str] = []
        self.ended: list[str] = []
        self.schedules: dict[str, dict[str, Any]] = {}
        self.schedule_writes: list[tuple[float, str]] = []
        self.restores: list[Run] = []
        self.reconciliations: list[Run] = []
        self._later: list[tuple[float, Callable[[], object]]] = []

    def advance(self, now: float) -> None:
        """Advance the time, and run the actions that are due."""
        while self._later and min(moment for moment, _ in self._later) <= now:
            due = min(self._later, key=lambda pair: pair[0])
            self._later.remove(due)
            self.now = max(self.now, due[0])
            due[1]()
        self.now = max(self.now, now)

    def later(self, moment: float, action: Callable[[], object]) -> None:
        self._later.append((moment, action))

    @property
    def ours(self) -> list[Job]:
        return [job for job in self.jobs if job.ours]

    @property
    def running(self) -> Job | None:
        return next((job for job in self.jobs if job.state(self.now) == "INPROGRESS"), None)

    def start_job(self, **facts: Any) -> Job:
        """Start a job now.

        Raises InUseError: while a backup or restore runs.
        """
        if self.running or any(run.state(self.now) == "INPROGRESS" for run in self.restores):
            raise InUseError
        wall = self.clocks.wall(self.now)
        taken = {job.id for job in self.jobs}
        while self.clocks.job_id(wall) in taken:
            wall += timedelta(seconds=1)
        seconds = facts.pop("seconds", self.job_seconds)
        facts.setdefault("outcome", self.outcome)
        job = Job(self.clocks.job_id(wall), self.now, wall, seconds, **facts)
        self.jobs.append(job)
        return job

    def add_old_job(self, ago: float, **facts: Any) -> Job:
        wall = self.clocks.wall(-ago)
        job = Job(self.clocks.job_id(wall), -ago, wall, 20.0, **facts)
        self.jobs.append(job)
        return job

    def job(self, job_id: str) -> Job:
        for job in self.jobs:
            if job.id == job_id:
                return job
        raise UnknownNameError(job_id)

    def cancel(self, job_id: str) -> str:
        job = self.job(job_id)
        if job.state(self.now) != "INPROGRESS":
            return "FAIL"
        job.cancelled = self.now + 2.0
        return "OK"

    def start_run(self, runs: list[Run]) -> Run:
        if self.running or any(run.state(self.now) == "INPROGRESS" for run in (*self.restores, *self.reconciliations)):
            raise InUseError
        runs.append(Run(self.now, self.job_seconds, self.outcome))
        return runs[-1]

    def open_session(self) -> str:
        token = f"{len(self.opened) + 1:032x}"
        self.opened.append(token)
        self.sessions.add(token)
        return token

    def end_session(self, token: str) -> None:
        self.ended.append(token)
        self.sessions.discard(token)

    def create_schedule(self, name: str, spec: dict[str, Any]) -> None:
        if self.schedules:
            raise ExistsError
        self.schedules[name] = {"enable": True, "parts": []} | _readable(spec)
        self.schedule_writes.append((self.now, f"create {name}"))

    def update_schedule(self, name: str, spec: dict[str, Any]) -> None:
        self.schedule(name).update(_readable(spec))
        self.schedule_writes.append((self.now, f"update {name}"))

    def delete_schedule(self, name: str) -> None:
        self.schedule(name)
        del self.schedules[name]
        self.schedule_writes.append((self.now, f"delete {name}"))

    def schedule(self, name: str) -> dict[str, Any]:
        if name not in self.schedules:
            raise UnknownNameError(name)
        return self.schedules[name]


def _readable(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a schedule that an appliance reports: all but the passwords."""
    return {name: value for name, value in spec.items() if value is not None and not name.endswith("password")}
