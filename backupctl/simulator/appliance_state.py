"""The state of one appliance: jobs, schedules, archives, restore, sessions and settings, advanced by the clock."""

import errno
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict

from backupctl.clock import Clock
from backupctl.errors import OutputError, UsageError
from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.archive_contents import DAMAGES
from backupctl.simulator.archive_directory import ArchiveDirectory
from backupctl.simulator.archive_store import ArchiveStore
from backupctl.simulator.backup_runs import LOCATION_NOT_EMPTY, BackupRegistry, BackupRun, BackupSpec, JobType
from backupctl.simulator.database_health import FAILS_AT_PERCENT, HEALTHY, SETTINGS, backup_failure
from backupctl.simulator.faults import FaultPlan
from backupctl.simulator.history import past_jobs, past_schedule
from backupctl.simulator.http_messages import RecordedRequest, Response
from backupctl.simulator.progress_curves import Curve, curve_named
from backupctl.simulator.releases import Release, release_named
from backupctl.simulator.restore_runs import ReconciliationRun, RestoreRun, Stage
from backupctl.simulator.schedule_entries import ScheduleRegistry
from backupctl.simulator.simulated_runs import FAILED_MESSAGES, SimulatedRun
from backupctl.simulator.user_sessions import DEFAULT_PASSWORD, DEFAULT_USERNAME, SessionRegistry

BUSY_BEFORE_SECONDS = 5 * 60.0
"""The job of the fault ``busy`` started this long before the appliance."""

BUSY_AFTER_SECONDS = 25 * 60.0
"""The job of the fault ``busy`` runs for this much longer, unless the fault has a duration."""

MAX_RECORDED_REQUESTS = 10_000

RESTORE_FACTOR = 2.0
"""Duration of a restore, in durations of a backup."""

RECONCILIATION_FACTOR = 0.5
"""Duration of a reconciliation, in durations of a backup."""


class _Timing(TypedDict):
    start_time: datetime
    started: float
    duration: float
    curve: Curve


