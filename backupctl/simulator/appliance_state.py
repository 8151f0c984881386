"""The state of one appliance, a function of the clock: jobs, schedules, archives, restore, sessions, settings.

It knows nothing of requests; what they do with it is in the modules of the operations.
"""

import functools
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict

from backupctl.clock import Clock
from backupctl.errors import UsageError
from backupctl.simulator import database_health
from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.archive_stores import ArchiveStore, CombinedArchiveStore
from backupctl.simulator.backup_runs import BackupRegistry, BackupRun, BackupSpec, JobType
from backupctl.simulator.faults import FaultPlan
from backupctl.simulator.history import past_jobs, past_schedule
from backupctl.simulator.http_messages import RecordedRequest, Response
from backupctl.simulator.progress_curves import Curve, curve_named
from backupctl.simulator.releases import Release, release_named
from backupctl.simulator.restore_runs import ReconciliationRun, RestoreRun, Stage
from backupctl.simulator.schedule_entries import ScheduleRegistry
from backupctl.simulator.simulated_runs import FAILED_MESSAGES, SimulatedRun
from backupctl.simulator.user_sessions import SessionRegistry

BUSY_BEFORE = 5 * 60.0
"""The job of somebody else (fault ``busy``) began this many seconds before the appliance did."""

BUSY_AFTER = 25 * 60.0
"""And it runs for this many seconds more, unless the fault says how long."""

MOST_REQUESTS_KEPT = 10_000

RESTORE_LONGER = 2.0
"""A restore takes so many times as long as a backup, a reconciliation half as long."""

LOCATION_NOT_EMPTY = message(
    "com.vmware.applmgmt.backup_restore.location_not_empty", "The backup location is not empty."
)
"""What 6.5 says about a folder that is not empty; text and id are UNCONFIRMED."""


class _Timing(TypedDict):
    start_time: datetime
    started: float
    duration: float
    curve: Curve


