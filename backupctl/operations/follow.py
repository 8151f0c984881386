"""Following a job to its end: a state machine that judges answers, and the task that asks for them.

The state of the job decides, never its progress. A job that runs on the appliance goes on whatever happens to this
program, so following outlives drops, 5xx, a new login and a reboot, and an interruption only detaches.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from backupctl.error_facts import ErrorFacts
from backupctl.errors import (
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    BackupFailedError,
    BugError,
    CertificateError,
    InterruptedRunError,
    NotFoundError,
    NotSupportedError,
    ServerFaultError,
    StalledError,
    TimedOutError,
)
from backupctl.operations import job_conversion, jobs
from backupctl.operations.outcome import Outcome
from backupctl.operations.poll_interval import PollSchedule
from backupctl.results.events import Progressed, Recovered, Retrying, RunEvent
from backupctl.results.job import RECONCILIATION_ID, RESTORE_ID, Job
from backupctl.rules.hints import hint_for
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Backoff, Task, Wait, attempt, response_deadline

_LOG_HINT: Final = "the appliance's log has more: /var/log/vmware/applmgmt/backup.log"
_LOG_FOLDER_HINT: Final = "the appliance's logs in /var/log/vmware/applmgmt have more"

NOT_FOUND_GRACE_SECONDS: Final = 300.0
"""How long a job that was seen may be unknown to the appliance, as it is while its services start."""

_MAX_RESPONSE_SECONDS: Final = 60.0
"""How long a question takes at most, the login that it may need included."""

_SUSPENSION_SECONDS: Final = 30.0
"""What a question may take beyond that; after more, this process stood still while it waited."""

REPEATED_ERROR_SECONDS: Final = 900.0
"""A kind of trouble that comes back after less than this is not told again."""

HEARTBEAT_SECONDS: Final = 300.0
"""After this time without change the job is shown all the same."""

_FINAL_DETAILS_SECONDS: Final = 10.0
"""How long the details of a job that has ended are asked for again."""


class Timeouts(msgspec.Struct, frozen=True):
    """How long is waited: in all, without any sign of life, and (None: by the pace of the job) between polls."""

    timeout: float = 24 * 3600.0
    stall_timeout: float = 2 * 3600.0
    interval: float | None = None


class Update(msgspec.Struct, frozen=True):
    """What one answer means: events to show, and how following ended if it did."""

    events: tuple[RunEvent, ...] = ()
    end: Outcome[Job] | None = None


@dataclass
class Follower:
    """Judges one answer after the other; does no I/O and reads no clock. ``next_poll_at`` is monotonic seconds."""

    appliance_name: str
    host: str
    job: Job
    timeouts: Timeouts
    deadline: float
    now: float
    poll_schedule: PollSchedule = field(init=False)
    next_poll_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.poll_schedule = PollSchedule(self.timeouts.interval)
        self._backoff = Backoff()
        self._last_activity = self._shown_at = self.now
        self._not_found_since: float | None = None
        self._last_errors: dict[type[BackupctlError], float] = {}
        self._error_shown = self._poll_repeated = False
        self.poll_schedule.observe(self.now, self.job.progress)
        self._schedule_poll(self.now, self.poll_schedule.next_interval(self.now))

    def should_repeat_poll(self, asked: float, now: float, answer: Job | BackupctlError) -> bool:
        """Whether an answer says nothing about the appliance, because this process stood still since it was ``asked``.

        The machine was suspended, or the process was stopped; deadlines may have passed meanwhile, and before they are
        judged the appliance gets its say. Once only, so that one that is very slow does not keep us for ever.
        """
        longest = min(response_deadline(asked, self.deadline), asked + _MAX_RESPONSE_SECONDS)
        stood_still = now > longest + _SUSPENSION_SECONDS and isinstance(answer, ApplianceUnreachableError)
        self._poll_repeated = stood_still and not self._poll_repeated
        if self._poll_repeated:
            self.next_poll_at = now
        return self._poll_repeated

    def update(self, now: float, time: datetime, answer: Job | BackupctlError) -> Update:
        """Take an answer, the job as it is now or why it could not be read, and say what it means."""
        self.poll_schedule.observe(now, answer.progress if isinstance(answer, Job) else None)
        return self._handle_job(now, time, answer) if isinstance(answer, Job) else self._handle_error(now, time, answer)

    def _handle_job(self, now: float, time: datetime, job: Job) -> Update:
        events: list[RunEvent] = []
        if self._error_shown:
            events.append(Recovered(time=time, server=self.appliance_name))
        self._error_shown = False
        self._backoff, self._not_found_since = Backoff(), None
        changed = _activity(job) != _activity(self.job)
        self.job = job
        if changed:
            self._last_activity = now
        if changed or now - self._shown_at >= HEARTBEAT_SECONDS:
            self._shown_at = now
            events.append(Progressed(time=time, server=self.appliance_name, job=job))
        if job.ended:
            return Update(tuple(events), Outcome(job, None if job.succeeded else job_failure(self.host, job)))
        if timed_out := self._timeout_error(now, None):
            return Update(tuple(events), Outcome(job, timed_out))
        self._schedule_poll(now, self.poll_schedule.next_interval(now))
        return Update(tuple(events))

    def _handle_error(self, now: float, time: datetime, error: BackupctlError) -> Update:
        if _is_final(error):
            return Update(end=_gave_up(self.host, self.job, error))
        if isinstance(error, NotFoundError) and error.certain:
            self._not_found_since = now if self._not_found_since is None else self._not_found_since
            if now - self._not_found_since >= NOT_FOUND_GRACE_SECONDS:
                gone = BackupFailedError(
                    "$server no longer knows $job: it was lost, perhaps in a reboot",
                    server=self.host,
                    job=self.job.id,
                    details=error.facts.details,
                )
                return Update(end=Outcome(self.job, gone))
        else:
            self._not_found_since = None
        events: tuple[RunEvent, ...] = ()
        if now - self._last_errors.get(type(error), -REPEATED_ERROR_SECONDS) >= REPEATED_ERROR_SECONDS:
            self._error_shown = True
            events = (Retrying(time=time, server=self.appliance_name, error=error),)
        self._last_errors[type(error)] = now
        if timed_out := self._timeout_error(now, error):
            return Update(events, Outcome(self.job, timed_out))
        self._schedule_poll(now, max(self._backoff.next_seconds(), self.poll_schedule.next_interval(now)))
        return Update(events)

    def _schedule_poll(self, now: float, gap: float) -> None:
        self.next_poll_at = min(now + gap, max(now, self.deadline), self._last_activity + self.timeouts.stall_timeout)

    def _timeout_error(self, now: float, trouble: BackupctlError | None) -> BackupctlError | None:
        stalled = now - self._last_activity >= self.timeouts.stall_timeout
        if now < self.deadline and not stalled:
            return None
        if trouble is not None:
            return ApplianceUnreachableError(
                "$server did not say how $job goes on: $cause",
                server=self.host,
                job=self.job.id,
                cause=trouble,
                details=trouble.facts.details,
            )
        if now >= self.deadline:
            sentence = "$job on $server is still running; it goes on"
            return TimedOutError(sentence, server=self.host, job=self.job.id)
        sentence = f"$job on $server shows no sign of life: still at {self.job.progress} %"
        return StalledError(sentence, server=self.host, job=self.job.id)


def job_failure(host: str, job: Job) -> BackupFailedError:
    """Return the error of a job that has ended without success, with what is known about its messages."""
    log_hint = _LOG_FOLDER_HINT if job.id in {RESTORE_ID, RECONCILIATION_ID} else _LOG_HINT
    return BackupFailedError(
        f"$server says that $job ended as {job.state}",
        server=host,
        job=job.id,
        hint=hint_for((message.default_message for message in job.messages), job.progress) or log_hint,
    )


def _activity(job: Job) -> tuple[object, ...]:
    return job.state, job.progress, job.size_bytes, job.messages, job.step


def _is_final(error: BackupctlError) -> bool:
    """Whether asking again is of no use: the appliance itself refused, or TLS could not be trusted."""
    if isinstance(error, AuthenticationError | CertificateError):
        return True
    waits = ApplianceUnreachableError | ServerFaultError | NotFoundError | NotSupportedError
    return error.certain and not error.retryable and not isinstance(error, waits)


def follow(
    appliance: Appliance,
    job: Job,
    timeouts: Timeouts,
    *,
    deadline: float | None = None,
    fetch: "Callable[[Appliance, Follower], Task[Job | BackupctlError | Outcome[Job]]] | None" = None,
    on_interrupt: Callable[[Job, InterruptedRunError], Task[Outcome[Job]]] | None = None,
) -> Task[Outcome[Job]]:
    """Follow a job that was seen to its end; ``deadline`` (monotonic) wins over ``timeouts.timeout`` from now.

    ``fetch`` reads the job in another way than a backup's. An interruption detaches, unless ``on_interrupt`` does
    something else. Raises nothing but bugs.
    """
    clock = appliance.clock
    started = clock.monotonic()
    deadline = started + timeouts.timeout if deadline is None else deadline
    follower = Follower(appliance.name, appliance.host, job, timeouts, deadline, started)
    try:
        while True:
            yield Wait(follower.next_poll_at)
            asked = clock.monotonic()
            seen = yield from (fetch or _fetch)(appliance, follower)
            if isinstance(seen, Outcome):
                return seen
            if follower.should_repeat_poll(asked, clock.monotonic(), seen):
                continue
            step = follower.update(clock.monotonic(), clock.now(), seen)
            for event in step.events:
                appliance.emit(event)
            if step.end is not None:
                return _with_attach_command(appliance, step.end)
    except GeneratorExit:
        raise
    except InterruptedRunError as interruption:
        if on_interrupt is not None:
            return (yield from on_interrupt(follower.job, interruption))
        return detached_outcome(appliance, follower.job, interruption)
    except Exception as bug:  # noqa: BLE001 - the job goes on, and must not be lost from the result
        return _with_attach_command(appliance, _gave_up(appliance.host, follower.job, BugError.of(bug)))


def _fetch(appliance: Appliance, follower: Follower) -> Task[Job | BackupctlError | Outcome[Job]]:
    """Return the job as it is now: its status, and now and then, and at its end, its details.

    An end that status and details contradict each other about is returned as how following ended.
    """
    clock, job_id = appliance.clock, follower.job.id
    until = response_deadline(clock.monotonic(), follower.deadline)
    status = yield from attempt(partial(appliance.api.job, job_id), until=until, low_priority=True)
    if isinstance(status, BackupctlError):
        return status
    job = job_conversion.from_status(status, follower.job)
    now = clock.monotonic()
    if not job.ended and not follower.poll_schedule.details_due(now):
        return job
    follower.poll_schedule.observe_details(now)
    if not job.ended:
        return (yield from jobs.with_details(appliance, job, until=until))
    job, denial = yield from jobs.confirm_end(appliance, job, until=until, retry_seconds=_FINAL_DETAILS_SECONDS)
    return job if denial is None else Outcome(job, denial)


def detached_outcome(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Outcome[Job]:
    """Return how an interrupted run ends while the job goes on."""
    error = InterruptedRunError(
        "$cause: $job goes on on $server",
        cause=interruption,
        job=job.id,
        server=appliance.host,
        attach=appliance.attach(job.id),
    )
    return Outcome(job, error)


def _gave_up(host: str, job: Job, error: BackupctlError) -> Outcome[Job]:
    """Return how following ends where it is given up for a reason of its own: the job is not concerned by that."""
    if job.ended:
        return Outcome(job, error)
    sentence = "$job on $server was running when it was last seen, and goes on all the same"
    last_seen = ErrorFacts(sentence, server=host, job=job.id)
    return Outcome(job, error.with_facts(details=(*error.facts.details, last_seen)))


def _with_attach_command(appliance: Appliance, end: Outcome[Job]) -> Outcome[Job]:
    if end.error is not None and not end.value.ended and not isinstance(end.error, BackupFailedError):
        return Outcome(end.value, end.error.with_facts(attach=appliance.attach(end.value.id)))
    return end
