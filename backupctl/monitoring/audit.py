"""Compare the runs that a schedule should have made with the jobs that an appliance remembers."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Final, NamedTuple

from msgspec.structs import replace

from backupctl.formatting import plural, timestamp
from backupctl.monitoring.expected_runs import EARLY, PROMPT, Calendar, Era
from backupctl.results.audit_results import AuditResult, ExpectedRun, RunVerdict
from backupctl.results.backup_history import BackupHistory
from backupctl.results.job import Job
from backupctl.results.schedule_results import ScheduleInfo
from backupctl.rules.days import WEEK
from backupctl.rules.recurrence import Occurrence, time_of_day, time_zone

SCHEDULED: Final = "SCHEDULED"

ADDED_AFTER_WEEKS: Final = 3
"""A day was added to the schedule if it never ran on that day before, in so many weeks in which it ran on others."""

_HALF_WEEK: Final = timedelta(days=4)
_MEMORY: Final = timedelta(days=3653)
"""The start time of an older job is wrong."""


class _Started(NamedTuple):
    """A job, when it started, and whether the schedule started it."""

    start: datetime
    job: Job
    scheduled: bool

    def is_running_at(self, moment: datetime) -> bool:
        """Return whether the job was running at a moment after its start."""
        return not self.job.ended or (self.job.end_time or self.start) > moment


class _Slot(NamedTuple):
    """An expected run, the newest job before it, and its ``own`` jobs, which started before the next run was due."""

    run: Occurrence
    before: Sequence[_Started]
    own: Sequence[_Started]
    is_last: bool


def audit_schedule(
    history: BackupHistory, schedule: ScheduleInfo, since: datetime, *, known: Iterable[Job] = ()
) -> AuditResult:
    """Return what became of each run of a schedule that was due since then.

    ``known`` are further jobs, which the appliance has forgotten.
    """
    result = AuditResult(since=since, until=history.read_at, schedule=schedule)
    at, zone = time_of_day(schedule.hour, schedule.minute), time_zone(schedule.time_zone or "")
    if at is None:
        return replace(result, notes=("the schedule has no time, so no run is expected",))
    calendar = Calendar(at, schedule.days, zone or UTC)
    jobs = _started(history, known, calendar)
    scheduled = [each for each in jobs if each.scheduled]
    eras = calendar.eras([each.start for each in scheduled])
    last = scheduled[-1].start + EARLY if eras and schedule.enable is False else history.read_at
    slots = _slots(calendar.expected(eras, min(last, history.read_at)) if eras else [], jobs)
    judged = [_judge(slot, schedule, calendar, history.read_at) for slot in slots]
    added = _added_days(judged, calendar)
    runs = tuple(run for run in judged if run.due >= max(since, added.get(calendar.day(run.due), since)))
    counts = Counter(run.verdict for run in runs)
    explained = {job for slot, run in zip(slots, judged, strict=True) for job in _explained(slot, run)}
    unexplained = (each.job for each in scheduled if each.start >= since and each.job.type)
    notes = [*_notes(history, schedule), *_era_notes(eras, jobs, calendar, since)]
    notes += [
        f"{day.title()} counts from {first:%Y-%m-%d} on, the first run on that day"
        for day, first in added.items()
        if first >= since
    ]
    return replace(
        result,
        judged_since=max(since, judged[0].due) if judged else None,
        runs=runs,
        gaps=tuple(run for run in runs if run.is_gap),
        counts={verdict: counts[verdict] for verdict in RunVerdict},
        unexplained=tuple(job for job in unexplained if job.id not in explained),
        notes=tuple(notes),
    )


def _started(history: BackupHistory, known: Iterable[Job], calendar: Calendar) -> list[_Started]:
    """Return the jobs with a plausible start time, oldest first.

    Known ones count only if they have ended, and after the oldest that the appliance remembers. A job whose type is
    unknown is taken as scheduled if it started on time.
    """
    jobs = {job.id: job for job in (*(job for job in known if job.ended), *history.jobs)}
    starts = (job.start_time for job in history.jobs if job.start_time is not None)
    oldest = min((start for start in starts if start > history.read_at - _MEMORY), default=history.read_at)
    return sorted(
        (
            _Started(start, job, job.type == SCHEDULED or (job.type is None and calendar.is_on_time(start)))
            for job in jobs.values()
            if (start := job.start_time) is not None and oldest <= start <= history.read_at
        ),
        key=lambda each: each.start,
    )


def _slots(expected: Sequence[Occurrence], jobs: Sequence[_Started]) -> list[_Slot]:
    """Return the expected runs with the jobs around them."""
    starts = [each.start for each in jobs]
    bounds = [*(bisect_left(starts, run.earliest - EARLY) for run in expected), len(jobs)]
    return [
        _Slot(run, jobs[max(0, begin - 1) : begin], jobs[begin:end], run == expected[-1])
        for run, (begin, end) in zip(expected, pairwise(bounds), strict=True)
    ]


def _judge(slot: _Slot, schedule: ScheduleInfo, calendar: Calendar, now: datetime) -> ExpectedRun:
    """Return what became of a run: it made the first scheduled job before the next run, or another job kept it out."""
    run, near = slot.run, [*slot.before, *slot.own]
    own = next((each for each in slot.own if each.scheduled), None)
    other = next((each for each in near if each.start <= run.latest and each.is_running_at(run.earliest)), None)
    if own is not None:
        verdict = _verdict_of(own, run)
    elif other is not None:
        verdict = RunVerdict.KEPT_OUT if other.job.ended or not slot.is_last else RunVerdict.DUE
    else:
        verdict = RunVerdict.DUE if now <= run.latest + PROMPT else RunVerdict.MISSED
    job = own or other
    due, started = run.due.astimezone(calendar.zone), job and job.start.astimezone(calendar.zone)
    judged = ExpectedRun(due=due, verdict=verdict, job=job and job.job.id, start_time=started)
    if not judged.is_gap:
        return judged
    place = (schedule.location or "").rstrip("/")
    later = [each.job for each in (other, *slot.own) if each is not None and each.job.succeeded]
    made_up = next((job.id for job in later if not place or f"{job.location or place}/".startswith(f"{place}/")), None)
    return replace(judged, made_up_by=made_up)


def _verdict_of(own: _Started, run: Occurrence) -> RunVerdict:
    if not own.job.ended:
        return RunVerdict.RUNNING
    if not own.job.succeeded:
        return RunVerdict.FAILED
    return RunVerdict.MADE if own.start <= run.latest + PROMPT else RunVerdict.LATE


def _explained(slot: _Slot, run: ExpectedRun) -> list[str | None]:
    """Return the ids of the jobs that a run explains: a time that comes twice may have two."""
    on_time = [each.job.id for each in slot.own if each.start <= slot.run.latest + PROMPT]
    return [*on_time, run.job, run.made_up_by]


def _added_days(judged: Sequence[ExpectedRun], calendar: Calendar) -> dict[str, datetime]:
    """Return the days that were added to the schedule, and when the first run on each was due."""
    without_job = {RunVerdict.MISSED, RunVerdict.KEPT_OUT, RunVerdict.DUE}
    ran = [run.due for run in judged if run.verdict not in without_job]

    def is_near_a_run(run: ExpectedRun) -> bool:
        index = bisect_left(ran, run.due - _HALF_WEEK)
        return index < len(ran) and ran[index] < run.due + _HALF_WEEK

    found = {}
    for day in WEEK:
        of_day = [run for run in judged if calendar.day(run.due) == day]
        before = list(takewhile(lambda run: run.verdict in without_job, of_day))
        if len(before) < len(of_day) and sum(map(is_near_a_run, before)) >= ADDED_AFTER_WEEKS:
            found[day] = of_day[len(before)].due
    return found


def _notes(history: BackupHistory, schedule: ScheduleInfo) -> Iterator[str]:
    """Yield what the appliance does not tell."""
    unreadable = len(history.unreadable) + sum(job.ended and job.start_time is None for job in history.jobs)
    if unreadable:
        yield f"{plural(unreadable, 'job')} cannot be read: runs that count as missed may be among them"
    if time_zone(schedule.time_zone or "") is None:
        yield "the time zone of the appliance is unknown: its times are taken as UTC"
    if schedule.enable is False:
        yield "the schedule is disabled: no run is expected after the last one"


def _era_notes(eras: Sequence[Era], jobs: Sequence[_Started], calendar: Calendar, since: datetime) -> Iterator[str]:
    """Yield since when runs can be judged, and at which other times the schedule ran."""
    if not eras:
        yield "no regular run of the schedule is known, so none can be judged: it may be new"
        return
    if eras[0].first > since:
        why = (
            "the appliance remembers no older job"
            if jobs[0].start == eras[0].first
            else "no older regular run is known, and the appliance does not tell when a schedule was created"
        )
        yield f"runs before {timestamp(eras[0].first, calendar.zone)} cannot be judged: {why}"
    for era in eras:
        if era.at != calendar.at and era.last >= since:
            yield f"until {timestamp(era.last, calendar.zone)} it ran at {era.at:%H:%M}: its time was changed then"