class ApplianceState:
    """The state of one appliance; not thread-safe.

    ``release`` is a name such as ``8.0`` or a ``Release``. ``job_duration`` is in seconds. ``history`` adds past jobs
    and a schedule. ``faults`` are written ``KIND[=VALUE][@PHASE]``. Archives go to ``store``, by default to
    memory. ``basic``: accept Basic credentials on every request. ``fresh``: deployed but not configured, so it can be
    restored and not backed up. ``requests`` holds the last ``max_requests`` requests, ``downloads`` the public files
    by their paths.

    Raises ``UsageError``: for an unknown release, progress or fault, or a duration of 0. Raises ``OutputError``: when
    the archives of past jobs cannot be written.
    """

    restore: RestoreRun | None = None
    reconciliation: ReconciliationRun | None = None
    requests_seen = 0

    def __init__(
        self,
        clock: Clock,
        *,
        release: str | Release = "8.0",
        username: str = DEFAULT_USERNAME,
        password: str = DEFAULT_PASSWORD,
        host: str = "vcsa.simulator.test",
        job_duration: float = 20.0,
        progress: str = "linear",
        history: bool = False,
        faults: Iterable[str] = (),
        store: ArchiveDirectory | None = None,
        basic: bool = True,
        secure_cookies: bool = True,
        fresh: bool = False,
        max_requests: int = MAX_RECORDED_REQUESTS,
    ) -> None:
        if job_duration <= 0:
            raise UsageError("the job duration must be more than 0 s")
        self.clock = clock
        self.release = release_named(release) if isinstance(release, str) else release
        self.host = host
        self.job_duration = job_duration
        self.curve = curve_named(progress)
        self.faults = FaultPlan(faults)
        self.basic = basic
        self.secure_cookies = secure_cookies
        self.stage: Stage = "fresh" if fresh else "configured"
        self.sessions = SessionRegistry(clock, username, password, sso=not fresh)
        self.backups = BackupRegistry()
        self.schedules = ScheduleRegistry()
        self.archives = ArchiveStore(store)
        self.health_settings = dict.fromkeys(SETTINGS.values(), True)
        self.reboots: list[tuple[float, float]] = []  # begin and end, in seconds of the monotonic clock
        self.downloads: dict[str, Response] = {}
        self.requests: deque[RecordedRequest] = deque(maxlen=max_requests)
        if history:
            self._add_history()
        self._apply_lasting_faults()

    @property
    def moment(self) -> float:
        """The monotonic time, in seconds."""
        return self.clock.monotonic()

    @property
    def jobs(self) -> list[BackupRun]:
        """All backup jobs, oldest first."""
        return self.backups.runs

    @property
    def open_sessions(self) -> int:
        """The number of sessions that are open now."""
        return len(self.sessions.open_tokens)

    @property
    def failed_logins(self) -> int:
        """The number of times that wrong credentials were sent."""
        return self.sessions.failed_logins

    def set_time_zone(self, name: str) -> None:
        """Change the time zone; the schedule keeps its hour."""
        self.advance()
        self.schedules.set_time_zone(name, self.clock.now())

    @property
    def database_status(self) -> str:
        """The health of the database; from 9.0 on nothing checks it."""
        fault = self.faults.find("db-health")
        return fault.choice if fault and "database-check" in self.release.features else HEALTHY

    def record(self, request: RecordedRequest) -> None:
        """Record a request."""
        self.requests.append(request)
        self.requests_seen += 1

    def inject(self, fault: str) -> None:
        """Add a fault. A fault of jobs, such as ``fail-at``, affects only jobs that start later."""
        self.faults.add(fault)
        self._apply_lasting_faults()

    def advance(self) -> None:
        """Bring the state up to the time of the clock: due schedules, ended runs, reboots."""
        now, moment = self.clock.now(), self.moment
        for due, schedule in self.schedules.take_due(now):
            at = moment - (now - due).total_seconds()
            self._finish_runs(at)
            if not self.is_busy(at):
                self.start_backup(schedule.backup_spec(), user=None, job_type="SCHEDULED", at=at)
        self._finish_runs(moment)
        for begin, end in self.reboots:
            if moment >= begin:
                self.sessions.close_before(end)
        self.reboots = [reboot for reboot in self.reboots if moment < reboot[1]]

    def is_busy(self, moment: float) -> bool:
        """Return whether a backup, a restore or a reconciliation is running: an appliance runs one at a time."""
        others: tuple[SimulatedRun | None, ...] = (self.restore, self.reconciliation)
        return self.backups.running(moment) is not None or any(run and not run.ended(moment) for run in others)

    def start_backup(
        self, spec: BackupSpec, *, user: str | None, job_type: JobType = "MANUAL", at: float | None = None
    ) -> BackupRun:
        """Start a backup, now or ``at`` an earlier moment (monotonic seconds)."""
        used = self.location_is_used(spec.location)
        job = self._new_backup(spec, user, age=0.0 if at is None else self.moment - at)
        job.job_type = job_type
        job.damages = tuple(name for name in DAMAGES if self.faults.find(name))
        self._apply_faults(job)
        if self.database_status != HEALTHY and self.health_settings[SETTINGS[job_type]]:
            job.fail(FAILS_AT_PERCENT, backup_failure(self.database_status))
        if used:
            job.fail(1, LOCATION_NOT_EMPTY, *FAILED_MESSAGES)
        self._plan_reboot(job)
        self.backups.add(job)
        return job

    def start_restore(self, parts: tuple[str, ...] | None, warnings: list[Message]) -> RestoreRun:
        """Start a restore; with ``warnings`` it fails at once."""
        self.restore = RestoreRun(**self._timing(RESTORE_FACTOR), parts=parts)
        self._apply_faults(self.restore)
        if warnings:
            self.restore.fail(0, *warnings)
        return self.restore

    def start_reconciliation(self) -> ReconciliationRun:
        """Start a reconciliation."""
        self.reconciliation = ReconciliationRun(**self._timing(RECONCILIATION_FACTOR))
        return self.reconciliation

    def location_is_used(self, location: str) -> bool:
        """Return whether the folder holds a backup and the release needs an empty one, as 6.5 does."""
        if "vcenter-folder" in self.release.features:
            return False
        same = (job for job in self.jobs if job.spec.location.rstrip("/") == location.rstrip("/"))
        return any((end := job.ended(self.moment)) and end.state == "SUCCEEDED" for job in same)

    def _finish_runs(self, moment: float) -> None:
        """Apply the results of the runs that ended by ``moment``: archives, retention, the stage of the appliance."""
        for job, _ in self.backups.take_ended(moment):
            self._archive(job, moment)
        running = self.backups.running(moment)
        if running:
            self._archive(running, moment)
        restored = self.restore.ended(moment) if self.restore and self.stage == "fresh" else None
        if restored and restored.state == "SUCCEEDED":
            self.stage = "restored"
            self.sessions.sso = True

    def _archive(self, job: BackupRun, moment: float) -> None:
        end, percent = job.ended(moment), job.progress(moment)
        complete = end is not None and end.state == "SUCCEEDED"
        try:
            self.archives.write(job, self.host, percent, complete=complete)
        except OSError as error:
            job.fail(percent, message("com.vmware.applmgmt.backup_restore.write", f"{error.strerror or error}"))
            return
        max_counts = [schedule.max_count for schedule in self.schedules.entries.values()]
        if complete and job.job_type == "SCHEDULED" and max_counts and max_counts[0] is not None:
            self.archives.delete_old(job, self.host, max_counts[0])

    def _timing(self, factor: float = 1.0, age: float = 0.0) -> _Timing:
        """Return the timing of a run that started ``age`` seconds ago and takes ``factor`` job durations."""
        return {
            "start_time": self.clock.now() - timedelta(seconds=age),
            "started": self.moment - age,
            "duration": self.job_duration * factor,
            "curve": self.curve,
        }

    def _new_backup(self, spec: BackupSpec, user: str | None, age: float) -> BackupRun:
        timing = self._timing(age=age)
        job_id = self.backups.new_id(timing["start_time"], self.release.build)
        return BackupRun(**timing, job_id=job_id, release=self.release, spec=spec, user=user)

    def _apply_faults(self, run: SimulatedRun) -> None:
        fail, stall = self.faults.find("fail-at"), self.faults.find("stall-at")
        run.fail_at = fail.percent if fail else None
        run.stall_at = stall.percent if stall else None

    def _plan_reboot(self, job: BackupRun) -> None:
        reboot = self.faults.find("reboot-at")
        if reboot is not None:
            begin = job.started + job.duration * job.curve.first_time_of(reboot.percent or 0)
            end = job.planned_end()
            if end is None or job.started + end.seconds > begin:
                self.reboots.append((begin, begin + (reboot.seconds or 0.0)))

    def _apply_lasting_faults(self) -> None:
        expiry = self.faults.find("session-expires-after")
        if expiry is not None and expiry.seconds is not None:
            self.sessions.lifetime = expiry.seconds
        busy = self.faults.find("busy")
        if busy is not None and not busy.affected:
            busy.affected = 1
            scheme = self.release.scheme
            spec = BackupSpec(scheme.upper(), f"{scheme}://other.example.com/vcenter", "other", ("common", "seat"))
            job = self._new_backup(spec, "other-admin@vsphere.local", age=BUSY_BEFORE_SECONDS)
            job.duration = BUSY_BEFORE_SECONDS + (BUSY_AFTER_SECONDS if busy.seconds is None else busy.seconds)
            self.backups.add(job)

    def _add_history(self) -> None:
        """Add past jobs and a schedule; a fresh appliance gets only the archives, those of its predecessor."""
        for job in past_jobs(self.clock, self.release, self.sessions.username, self.backups, self.job_duration):
            if self.stage != "fresh":
                self.backups.add(job, past=True)
            self._archive_past(job)
        if self.stage != "fresh" and "schedules" in self.release.features:
            now = self.clock.now()
            self.schedules.create("default", past_schedule(now, self.release), now)

    def _archive_past(self, job: BackupRun) -> None:
        percent = 100 if job.fail_at is None else job.fail_at
        try:
            self.archives.write(job, self.host, percent, complete=job.fail_at is None)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:  # an earlier simulator may have written the same archive
                raise OutputError(f"cannot write to the store: {error.strerror or error}") from None
