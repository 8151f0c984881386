"""Following a job to its end: ``Follower`` interprets the responses, and ``follow`` is the task that polls.

The state of the job decides, never its progress. The job runs on the appliance, whatever happens to this process. So
following survives lost connections, 5xx responses, an expired session and a reboot, and an interruption only detaches.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from backupctl.formatting import duration_option
from backupctl.operations import job_conversion, jobs
from backupctl.operations.outcome import Outcome
from backupctl.operations.poll_interval import PollSchedule
from backupctl.operations.time_left import TimeLeft
from backupctl.results.events import Progressed, Recovered, Retrying, RunEvent, Warned
from backupctl.results.job import Job
from backupctl.rules.hints import known_failure
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import Backoff
from backupctl.scheduler.task import Task, Wait, attempt, response_deadline

_LOG_HINT: Final = "see /var/log/vmware/applmgmt/backup.log on the appliance"
_LOG_FOLDER_HINT: Final = "see the logs in /var/log/vmware/applmgmt on the appliance"

NOT_FOUND_GRACE_SECONDS: Final = 300.0
"""How long the appliance may not know a job that it knew before, as happens while its services start."""

_MAX_RESPONSE_SECONDS: Final = 60.0
"""How long a request takes at most, including a login if the session has expired."""

_SUSPENSION_SECONDS: Final = 30.0
"""A request that takes this much longer than its limit means that this process was suspended meanwhile."""

REPEATED_ERROR_SECONDS: Final = 900.0
"""An error of the same type within this time of the last one is not shown again."""

HEARTBEAT_SECONDS: Final = 300.0
"""How often an unchanged job is shown."""

_FINAL_DETAILS_SECONDS: Final = 10.0
"""How long reading the details of a job that has ended is retried."""


class Timeouts(msgspec.Struct, frozen=True):
    """How long to follow a job: in all, and without any change; and the seconds between polls (None: adaptive)."""

    timeout: float = 24 * 3600.0
    stall_timeout: float = 2 * 3600.0
    interval: float | None = None


class Update(msgspec.Struct, frozen=True):
    """The result of one response: the events to show, and the outcome if following has ended."""

    events: tuple[RunEvent, ...] = ()
    end: Outcome[Job] | None = None


@dataclass
class Follower:
    """A state machine that interprets the responses about one job; no I/O and no clock. Times are monotonic seconds."""

    appliance_name: str
    job: Job
    timeouts: Timeouts
    deadline: float
    now: float
    poll_schedule: PollSchedule = field(init=False)
    time_left: TimeLeft = field(init=False)
    next_poll_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.poll_schedule = PollSchedule(self.timeouts.interval)
        self.time_left = TimeLeft(self.now)
        self._backoff = Backoff()
        self._last_activity = self._shown_at = self.now
        self._not_found_since: float | None = None
        self._last_errors: dict[type[BackupctlError], float] = {}
        self._error_shown = self._poll_repeated = False
        self.poll_schedule.observe(self.now, self.job.progress)
        self._schedule_poll(self.now, self.poll_schedule.next_interval(self.now))

    def should_repeat_poll(self, sent_at: float, now: float, answer: Job | BackupctlError) -> bool:
        """Return whether to poll again at once, because this process was suspended since ``sent_at``.

        A missing response then says nothing about the appliance, and a deadline may have passed meanwhile. So the
        appliance is asked once more before the deadline counts. Only once, because the appliance may just be slow.
        """
        limit = min(response_deadline(sent_at, self.deadline), sent_at + _MAX_RESPONSE_SECONDS)
        was_suspended = now > limit + _SUSPENSION_SECONDS and isinstance(answer, ApplianceUnreachableError)
        self._poll_repeated = was_suspended and not self._poll_repeated
        if self._poll_repeated:
            self.next_poll_at = now
        return self._poll_repeated

    def update(self, now: float, time: datetime, answer: Job | BackupctlError) -> Update:
        """Process a response: the job as it is now, or the error of reading it."""
        self.poll_schedule.observe(now, answer.progress if isinstance(answer, Job) else None)
        return self._handle_job(now, time, answer) if isinstance(answer, Job) else self._handle_error(now, answer)

    def _handle_job(self, now: float, time: datetime, job: Job) -> Update:
        events: list[RunEvent] = []
        if self._error_shown:
            events.append(Recovered())
        self._error_shown = False
        self._backoff, self._not_found_since = Backoff(), None
        changed = _activity(job) != _activity(self.job)
        self.time_left.observe(now, job)
        expected_end = None if job.ended else self.time_left.expected_end(now, time)
        usual = self.time_left.usual and round(self.time_left.usual.median)
        self.job = job = msgspec.structs.replace(job, expected_end=expected_end, usual_duration_seconds=usual)
        if changed:
            self._last_activity = now
        if changed or now - self._shown_at >= HEARTBEAT_SECONDS:
            self._shown_at = now
            events.append(Progressed(job=job))
        if job.ended:
            return Update(tuple(events), Outcome(job, None if job.succeeded else job_failure(self.appliance_name, job)))
        if message := self.time_left.long_run_warning(now):
            events.append(Warned(message=message))
        if timed_out := self._timeout_error(now, None):
            return Update(tuple(events), Outcome(job, timed_out))
        self._schedule_poll(now, self.poll_schedule.next_interval(now))
        return Update(tuple(events))

    def _handle_error(self, now: float, error: BackupctlError) -> Update:
        if _is_final(error):
            return Update(end=_gave_up(self.appliance_name, self.job, error))
        if isinstance(error, NotFoundError) and error.certain:
            self._not_found_since = now if self._not_found_since is None else self._not_found_since
            if now - self._not_found_since >= NOT_FOUND_GRACE_SECONDS:
                gone = BackupFailedError(
                    "$job disappeared from $server, perhaps in a reboot",
                    server=self.appliance_name,
                    job=self.job.id,
                    details=error.facts.details,
                )
                return Update(end=Outcome(self.job, gone))
        else:
            self._not_found_since = None
        events: tuple[RunEvent, ...] = ()
        if now - self._last_errors.get(type(error), -REPEATED_ERROR_SECONDS) >= REPEATED_ERROR_SECONDS:
            self._error_shown = True
            events = (Retrying(error=error),)
        self._last_errors[type(error)] = now
        if timed_out := self._timeout_error(now, error):
            return Update(events, Outcome(self.job, timed_out))
        self._schedule_poll(now, max(self._backoff.next_seconds(), self.poll_schedule.next_interval(now)))
        return Update(events)

    def _schedule_poll(self, now: float, seconds: float) -> None:
        self.next_poll_at = min(
            now + seconds, max(now, self.deadline), self._last_activity + self.timeouts.stall_timeout
        )

    def _timeout_error(self, now: float, error: BackupctlError | None) -> BackupctlError | None:
        stalled = now - self._last_activity >= self.timeouts.stall_timeout
        if now < self.deadline and not stalled:
            return None
        if error is not None:
            return ApplianceUnreachableError(
                "cannot read the state of $job on $server: $cause",
                server=self.appliance_name,
                job=self.job.id,
                cause=error,
                details=error.facts.details,
            )
        if now >= self.deadline:
            sentence = "timed out: $job is still running on $server"
            return TimedOutError(sentence, server=self.appliance_name, job=self.job.id)
        sentence = f"no progress for $1: $job on $server is stuck at {self.job.progress} %"
        stalled_for = (duration_option(self.timeouts.stall_timeout),)
        return StalledError(sentence, server=self.appliance_name, job=self.job.id, texts=stalled_for)


def job_failure(server: str, job: Job) -> BackupFailedError:
    """Return the error of a job that has ended without success, with a hint that fits its messages."""
    known = known_failure((message.default_message for message in job.messages), job.progress)
    log_hint = _LOG_HINT if job.has_id else _LOG_FOLDER_HINT
    return BackupFailedError(
        "$job on $server ended as $1",
        server=server,
        job=job.id,
        texts=(job.state,),
        reason=known.reason if known else None,
        hint=known.remedy if known else log_hint,
    )


def _activity(job: Job) -> tuple[object, ...]:
    """Return the fields whose change shows that the job is not stalled."""
    return job.state, job.progress, job.size_bytes, job.messages, job.step


def _is_final(error: BackupctlError) -> bool:
    """Return whether polling again is useless: the appliance itself refused, or its certificate is not trusted."""
    if isinstance(error, AuthenticationError | CertificateError):
        return True
    temporary = ApplianceUnreachableError | ServerFaultError | NotFoundError | NotSupportedError
    return error.certain and not error.retryable and not isinstance(error, temporary)


def follow(
    appliance: Appliance,
    job: Job,
    timeouts: Timeouts,
    *,
    deadline: float | None = None,
    fetch: "Callable[[Appliance, Follower], Task[Job | BackupctlError | Outcome[Job]]] | None" = None,
    on_interrupt: Callable[[Job, InterruptedRunError], Task[Outcome[Job]]] | None = None,
) -> Task[Outcome[Job]]:
    """Follow a running job to its end, and return the outcome.

    ``deadline`` (monotonic seconds) replaces ``timeouts.timeout`` from now. ``fetch`` reads a job that is not a backup,
    such as a restore. ``on_interrupt`` handles an interruption instead of detaching. Errors are part of the outcome.
    """
    clock = appliance.clock
    started = clock.monotonic()
    deadline = started + timeouts.timeout if deadline is None else deadline
    follower = Follower(appliance.name, job, timeouts, deadline, started)
    try:
        while True:
            yield Wait(follower.next_poll_at)
            sent_at = clock.monotonic()
            answer = yield from (fetch or _fetch)(appliance, follower)
            if isinstance(answer, Outcome):
                return answer
            if follower.should_repeat_poll(sent_at, clock.monotonic(), answer):
                continue
            update = follower.update(clock.monotonic(), clock.now(), answer)
            for event in update.events:
                appliance.emit(event)
            if update.end is not None:
                return _with_attach_command(appliance, update.end)
    except GeneratorExit:
        raise
    except InterruptedRunError as interruption:
        if on_interrupt is not None:
            return (yield from on_interrupt(follower.job, interruption))
        return detached_outcome(appliance, follower.job, interruption)
    except Exception as bug:  # noqa: BLE001 - the job is still running, so the result must name it
        return _with_attach_command(appliance, _gave_up(appliance.name, follower.job, BugError.of(bug)))


def _fetch(appliance: Appliance, follower: Follower) -> Task[Job | BackupctlError | Outcome[Job]]:
    """Return the job from its status; its details are read once a minute and at the end.

    The first time, those of all jobs are read, because the earlier ones tell how long a backup usually takes.

    Returns an outcome if the details contradict the success of the job.
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
    if not job.ended and not follower.time_left.has_learned:
        # The size and the step of this first moment are not shown: they would be out of date for a minute.
        durations = yield from jobs.earlier_durations(appliance, job.id)
        if durations is not None:
            follower.time_left.learn(durations)
        return job
    if not job.ended:
        return (yield from jobs.with_details(appliance, job, until=until))
    job, contradiction = yield from jobs.confirm_end(appliance, job, until=until, retry_seconds=_FINAL_DETAILS_SECONDS)
    return job if contradiction is None else Outcome(job, contradiction)


