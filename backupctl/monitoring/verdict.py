"""The verdict of the monitoring plugin: whether there is a fresh backup, and what is odd about the backups.

Each rule looks at one thing and returns a problem or None; the most severe problem is the state.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from statistics import median
from typing import Final, Literal, NamedTuple

import msgspec

from backupctl.exit_codes import PLUGIN_CODES, ServiceState
from backupctl.formatting import duration, duration_option, percent, plural, relative, size
from backupctl.results.backup_history import BackupHistory
from backupctl.results.job import Job
from backupctl.results.verdict_results import Metric, Verdict

MIN_EARLIER_SIZES: Final = 3
"""How many earlier sizes a median needs."""
CLOCK_SKEW_SECONDS: Final = 3600.0
"""A backup that ended later than this in the future proves that a clock is wrong."""
MAX_MESSAGE_LENGTH: Final = 160


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """What is demanded of the backups: times in seconds, sizes in bytes, ``size_deviation`` in percent.

    None is not checked.
    """

    warning: float
    critical: float
    type: str
    last_result: str
    min_size: float | None
    size_deviation: float | None
    max_running: float | None
    schedule: str
    grace: float


class _Problem(NamedTuple):
    state: ServiceState
    text: str


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
    found = [problem for rule in _RULES if (problem := rule(seen)) is not None]
    problems = sorted(found, key=lambda problem: PLUGIN_CODES.severity.index(problem.state))
    texts = tuple(problem.text for problem in problems)
    return Verdict(
        state=PLUGIN_CODES.overall(problem.state for problem in problems),
        summary="; ".join([*texts, *_description(seen)]),
        problems=texts,
        metrics=_metrics(seen),
    )


def _no_success(seen: _Evidence) -> _Problem | None:
    if seen.success is not None:
        return None
    if unreadable := seen.history.unreadable:
        return _Problem(ServiceState.UNKNOWN, f"no {seen.kind} is known; {plural(unreadable, 'job')} cannot be read")
    text = f"no {seen.kind} succeeded yet" if seen.jobs else f"no {seen.kind} yet"
    if seen.since_first_job is not None and seen.since_first_job < seen.limits.grace:
        return _Problem(ServiceState.WARNING, f"{text} (new appliance)")
    return _Problem(ServiceState.CRITICAL, text)


def _too_old(seen: _Evidence) -> _Problem | None:
    for state, limit in ((ServiceState.CRITICAL, seen.limits.critical), (ServiceState.WARNING, seen.limits.warning)):
        if seen.age is not None and seen.age > limit:
            return _Problem(state, f"no {seen.kind} succeeded for more than {duration_option(limit)}")
    return None


def _wrong_clock(seen: _Evidence) -> _Problem | None:
    if seen.age is None or seen.age >= -CLOCK_SKEW_SECONDS:
        return None
    return _Problem(ServiceState.UNKNOWN, "the last success is in the future; check the clocks")


def _unknown_type(seen: _Evidence) -> _Problem | None:
    if seen.limits.type == "any" or seen.history.has_details:
        return None
    return _Problem(ServiceState.UNKNOWN, f"cannot tell which backups are {seen.limits.type}")


def _failed(seen: _Evidence) -> _Problem | None:
    if seen.last is None or seen.last.succeeded or seen.limits.last_result == "ignore":
        return None
    when, at = _end(seen.last), seen.last.progress
    text = f"last {seen.kind} failed" + (f" {relative(when, seen.history.read_at)}" if when else "")
    text += "" if at is None else f" at {percent(at)}"
    message = next((each.default_message for each in reversed(seen.last.messages)), "")
    text += f": {message[:MAX_MESSAGE_LENGTH].rstrip('. ')}" if message else ""
    return _Problem(ServiceState[seen.limits.last_result.upper()], text)


def _too_small(seen: _Evidence) -> _Problem | None:
    limit = seen.limits.min_size
    if seen.size is None or limit is None or seen.size >= limit:
        return None
    return _Problem(ServiceState.CRITICAL, f"size {size(seen.size)} is below {size(limit)}")


def _odd_size(seen: _Evidence) -> _Problem | None:
    limit = seen.limits.size_deviation
    if seen.size is None or limit is None or len(seen.earlier_sizes) < MIN_EARLIER_SIZES:
        return None
    usual = median(seen.earlier_sizes)
    difference = 100 * (seen.size - usual) / usual if usual else 0.0
    if abs(difference) <= limit:
        return None
    change = f"{percent(abs(difference))} {'above' if difference > 0 else 'below'} the usual {size(usual)}"
    return _Problem(ServiceState.WARNING, f"size {size(seen.size)} is {change}")


def _running_too_long(seen: _Evidence) -> _Problem | None:
    limit = seen.limits.max_running
    if limit is None or seen.running_seconds <= limit:
        return None
    return _Problem(ServiceState.WARNING, f"{_running(seen)}, longer than {duration_option(limit)}")


def _no_schedule(seen: _Evidence) -> _Problem | None:
    schedules = seen.history.schedules
    if seen.limits.schedule != "required" or any(each.enable is not False for each in schedules or ()):
        return None
    if seen.history.schedules_error:
        return _Problem(ServiceState.UNKNOWN, f"schedules cannot be read: {seen.history.schedules_error}")
    return _Problem(ServiceState.WARNING, "the schedule is disabled" if schedules else "there is no schedule")


_RULES: Final[tuple[Callable[[_Evidence], _Problem | None], ...]] = (
    *(_no_success, _too_old, _wrong_clock, _unknown_type, _failed),
    *(_too_small, _odd_size, _running_too_long, _no_schedule),
)


def _description(seen: _Evidence) -> Iterator[str]:
    """Yield what is known, whatever the state is."""
    if seen.success is not None and (end := _end(seen.success)):
        facts = [] if seen.size is None else [size(seen.size)]
        facts += [f"in {duration(took)}"] if (took := seen.success.duration_seconds) is not None else []
        details = f" ({' '.join(facts)})" if facts else ""
        yield f"last success {relative(end, seen.history.read_at)}{details}"
    if seen.running is not None and _running_too_long(seen) is None:
        yield _running(seen)
    if not seen.history.has_details:
        yield "age and state only: no job details"


def _running(seen: _Evidence) -> str:
    at = seen.running.progress if seen.running else None
    return f"running for {duration(seen.running_seconds)}" + ("" if at is None else f" ({percent(at)})")


def _metrics(seen: _Evidence) -> dict[str, Metric]:
    """Return what is known in numbers."""
    limits, took = seen.limits, seen.success.duration_seconds if seen.success else None
    metrics = {
        "age": _metric(seen.age, "s", limits.warning, limits.critical),
        "size": _metric(seen.size, "B", critical=limits.min_size, side=":"),
        "duration": _metric(took, "s"),
        "running": _metric(seen.running_seconds, "s", limits.max_running),
    }
    return {name: metric for name, metric in metrics.items() if metric is not None}


def _metric(
    value: int | None,
    unit: Literal["s", "B"],
    warning: float | None = None,
    critical: float | None = None,
    *,
    side: Literal["", ":"] = "",
) -> Metric | None:
    """Return a metric, None without a value; a colon behind a limit makes it a lower one."""
    ranges = [None if limit is None else f"{limit:.0f}{side}" for limit in (warning, critical)]
    return None if value is None else Metric(value=max(0, value), unit=unit, warning=ranges[0], critical=ranges[1])


def _end(job: Job) -> datetime | None:
    """Return when a job ended, as well as it is known."""
    return job.end_time or job.start_time
