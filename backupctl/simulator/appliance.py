"""One appliance: its state, a function of the clock, and how a request becomes an answer."""

from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from backupctl.clock import Clock
from backupctl.errors import UsageError
from backupctl.simulator import backup_operations, session_operations, system_operations
from backupctl.simulator.bodies import decode_body, unwrap
from backupctl.simulator.envelopes import html, no_such_path, refusal, result
from backupctl.simulator.faults import FaultPlan, Strike
from backupctl.simulator.history import past_jobs
from backupctl.simulator.jobs import FAILED_MESSAGES, Job, JobBook, Target
from backupctl.simulator.progress import curve_named
from backupctl.simulator.releases import Release, release_named
from backupctl.simulator.routes import Call, Match, Route, family_of, match_route, query_of
from backupctl.simulator.sessions import SessionBook
from backupctl.simulator.wire import (
    AT_ONCE,
    REST,
    Answer,
    Delivery,
    Family,
    RefusedError,
    Request,
    message,
)

ROUTES: tuple[Route, ...] = (*session_operations.ROUTES, *backup_operations.ROUTES, *system_operations.ROUTES)

BUSY_BEFORE = 5 * 60.0
"""The job of somebody else (fault ``busy``) began this many seconds before the appliance did."""

BUSY_AFTER = 25 * 60.0
"""And it runs for this many seconds more, unless the fault says how long."""

MOST_REQUESTS_KEPT = 10_000


class Store(Protocol):
    """Where the files of finished backups go."""

    def save(self, job: Job, host: str) -> None:
        """Write one backup; raises ``OSError``."""
        ...


class SeenRequest(NamedTuple):
    """One request that reached the appliance, and the status of the answer that it gave (0: none)."""

    method: str
    path: str
    query: str
    phase: str
    status: int


