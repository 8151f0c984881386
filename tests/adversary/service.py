"""The appliance's REST API in both families, and the habits by which it distorts the ground truth.

Written from the vendor's documentation alone; nothing is shared with the program or with its simulator.
"""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.adversary.protocol import SINCE_67, Answer, Request, no_path, vapi
from tests.adversary.truth import BUILD, HOST_NAME, ExistsError, GroundTruth, InUseError, Job, Run, UnknownNameError

USER = "svc-backup@vsphere.local"
PASSWORD = "Pa55-word"
SSO_PASSWORD = "Sso-55-word"

VERSIONS = {"6.5": "6.5.0.30000", "6.7": "6.7.0.42000", "7.0": "7.0.1.00100", "8.0": "8.0.2.00100"}


@dataclass(frozen=True)
class Habits:
    """How an appliance reports, and where it differs from the ground truth.

    ``location`` is as requested, or the ``folder`` of the archive. ``list_`` and ``list_seconds`` determine which jobs
    the list contains, ``details`` what is wrong with the details.
    """

    release: str = "8.0"
    user: str = USER
    location_user: str | None = "as-sent"
    location: str = "requested"
    list_: str = "honest"
    list_seconds: float = 0.0
    order: str = "newest"
    details: str = "honest"
    date: bool = True
    chunked: bool = False
    session_seconds: float = float("inf")
    run_type: str = "MANUAL"


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Service:
    """Answers requests; the caller advances the ground truth to the current time first."""

    def __init__(self, truth: GroundTruth, habits: Habits, *, fresh: bool = False) -> None:
        self.truth = truth
        self.habits = habits
        self.fresh = fresh
        self._lists = 0
        self._session_ends: dict[str, float] = {}

    def answer(self, request: Request) -> Answer:
        """Process the request and return the response."""
        if not request.label or not self._has(request):
            return no_path(request.family)
        if request.label == "login":
            return self._login(request)
        return self._refusal(request) or self._done(request)

    def _refusal(self, request: Request) -> Answer | None:
        token = request.headers.get("vmware-api-session-id", "")
        expired = self._session_ends.get(token, 0.0) <= self.truth.now
        if not self._basic(request) and (token not in self.truth.sessions or expired):
            return vapi(401, "UNAUTHENTICATED", "Authentication required.", request.family)
        return None

    def _done(self, request: Request) -> Answer:
        if request.label == "logout":
            self.truth.end_session(request.headers["vmware-api-session-id"])
            return Answer(204 if request.family == "api" else 200)
        handler: Callable[[Request], Any] = getattr(self, f"_{request.label.replace('-', '_')}")
        try:
            body = handler(request)
        except InUseError:
            text = "A backup or restore is already in progress."
            return vapi(400, "FEATURE_IN_USE", text, request.family)
        except UnknownNameError as error:
            return vapi(404, "NOT_FOUND", f"{error} was not found.", request.family)
        except ExistsError:
            return vapi(400, "ALREADY_EXISTS", "Only one schedule can exist.", request.family)
        if isinstance(body, Answer):
            return body
        return self._good(request, body)

    def _good(self, request: Request, body: Any) -> Answer:
        status = 201 if request.family == "api" and request.label in {"create", "restore", "reconcile"} else 200
        if body is None:
            return Answer(204 if request.method == "DELETE" and request.family == "api" else 200)
        return Answer(status, body if request.family == "api" else {"value": body})

    def _has(self, request: Request) -> bool:
        release = self.habits.release
        if request.family == "api" and release != "8.0":
            return release == "7.0" and request.label in {"login", "logout", "version"}
        return not (release == "6.5" and request.label in SINCE_67)

    @staticmethod
    def _basic(request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme == "Basic" and b64decode(given).decode() == f"{USER}:{PASSWORD}"

    def _login(self, request: Request) -> Answer:
        if not self._basic(request):
            return vapi(401, "UNAUTHENTICATED", "Authentication required.", request.family)
        token = self.truth.open_session()
        self._session_ends[token] = self.truth.now + self.habits.session_seconds
        return Answer(201, token) if request.family == "api" else Answer(200, {"value": token})

    def _version(self, _: Request) -> Any:
        version = VERSIONS[self.habits.release]
        return {"version": version, "product": "VMware vCenter Server", "build": BUILD, "type": "vCenter Server"}

    def _supported(self, _: Request) -> Any:
        return {"supported": True}

    def _health(self, _: Request) -> Any:
        return "green"

    def _database(self, _: Request) -> Any:
        return {"status": "HEALTHY", "messages": []}

    def _settings(self, _: Request) -> Any:
        return {"db_health_check_state_manual_backup": True, "db_health_check_state_scheduled_backup": True}

    def _parts(self, _: Request) -> Any:
        names = {"common": False, "seat": True}
        return [
            {
                "id": part,
                "name": _message(part),
                "description": _message(part),
                "selected_by_default": True,
                "optional": optional,
            }
            for part, optional in names.items()
        ]

    def _size(self, _: Request) -> Any:
        return 400

    def _list(self, _: Request) -> Any:
        self._lists += 1
        return self._shown()

    def _shown(self) -> list[str]:
        jobs = sorted(self.truth.jobs, key=lambda job: job.start, reverse=True)
        first = self._lists == 1
        old = [job for job in jobs if job.start < 0]
        match self.habits.list_:
            case "stale":
                jobs = [job for job in jobs if job.start <= self.truth.now - self.habits.list_seconds]
            case "empty first":
                jobs = [] if first else jobs
            case "newest missing first":
                jobs = [job for job in jobs if not first or job not in old[:1]]
            case "oldest missing first":
                jobs = [job for job in jobs if not first or job not in old[-1:]]
            case "oldest only":
                jobs = jobs[-1:]
            case "frozen":
                jobs = old
        if self.habits.order != "newest":
            jobs = jobs[::-1] if self.habits.order == "oldest" else sorted(jobs, key=lambda job: job.id[::-1])
        return [job.id for job in jobs]

    def status_of(self, job: Job) -> dict[str, Any]:
        """Return the status of a job."""
        now = self.truth.now
        status: dict[str, Any] = {
            "id": job.id,
            "state": job.state(now),
            "progress": job.progress(now),
            "messages": [] if job.state(now) != "FAILED" else [_message("BackupManager encountered an exception.")],
            "start_time": iso(job.wall_start),
        }
        if status["state"] != "INPROGRESS":
            status["end_time"] = iso(self.truth.clocks.wall(job.end))
        return status

    def _job(self, request: Request) -> Any:
        return self.status_of(self.truth.job(request.names["job"]))

    def _create(self, request: Request) -> Any:
        piece = request.content if request.family == "api" else request.content["piece"]
        job = self.truth.start_job(
            ours=True,
            location=piece["location"],
            location_user=piece.get("location_user"),
            user=USER,
            parts=piece["parts"],
        )
        return self.status_of(job)

    def _run(self, request: Request) -> Any:
        schedule = self.truth.schedule(request.names["schedule"])
        job = self.truth.start_job(
            ours=True,
            type=self.habits.run_type,
            location=schedule["location"],
            location_user=schedule.get("location_user"),
            user=USER,
            parts=schedule["parts"],
        )
        return self.status_of(job)

    def _cancel(self, request: Request) -> Any:
        return {"status": self.truth.cancel(request.names["job"]), "messages": []}

    def _validate(self, _: Request) -> Any:
        if self.truth.running:
            raise InUseError
        return {"status": "OK", "messages": []}

    def _details(self, request: Request) -> Any:
        if self.habits.details == "error":
            return vapi(500, "ERROR", "The details cannot be read.", request.family)
        wanted = [value for name, values in request.query.items() if "jobs" in name for value in values]
        found = {job.id: self._details_of(job) for job in self.truth.jobs if not wanted or job.id in wanted}
        shown = {job_id: details for job_id, details in found.items() if details is not None}
        return shown if request.family == "api" else [{"key": key, "value": value} for key, value in shown.items()]

    def _details_of(self, job: Job) -> dict[str, Any] | None:
        now, habit = self.truth.now, self.habits.details
        state = job.state(now)
        if habit == "absent" or (habit == "late" and now < job.start + 20.0 and job.start >= 0):
            return None
        if habit == "lagging":
            state = job.state(now - 20.0) if now - 20.0 >= job.start else "INPROGRESS"
        if habit == "contradicting" and state == "SUCCEEDED" and job.start >= 0:
            state = "FAILED"
        user = job.user if job.user != USER else self.habits.user
        location_user = job.location_user if self.habits.location_user == "as-sent" else self.habits.location_user
        details: dict[str, Any] = {
            "location": self.location_of(job),
            "location_user": (location_user if job.user == USER else job.location_user) or "",
            "type": job.type,
            "status": {"INPROGRESS": "RUNNING"}.get(state, state),
            "messages": [],
            "progress": {"total": 100, "completed": job.progress(now), "message": _message("Backing up")},
            "size": 1_000_000 * job.progress(now),
            "duration": max(0, int(now - job.start)),
            "start_time": iso(job.wall_start),
            "description": _message("Backup job"),
            "service": "com.vmware.appliance.recovery.backup.job",
            "operation": "create",
            "cancelable": True,
        }
        if user:
            details["user"] = user
        if state != "INPROGRESS":
            details["end_time"] = iso(self.truth.clocks.wall(job.end))
        return details

    def location_of(self, job: Job) -> str:
        """Return the location of a job as reported in its details."""
        if self.habits.location == "requested" or "://" not in job.location:
            return job.location
        kind, version = job.type[0], VERSIONS[self.habits.release]
        folder = f"{kind}_{version}_{job.id.rpartition('-')[0]}_"
        return f"{job.location.rstrip('/')}/vCenter/sn_{HOST_NAME}/{folder}"

    def _schedules(self, request: Request) -> Any:
        found = self.truth.schedules
        return found if request.family == "api" else [{"key": key, "value": value} for key, value in found.items()]

    def _schedule(self, request: Request) -> Any:
        return self.truth.schedule(request.names["schedule"])

    def _schedule_create(self, request: Request) -> None:
        name = request.names.get("schedule") or request.content["schedule"]
        self.truth.create_schedule(name, request.content["spec"])

    def _schedule_update(self, request: Request) -> None:
        spec = request.content if request.family == "api" else request.content["spec"]
        self.truth.update_schedule(request.names["schedule"], spec)

    def _schedule_delete(self, request: Request) -> None:
        self.truth.delete_schedule(request.names["schedule"])

    def _restore_validate(self, _: Request) -> Any:
        return {
            "timestamp": iso(self.truth.clocks.wall(-86400.0)),
            "parts": ["common", "seat"],
            "version": VERSIONS[self.habits.release],
            "boxname": HOST_NAME,
            "comment": "",
            "applicable": True,
            "messages": [],
        }

    def _restore(self, _: Request) -> Any:
        return self._status_of_run(self.truth.start_run(self.truth.restores))

    def _restore_job(self, request: Request) -> Any:
        if not self.truth.restores and not self.fresh:
            return vapi(500, "ERROR", "No restore has run.", request.family)
        if not self.truth.restores:
            return {"state": "NONE", "messages": [], "progress": 0}
        return self._status_of_run(self.truth.restores[-1])

    def _restore_cancel(self, _: Request) -> Any:
        self.truth.restores[-1].cancelled = self.truth.now + 2.0
        return {"status": "OK", "messages": []}

    def _status_of_run(self, run: Run) -> Any:
        now = self.truth.now
        progress = min(100, int(100 * (now - run.start) / run.seconds))
        return {"state": run.state(now), "messages": [], "progress": progress}

    def _reconcile(self, _: Request) -> Any:
        return self._reconciliation_of(self.truth.start_run(self.truth.reconciliations))

    def _reconciliation(self, request: Request) -> Any:
        if not self.truth.reconciliations:
            return vapi(404, "NOT_FOUND", "No reconciliation runs.", request.family)
        return self._reconciliation_of(self.truth.reconciliations[-1])

    def _reconciliation_of(self, run: Run) -> Any:
        state = run.state(self.truth.now)
        progress = min(100, int(100 * (self.truth.now - run.start) / run.seconds))
        status = {"INPROGRESS": "RUNNING"}.get(state, state)
        common = {"service": "com.vmware.appliance.recovery.reconciliation.job", "operation": "create"}
        return {
            "description": _message("Reconciliation"),
            "status": status,
            "messages": [],
            "progress": progress,
        } | common


def _message(text: str) -> dict[str, Any]:
    return {"id": "com.vmware.applmgmt.text", "default_message": text, "args": []}