class ApplianceState:
    """What an appliance is and has; not thread-safe.

    ``release`` is a name such as ``8.0`` or a ``Release``; ``job_duration`` in seconds; ``faults`` as
    ``KIND[=VALUE][@PHASE]``; ``fresh``: deployed and not yet configured, so that it can be restored and nothing else.
    ``requests_kept`` bounds how many requests are remembered. Raises ``UsageError`` for what it does not know.
    """

    restore: RestoreRun | None = None
    reconciliation: ReconciliationRun | None = None
    requests_seen = 0

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
        store: ArchiveStore | None = None,
        basic: bool = True,
        secure_cookies: bool = True,
        fresh: bool = False,
        requests_kept: int = MOST_REQUESTS_KEPT,
    ) -> None:
        if job_duration <= 0:
            raise UsageError("the duration of a simulated job must be more than 0 seconds")
        self.clock = clock
        self.release = release_named(release) if isinstance(release, str) else release
        self.host = host
        self.job_duration = job_duration
        self.curve = curve_named(progress)
        self.faults = FaultPlan(faults)
        self.basic = basic
        self.secure_cookies = secure_cookies
        self.sessions = SessionRegistry(clock, username, password, sso=not fresh)
        self.backups = BackupRegistry()
        self.schedule_book = ScheduleRegistry()
        self.health_settings = dict.fromkeys(database_health.SWITCHES.values(), True)
        self.stage: Stage = "fresh" if fresh else "configured"
        self.reboots: list[tuple[float, float]] = []  # from and to, in seconds of the monotonic clock
        self.requests: deque[RecordedRequest] = deque(maxlen=requests_kept)
        self.archives = CombinedArchiveStore(store)
        if history:
            self._remember()
        self._apply_standing_faults()

    @functools.cached_property
    def downloads(self) -> dict[str, Response]:
        """What is there for anybody who asks, by its path."""
        return {}

    @property
    def moment(self) -> float:
        """The monotonic time, in seconds."""
        return self.clock.monotonic()

    @property
    def jobs(self) -> list[BackupRun]:
        """All jobs, oldest first."""
        return self.backups.runs

    @property
    def open_sessions(self) -> int:
        """How many sessions are open now."""
        return len(self.sessions)

    @property
    def failed_logins(self) -> int:
        """How many times wrong credentials were shown; a real vCenter locks an account after about five."""
        return self.sessions.failed_logins

    @property
    def database_status(self) -> str:
        """How healthy the database says it is; from 9.0 on nothing looks at it."""
        fault = self.faults.find("db-health")
        return fault.choice if fault and "database-check" in self.release.features else database_health.HEALTHY

    def record(self, request: RecordedRequest) -> None:
        """Remember a request among the last ones, and count it."""
        self.requests.append(request)
        self.requests_seen += 1

    def inject(self, fault: str) -> None:
        """Add a fault from now on; those of a job (``fail-at`` and such) apply to jobs that start later."""
        self.faults.add(fault)
        self._apply_standing_faults()

    def advance(self) -> None:
        """Bring about what the clock has made due: scheduled runs, what follows from the end of jobs, reboots."""
        now, moment = self.clock.now(), self.moment
        for due, schedule in self.schedule_book.take_due(now):
            at = moment - (now - due).total_seconds()
            self._settle(at)
            if not self.is_busy(at):
                self.start_backup(schedule.backup_spec(), user=None, job_type="SCHEDULED", at=at)
        self._settle(moment)
        for begin, end in self.reboots:
            if moment >= begin:
                self.sessions.close_before(end)
        self.reboots = [reboot for reboot in self.reboots if moment < reboot[1]]

    def is_busy(self, moment: float) -> bool:
        """Say whether a backup, a restore or a reconciliation runs: an appliance does one at a time."""
        others: tuple[SimulatedRun | None, ...] = (self.restore, self.reconciliation)
        return self.backups.running(moment) is not None or any(run and not run.ended(moment) for run in others)

    def start_backup(
        self, spec: BackupSpec, *, user: str | None, job_type: JobType = "MANUAL", at: float | None = None
    ) -> BackupRun:
        """Start a backup, now or ``at`` an earlier moment (monotonic seconds)."""
        used = self.location_is_used(spec.location)
        job = self._new_job(spec, user, began=0.0 if at is None else self.moment - at)
        job.job_type = job_type
        self._afflict(job)
        if self.database_status != database_health.HEALTHY and self.health_settings[database_health.SWITCHES[job_type]]:
            self._fail(job, database_health.FAILS_AT_PERCENT, database_health.failure(self.database_status))
        if used:
            self._fail(job, 1, LOCATION_NOT_EMPTY, *FAILED_MESSAGES)
        self._plan_reboot(job)
        self.backups.add(job)
        return job

    def start_restore(self, parts: tuple[str, ...] | None, warnings: list[Message]) -> RestoreRun:
        """Start a restore, which warnings fail at once."""
        self.restore = RestoreRun(**self._timing(0.0, RESTORE_LONGER), parts=parts)
        self._afflict(self.restore)
        if warnings:
            self._fail(self.restore, 0, *warnings)
        return self.restore

    def start_reconciliation(self) -> ReconciliationRun:
        """Start a reconciliation."""
        self.reconciliation = ReconciliationRun(**self._timing(0.0, 1 / RESTORE_LONGER))
        return self.reconciliation

    def location_is_used(self, location: str) -> bool:
        """Say whether a folder cannot be taken because it holds a backup: 6.5 wants an empty or new one each time."""
        if "vcenter-folder" in self.release.features:
            return False
        done = (job for job in self.jobs if job.spec.location.rstrip("/") == location.rstrip("/"))
        return any((end := job.ended(self.moment)) and end.state == "SUCCEEDED" for job in done)

    def _settle(self, moment: float) -> None:
        """Do what follows from the ends of jobs up to ``moment``: archives, retention, an appliance in service."""
        for job, end in self.backups.take_ended(moment):
            if end.state == "SUCCEEDED":
                self._archive(job)
        end_of_restore = self.restore.ended(moment) if self.restore and self.stage == "fresh" else None
        if end_of_restore and end_of_restore.state == "SUCCEEDED":
            self.stage = "restored"
            self.sessions.sso = True

    def _archive(self, job: BackupRun) -> None:
        try:
            self.archives.save(job, self.host)
        except OSError as error:
            self._fail(job, 100, message("com.vmware.applmgmt.backup_restore.write", f"{error.strerror or error}"))
            return
        kept = [schedule.retained for schedule in self.schedule_book.schedules.values()]
        if job.job_type == "SCHEDULED" and kept and kept[0] is not None:
            self.archives.delete_old(job, self.host, kept[0])

    def _timing(self, began: float, longer: float = 1.0) -> _Timing:
        """Return the times of a run that began some seconds ago."""
        return {
            "start_time": self.clock.now() - timedelta(seconds=began),
            "started": self.moment - began,
            "duration": self.job_duration * longer,
            "curve": self.curve,
        }

    def _new_job(self, spec: BackupSpec, user: str | None, began: float) -> BackupRun:
        timing = self._timing(began)
        job_id = self.backups.new_id(timing["start_time"], self.release.build)
        return BackupRun(**timing, job_id=job_id, release=self.release, spec=spec, user=user)

    def _afflict(self, run: SimulatedRun) -> None:
        """Work the faults of jobs into a run."""
        fail, stall = self.faults.find("fail-at"), self.faults.find("stall-at")
        run.fail_at = fail.percent if fail else None
        run.stall_at = stall.percent if stall else None

    @staticmethod
    def _fail(run: SimulatedRun, percent: int, *messages: Message) -> None:
        """Let a run fail at a percent, unless it fails before."""
        if run.fail_at is None or run.fail_at > percent:
            run.fail_at, run.fail_messages = percent, messages

    def _plan_reboot(self, job: BackupRun) -> None:
        reboot = self.faults.find("reboot-at")
        if reboot is not None:
            begin = job.started + job.duration * job.curve.first_time_of(reboot.percent or 0)
            end = job.planned_end()
            if end is None or job.started + end.seconds > begin:
                self.reboots.append((begin, begin + (reboot.seconds or 0.0)))

    def _apply_standing_faults(self) -> None:
        expiry = self.faults.find("session-expires-after")
        if expiry is not None and expiry.seconds is not None:
            self.sessions.lifetime = expiry.seconds
        busy = self.faults.find("busy")
        if busy is not None and not busy.affected:
            busy.affected = 1
            scheme = "sftp" if "SFTP" in self.release.location_types else "ftp"
            spec = BackupSpec(scheme.upper(), f"{scheme}://other.example.com/vcenter", "other", ("common", "seat"))
            job = self._new_job(spec, "other-admin@vsphere.local", began=BUSY_BEFORE)
            job.duration = BUSY_BEFORE + (BUSY_AFTER if busy.seconds is None else busy.seconds)
            self.backups.add(job)

    def _remember(self) -> None:
        """Give the appliance a past; a fresh one only finds the archives of its predecessor."""
        for job in past_jobs(self.clock, self.release, self.sessions.username, self.backups):
            if self.stage != "fresh":
                self.backups.add(job, past=True)
            end = job.planned_end()
            if end and end.state == "SUCCEEDED":
                self.archives.save_past(job, self.host)
        if self.stage != "fresh" and "schedules" in self.release.features:
            now = self.clock.now()
            self.schedule_book.create("default", past_schedule(now, self.release), now)