def detached_outcome(appliance: Appliance, job: Job, interruption: InterruptedRunError) -> Outcome[Job]:
    """Return the outcome of an interrupted run whose job is still running."""
    name = f"Backup {job.id}" if job.has_id else f"The {job.id}"
    error = InterruptedRunError(
        "Detached. $1 is still running on $server.",
        cause=interruption,
        texts=(name,),
        job=job.id,
        server=appliance.name,
        attach=appliance.attach(job.id),
    )
    return Outcome(job, error)


def _gave_up(server: str, job: Job, error: BackupctlError) -> Outcome[Job]:
    """Return the outcome when following ends because of an error; the job itself may still be running."""
    if job.ended:
        return Outcome(job, error)
    sentence = "$job was still running on $server at the last check"
    last_seen = ErrorFacts(sentence, server=server, job=job.id)
    return Outcome(job, error.with_facts(details=(*error.facts.details, last_seen)))


@contextmanager
def bug_while_starting(appliance: Appliance, job_id: str) -> Iterator[None]:
    """Add the command that follows a job to the error of a bug while it is started, because it may be running."""
    try:
        yield
    except BackupctlError:
        raise
    except Exception as bug:
        raise BugError.of(bug).with_facts(attach=appliance.attach(job_id), certain=False) from bug


def _with_attach_command(appliance: Appliance, end: Outcome[Job]) -> Outcome[Job]:
    """Add the command that follows the job again, unless the job has ended."""
    if end.error is not None and not end.value.ended and not isinstance(end.error, BackupFailedError):
        return Outcome(end.value, end.error.with_facts(attach=appliance.attach(end.value.id)))
    return end
