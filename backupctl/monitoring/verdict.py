"""The verdict of the monitoring plugin: whether there is a fresh backup, and what is odd about the backups."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import takewhile
from statistics import median
from typing import Final

import msgspec

from backupctl.exit_codes import PLUGIN_CODES, ServiceState
from backupctl.formatting import duration, duration_option, percent, plural, relative, size
from backupctl.results.backup_history import LOCAL, BackupHistory
from backupctl.results.job import Job
from backupctl.results.verdict_results import Metric, Verdict

MIN_EARLIER_SIZES: Final = 3
"""How many earlier sizes a median needs."""
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


class _Facts:
    """What the rules look at: ``track`` has the backups of the wanted type, ``success`` is the newest one."""

    def __init__(self, history: BackupHistory, limits: Thresholds, installed: datetime | None) -> None:
        self.history, self.limits = history, limits
        any_type = limits.type == "any" or not history.has_details
        self.kind = "backup" if any_type else f"{limits.type} backup"
        self.track = history.of_type(*(() if any_type else (limits.type.upper(),)))
        self.last, self.success = self.track.last, self.track.success
        self.age = self.since(self.success.ended_at) if self.success else None
        self.size = self.success.size_bytes if self.success else None
        self.earlier_sizes = [job.size_bytes for job in self.track.successes[1:] if job.size_bytes is not None]
        self.running_seconds = max(0, (self.since(history.running.start_time) if history.running else None) or 0)
        self.local = sum(job.succeeded and job.type == LOCAL for job in self.newer_than(self.success) if any_type)
        newest = next(iter(self.track.jobs), None)
        self.untyped = sum(job.ended and job.type is None for job in self.newer_than(newest) if not any_type)
        self.unreadable = history.unreadable_since(self.success)
        starts = [*(job.start_time for job in history.jobs), installed]
        self.known_for = self.since(min((time for time in starts if time), default=None))

    def since(self, time: datetime | None) -> int | None:
        """Return the seconds since a time, negative for one in the future."""
        return None if time is None else int((self.history.read_at - time).total_seconds())

    def newer_than(self, job: Job | None) -> Iterator[Job]:
        """Return the jobs that are newer than this one, all without one."""
        return takewhile(lambda each: each is not job, self.history.jobs)


def judge(history: BackupHistory, limits: Thresholds, installed: datetime | None = None) -> Verdict:
    """Return the verdict about a history, at the time when it was read; ``installed`` is when the appliance was."""
    facts = _Facts(history, limits, installed)
    found = [problem for rule in _RULES for problem in rule(facts)]
    problems = sorted(found, key=lambda problem: PLUGIN_CODES.severity.index(problem[0]))
    return Verdict(
        state=next((state for state, _ in problems), _OK),
        summary="; ".join([*(text for _, text in problems), *_description(facts)]),
        metrics=_metrics(facts),
    )


def _without_success(facts: _Facts) -> _Problems:
    if facts.success is None and (facts.unreadable or facts.untyped or facts.track.ahead):
        yield _UNKNOWN, f"no {facts.kind} is known to have succeeded"
    elif facts.success is None:
        is_new = facts.known_for is not None and facts.known_for < facts.limits.grace
        text = f"no {facts.kind} {'succeeded yet' if facts.track.jobs else 'yet'}"
        yield (_WARNING, f"{text} (new appliance)") if is_new else (_CRITICAL, text)


def _age(facts: _Facts) -> _Problems:
    if facts.age is not None and facts.age > facts.limits.warning:
        state, limit = (_WARNING, facts.limits.warning)
        if facts.age > facts.limits.critical:
            state, limit = (_CRITICAL, facts.limits.critical)
        yield state, f"no {facts.kind} succeeded for more than {duration_option(limit)}"


def _doubts(facts: _Facts) -> _Problems:
    if facts.limits.type != "any" and not facts.history.has_details:
        yield _UNKNOWN, f"cannot tell which backups are {facts.limits.type}"
    newer = "newer " if facts.success else ""
    if facts.untyped:
        yield _WARNING, f"cannot tell the type of {plural(facts.untyped, f'{newer}backup')}"
    if facts.unreadable:
        yield _WARNING, f"cannot read {plural(facts.unreadable, f'{newer}job')}"


def _last_result(facts: _Facts) -> _Problems:
    last = facts.last
    if last is None or last.succeeded or facts.limits.last_result == "ignore":
        return
    text = f"last {facts.kind} failed" + (f" {relative(last.ended_at, facts.history.read_at)}" if last.ended_at else "")
    text += "" if last.progress is None else f" at {percent(last.progress)}"
    text += f": {last.messages[-1].default_message[:MAX_MESSAGE_LENGTH].rstrip('. ')}" if last.messages else ""
    yield ServiceState[facts.limits.last_result.upper()], text


def _size(facts: _Facts) -> _Problems:
    least, most = facts.limits.min_size, facts.limits.size_deviation
    if facts.success is None or (least is None and most is None):
        return
    if facts.size is None:
        yield _UNKNOWN, "the size of the last success is unknown"
        return
    if least is not None and facts.size < least:
        yield _CRITICAL, f"size {size(facts.size)} is below {size(least)}"
    if most is not None and len(facts.earlier_sizes) >= MIN_EARLIER_SIZES:
        usual = median(facts.earlier_sizes)
        change = 100 * (facts.size - usual) / usual if usual else 0.0
        if abs(change) > most:
            side = "above" if change > 0 else "below"
            yield _WARNING, f"size {size(facts.size)} is {percent(abs(change))} {side} the usual {size(usual)}"


def _running_time(facts: _Facts) -> _Problems:
    limit = facts.limits.max_running
    if limit is not None and facts.running_seconds > limit:
        yield _WARNING, f"running for longer than {duration_option(limit)}"


def _schedule(facts: _Facts) -> _Problems:
    schedules, error = facts.history.schedules or (), facts.history.schedules_error
    if facts.limits.schedule == "optional" or any(each.enable for each in schedules):
        return
    if error or any(each.enable is None for each in schedules):
        yield _UNKNOWN, error or "cannot tell whether the schedule is enabled"
    else:
        yield _WARNING, "the schedule is disabled" if schedules else "there is no schedule"


_RULES: Final[tuple[Callable[[_Facts], _Problems], ...]] = (
    *(_without_success, _age, _doubts, _last_result, _size, _running_time, _schedule),
)
"""Each looks at one thing; the most severe problem is the state."""


def _description(facts: _Facts) -> Iterator[str]:
    """Yield what is known, whatever the state is."""
    history, success = facts.history, facts.success
    if success is not None and success.ended_at:
        known = [] if facts.size is None else [size(facts.size)]
        known += [] if success.duration_seconds is None else [f"in {duration(success.duration_seconds)}"]
        when = relative(success.ended_at, history.read_at)
        yield f"last success {when}" + (f" ({' '.join(known)})" if known else "")
    if history.running is not None:
        at = history.running.progress
        yield f"running for {duration(facts.running_seconds)}" + ("" if at is None else f" ({percent(at)})")
    if facts.local:
        yield f"{plural(facts.local, 'local backup')} {'does' if facts.local == 1 else 'do'} not count"
    if facts.track.ahead:
        yield f"{plural(facts.track.ahead, 'backup')} ended in the future: check the clocks"
    if facts.limits.size_deviation is not None and facts.size is not None:
        earlier = len(facts.earlier_sizes)
        if earlier < MIN_EARLIER_SIZES:
            yield f"size not compared: {plural(earlier, 'earlier size')}"
    if not history.has_details:
        yield "age and state only: no job details"
    if older := len(history.unreadable) - facts.unreadable:
        yield f"{plural(older, 'older job')} cannot be read"


def _metrics(facts: _Facts) -> dict[str, Metric]:
    """Return what is known in numbers."""
    limits, took, metrics = facts.limits, facts.success.duration_seconds if facts.success else None, {}
    if facts.age is not None:
        age = max(0, facts.age)
        metrics["age"] = Metric(value=age, unit="s", warning=limits.warning, critical=limits.critical)
    if facts.size is not None:
        metrics["size"] = Metric(value=facts.size, unit="B", critical=limits.min_size)
    if took is not None:
        metrics["duration"] = Metric(value=took, unit="s")
    return metrics | {"running": Metric(value=facts.running_seconds, unit="s", warning=limits.max_running)}