class Appliance:
    """A vCenter Server appliance; not thread-safe, its server holds a lock.

    ``release`` is a name such as ``8.0`` or a ``Release``; ``job_duration`` in seconds; ``faults`` as
    ``KIND[=VALUE][@PHASE]``. ``jobs``, ``open_sessions``, ``failed_logins`` and ``requests`` are there for tests.
    Raises ``UsageError`` for an option that it does not know.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        release: str | Release = "8.0",
        username: str = "administrator@vsphere.local",
        password: str = "VMware1!",  # noqa: S107 - documented, and it opens nothing but a simulator
        host: str = "vcsa.simulator.test",
        job_duration: float = 20.0,
        progress: str = "linear",
        history: bool = False,
        faults: Iterable[str] = (),
        store: Store | None = None,
        basic: bool = True,
        secure_cookies: bool = True,
    ) -> None:
        if job_duration <= 0:
            raise UsageError("the duration of a simulated job must be more than 0 seconds")
        self.clock = clock
        self.release = release_named(release) if isinstance(release, str) else release
        self.host = host
        self.job_duration = job_duration
        self.curve = curve_named(progress)
        self.faults = FaultPlan(faults)
        self.store = store
        self.basic = basic
        self.secure_cookies = secure_cookies
        self.sessions = SessionBook(clock, username, password)
        self.job_book = JobBook()
        self.requests: deque[SeenRequest] = deque(maxlen=MOST_REQUESTS_KEPT)
        if history:
            self.jobs.extend(past_jobs(clock, self.release, username, self.job_book))
        self._apply_standing_faults()

    @property
    def moment(self) -> float:
        """The monotonic time, in seconds."""
        return self.clock.monotonic()

    @property
    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        return self.job_book.jobs

    @property
    def open_sessions(self) -> int:
        """How many sessions are open now."""
        return len(self.sessions)

    @property
    def failed_logins(self) -> int:
        """How many times wrong credentials were shown; a real vCenter locks an account after about five."""
        return self.sessions.failed_logins

    def inject(self, fault: str) -> None:
        """Add a fault from now on; those of a job (``fail-at`` and such) apply to jobs that start later."""
        self.faults.add(fault)
        self._apply_standing_faults()

    def handle(self, request: Request) -> Answer:
        """Return the answer to one request, at this moment of the clock."""
        self.advance()
        outage = self._outage()
        if outage is not None:
            return outage
        match = match_route(ROUTES, request, self.release)
        phase = match.route.phase if match else ""
        answer = self._struck(request, match, phase)
        status = 0 if answer.delivery.lost else answer.status
        self.requests.append(SeenRequest(request.method, request.path, request.query, phase, status))
        return answer

    def advance(self) -> None:
        """Bring about what the clock has made due: a reboot's end of all sessions, the files of finished jobs."""
        for job in self.jobs:
            if job.reboot is not None and self.moment >= job.reboot[0]:
                self.sessions.close_before(job.reboot[1])
            end = job.ended(self.moment)
            if end is not None and not job.finished:
                job.finished = True
                if end.state == "SUCCEEDED":
                    self._save(job)

    def start_job(self, target: Target, *, user: str | None) -> Job:
        """Start a backup now; raises ``RefusedError`` (feature_in_use) while another one runs."""
        self.refuse_if_busy()
        used = self.location_is_used(target.location)
        job = self._new_job(target, user)
        job.fail_at = self._percent("fail-at")
        job.stall_at = self._percent("stall-at")
        if used:
            job.fail_at, job.fail_messages = 1, (self.used_location_message, *FAILED_MESSAGES)
        reboot = self.faults.named("reboot-at")
        if reboot is not None:
            begin = job.started + job.duration * job.curve.first_time_of(reboot.percent or 0)
            end = job.ending()
            if end is None or job.started + end.seconds > begin:
                job.reboot = (begin, begin + (reboot.seconds or 0.0))
        self.jobs.append(job)
        return job

    def refuse_if_busy(self) -> None:
        """Refuse when a backup runs: an appliance runs one at a time."""
        if self.job_book.running(self.moment) is not None:
            text = "A backup or restore is already in progress."
            raise RefusedError("feature_in_use", message("com.vmware.applmgmt.backup_restore.in_progress", text))

    def location_is_used(self, location: str) -> bool:
        """Say whether a folder cannot be taken because it holds a backup: 6.5 wants an empty or new one each time."""
        done = (job for job in self.jobs if job.target.location.rstrip("/") == location.rstrip("/"))
        full = any((end := job.ended(self.moment)) and end.state == "SUCCEEDED" for job in done)
        return full and "vcenter-folder" not in self.release.features

    @property
    def used_location_message(self) -> dict[str, Any]:
        """What 6.5 says about a folder that is not empty; text and id are UNCONFIRMED."""
        return message("com.vmware.applmgmt.backup_restore.location_not_empty", "The backup location is not empty.")

    def _new_job(self, target: Target, user: str | None, began: float = 0.0) -> Job:
        start_time = self.clock.now() - timedelta(seconds=began)
        return Job(
            job_id=self.job_book.new_id(start_time, self.release.build),
            release=self.release,
            target=target,
            start_time=start_time,
            started=self.moment - began,
            duration=self.job_duration,
            curve=self.curve,
            user=user,
        )

    def _apply_standing_faults(self) -> None:
        expiry = self.faults.named("session-expires-after")
        if expiry is not None and expiry.seconds is not None:
            self.sessions.lifetime = expiry.seconds
        busy = self.faults.named("busy")
        if busy is not None and not busy.struck:
            busy.struck = 1
            scheme = "sftp" if "SFTP" in self.release.location_types else "ftp"
            target = Target(scheme.upper(), f"{scheme}://other.example.com/vcenter", "other", ("common", "seat"))
            job = self._new_job(target, "other-admin@vsphere.local", began=BUSY_BEFORE)
            job.duration = BUSY_BEFORE + (BUSY_AFTER if busy.seconds is None else busy.seconds)
            self.jobs.append(job)

    def _percent(self, fault_name: str) -> int | None:
        fault = self.faults.named(fault_name)
        return fault.percent if fault else None

    def _save(self, job: Job) -> None:
        if self.store is None:
            return
        try:
            self.store.save(job, self.host)
        except OSError as error:
            text = f"{error.strerror or error}"
            job.fail_at, job.fail_messages = 100, (message("com.vmware.applmgmt.backup_restore.write", text),)

    def _outage(self) -> Answer | None:
        """Return what a rebooting appliance does: first nobody listens, then the proxy is up and nothing behind it."""
        for job in self.jobs:
            if job.reboot is not None and job.reboot[0] <= self.moment < job.reboot[1]:
                listens = self.moment >= sum(job.reboot) / 2
                page = html(503, "Service Unavailable")
                return page if listens else Answer(0, delivery=Delivery(refused=True))
        return None

    def _struck(self, request: Request, match: Match | None, phase: str) -> Answer:
        """Return the answer with the faults of its phase worked in."""
        strike = self.faults.strike(phase)
        family = family_of(request.path)[0]
        answer = self._replaced(strike, family) if strike.instead else self._serve(request, match, family)
        if strike.spoil == "empty":
            answer = Answer(answer.status, answer.headers)
        elif strike.spoil == "bad-json":
            answer = Answer(answer.status, answer.headers, b'{"value": {"state": "INPRO')
        lost = strike.spoil == "lost-create-answer" or answer.delivery.lost
        delivery = Delivery(delay=strike.delay, seconds_per_byte=1.0 if strike.trickle else 0.0, lost=lost)
        return answer if delivery == AT_ONCE else Answer(answer.status, answer.headers, answer.body, delivery)

    def _replaced(self, strike: Strike, family: Family | None) -> Answer:
        if strike.instead == "html-503":
            return html(503, "Service Unavailable")
        if strike.instead == "redirect":
            found = html(302, "Found")
            return Answer(302, (*found.headers, ("Location", f"https://{self.host}/ui/login")), found.body)
        if strike.instead == "http-503":
            text = "Service unavailable."
            cause = message("com.vmware.vapi.endpoint.cis.ServiceUnavailable", text)
            return refusal(family or REST, RefusedError("service_unavailable", cause), self.release)
        return Answer(0, delivery=Delivery(lost=True))

    def _serve(self, request: Request, match: Match | None, family: Family | None) -> Answer:
        """Check in the appliance's order: is it routed, is the body JSON, who asks, may they, is the body right."""
        if match is None or family is None:
            return no_such_path(family, self.release)
        try:
            value = self._call(request, match, family)
        except RefusedError as refused:
            return refusal(family, refused, self.release)
        if isinstance(value, Answer):
            return value
        return result(family, value, request.method)

    def _call(self, request: Request, match: Match, family: Family) -> object:
        route = match.route
        body = None
        if request.method in {"POST", "PUT", "PATCH"}:
            body = decode_body(request.body, request.headers.get("content-type", ""))
        user = "" if route.public else self._user(request, route)
        fields = {}
        if route.body is not None:
            fields = unwrap(body, route.wrapper if family == REST else "", route.body, self.release)
        return route.handler(self, Call(request, family, user, match.path, query_of(request), fields))

    def _user(self, request: Request, route: Route) -> str:
        headers = request.headers
        if not self.basic:
            headers = {name: value for name, value in headers.items() if name != "authorization"}
        user = self.sessions.user_of(headers)
        if user is None:
            raise session_operations.unauthenticated()
        if self.faults.named("forbidden", route.phase):
            text = "User needs to have operator privileges."
            raise RefusedError("unauthorized", message("com.vmware.appliance.unauthorized", text))
        return user
