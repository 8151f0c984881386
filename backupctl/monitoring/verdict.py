"""The verdict of the monitoring plugin: whether there is a fresh backup, and what is odd about the backups."""

from collections.abc import Callable, Iterator
from datetime import datetime
from statistics import median
from typing import Final, Literal

import msgspec

from backupctl.exit_codes import PLUGIN_CODES, ServiceState
from backupctl.formatting import duration, duration_option, percent, plural, relative, size
from backupctl.results.backup_history import BackupHistory
from backupctl.results.job import Job
from backupctl.results.verdict_results import Metric, Verdict

MIN_EARLIER_SIZES: Final = 3
"""How many earlier sizes a median needs."""
CLOCK_SKEW_SECONDS: Final = 3600
"""A backup that ended later than this in the future proves that a clock is wrong."""
MAX_MESSAGE_LENGTH: Final = 160

_OK, _WARNING, _CRITICAL, _UNKNOWN = ServiceState
_Problems = Iterator[tuple[ServiceState, str]]


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """What is demanded of the backups: seconds, bytes, and percent for ``size_deviation``; None is not checked."""

    warning: float
    critical: float
    type: str
    last_result: str
    min_size: float | None
    size_deviation: float | None
    max_running: float | None
    schedule: str
    grace: float


class _Evidence:
    """A history as the rules see it: ``jobs`` have the wanted type, ``success`` is the newest one."""

    def __init__(self, history: BackupHistory, limits: Thresholds, installed: datetime | None) -> None:
        self.history, self.limits = history, limits
        any_type = limits.type == "any" or not history.has_details
        self.kind = "backup" if any_type else f"{limits.type} backup"
        self.jobs = [job for job in history.jobs if any_type or job.type == limits.type.upper()]
        self.last = next((job for job in self.jobs if job.ended), None)
        successes = [job for job in self.jobs if job.succeeded and _end(job)]
        self.success = next(iter(successes), None)
        self.age = self.since(_end(self.success)) if self.success else None
        self.size = self.success.size_bytes if self.success else None
        self.earlier_sizes = [job.size_bytes for job in successes[1:] if job.size_bytes is not None]
        self.running = next((job for job in history.jobs if not job.ended), None)
        self.running_seconds = (self.since(self.running.start_time) if self.running else None) or 0
        starts = [job.start_time for job in history.jobs if job.start_time]
        self.since_first_job = self.since(min(starts, default=installed))

    def since(self, time: datetime | None) -> int | None:
        """Return the seconds since a time, negative for one in the future."""
        return None if time is None else int((self.history.read_at - time).total_seconds())


def judge(history: BackupHistory, limits: Thresholds, installed: datetime | None = None) -> Verdict:
    """Return the verdict about a history, at the time when it was read; ``installed`` is when the appliance was."""
    seen = _Evidence(history, limits, installed)
    found = [problem for rule in _RULES for problem in rule(seen)]
    problems = sorted(found, key=lambda problem: PLUGIN_CODES.severity.index(problem[0]))
    texts = tuple(text for _, text in problems)
    return Verdict(
        state=PLUGIN_CODES.overall(state for state, _ in problems),
        summary="; ".join([*texts, *_description(seen)]),
        problems=texts,
        metrics=_metrics(seen),
    )


def _without_success(seen: _Evidence) -> _Problems:
    if seen.success is None and seen.history.unreadable:
        unreadable = plural(len(seen.history.unreadable), "job")
        yield _UNKNOWN, f"no {seen.kind} is known to have succeeded; {unreadable} cannot be read"
    elif seen.success is None:
        is_new = seen.since_first_job is not None and seen.since_first_job < seen.limits.grace
        text = f"no {seen.kind} {'succeeded yet' if seen.jobs else 'yet'}"
        yield (_WARNING, f"{text} (new appliance)") if is_new else (_CRITICAL, text)


def _age(seen: _Evidence) -> _Problems:
    if seen.age is not None and seen.age > seen.limits.warning:
        state, limit = (_WARNING, seen.limits.warning)
        if seen.age > seen.limits.critical:
            state, limit = (_CRITICAL, seen.limits.critical)
        yield state, f"no {seen.kind} succeeded for more than {duration_option(limit)}"
    if seen.age is not None and seen.age < -CLOCK_SKEW_SECONDS:
        yield _UNKNOWN, "the last success is in the future; check the clocks"
    if seen.limits.type != "any" and not seen.history.has_details:
        yield _UNKNOWN, f"cannot tell which backups are {seen.limits.type}"


def _last_result(seen: _Evidence) -> _Problems:
    if seen.last is None or seen.last.succeeded or seen.limits.last_result == "ignore":
        return
    when, at, messages = _end(seen.last), seen.last.progress, seen.last.messages
    text = f"last {seen.kind} failed" + (f" {relative(when, seen.history.read_at)}" if when else "")
    text += "" if at is None else f" at {percent(at)}"
    text += f": {messages[-1].default_message[:MAX_MESSAGE_LENGTH].rstrip('. ')}" if messages else ""
    yield ServiceState[seen.limits.last_result.upper()], text


def _size(seen: _Evidence) -> _Problems:
    least, most = seen.limits.min_size, seen.limits.size_deviation
    if seen.size is not None and least is not None and seen.size < least:
        yield _CRITICAL, f"size {size(seen.size)} is below {size(least)}"
    if seen.size is not None and most is not None and len(seen.earlier_sizes) >= MIN_EARLIER_SIZES:
        usual = median(seen.earlier_sizes)
        change = 100 * (seen.size - usual) / usual if usual else 0.0
        if abs(change) > most:
            side = "above" if change > 0 else "below"
            yield _WARNING, f"size {size(seen.size)} is {percent(abs(change))} {side} the usual {size(usual)}"


def _running_time(seen: _Evidence) -> _Problems:
    limit = seen.limits.max_running
    if limit is not None and seen.running_seconds > limit:
        yield _WARNING, f"running for longer than {duration_option(limit)}"


def _schedule(seen: _Evidence) -> _Problems:
    schedules, error = seen.history.schedules, seen.history.schedules_error
    if seen.limits.schedule == "optional" or any(each.enable is not False for each in schedules or ()):
        return
    if error:
        yield _UNKNOWN, error
    else:
        yield _WARNING, "the schedule is disabled" if schedules else "there is no schedule"


_RULES: Final[tuple[Callable[[_Evidence], _Problems], ...]] = (
    *(_without_success, _age, _last_result, _size, _running_time, _schedule),
)
"""Each looks at one thing; the most severe problem is the state."""


def _description(seen: _Evidence) -> Iterator[str]:
    """Yield what is known, whatever the state is."""
    if seen.success is not None and (end := _end(seen.success)):
        facts = [] if seen.size is None else [size(seen.size)]
        facts += [f"in {duration(took)}"] if (took := seen.success.duration_seconds) is not None else []
        yield f"last success {relative(end, seen.history.read_at)}" + (f" ({' '.join(facts)})" if facts else "")
    if seen.running is not None:
        at = seen.running.progress
        yield f"running for {duration(seen.running_seconds)}" + ("" if at is None else f" ({percent(at)})")
    if not seen.history.has_details:
        yield "age and state only: no job details"
    if seen.history.unreadable and seen.success is not None:
        yield f"{plural(len(seen.history.unreadable), 'job')} cannot be read"


def _metrics(seen: _Evidence) -> dict[str, Metric]:
    """Return what is known in numbers."""
    limits, took = seen.limits, seen.success.duration_seconds if seen.success else None
    age, running = None if seen.age is None else max(0, seen.age), max(0, seen.running_seconds)
    values: dict[str, tuple[int | None, Literal["s", "B"], float | None, float | None]] = {
        "age": (age, "s", limits.warning, limits.critical),
        "size": (seen.size, "B", None, limits.min_size),
        "duration": (took, "s", None, None),
        "running": (running, "s", limits.max_running, None),
    }
    return {
        name: Metric(value=value, unit=unit, warning=_range(warning, unit), critical=_range(critical, unit))
        for name, (value, unit, warning, critical) in values.items()
        if value is not None
    }


def _range(limit: float | None, unit: str) -> str | None:
    """Return the range of good values: up to a limit in seconds, or from one in bytes."""
    return None if limit is None else f"{limit:.0f}{':' if unit == 'B' else ''}"


def _end(job: Job) -> datetime | None:
    """Return when a job ended, as well as it is known."""
    return job.end_time or job.start_time
