"""Compare the runs that a schedule should have made with the jobs that an appliance remembers."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise, takewhile
from typing import Final, NamedTuple

from msgspec.structs import replace

from backupctl.formatting import plural, timestamp
from backupctl.monitoring.expected_runs import EARLY, MAX_DELAY, MIN_RUNS, Calendar, SchedulePeriod
from backupctl.results.audit_results import AuditResult, ExpectedRun, RunVerdict
from backupctl.results.backup_history import MEMORY, BackupHistory
from backupctl.results.job import Job
from backupctl.results.schedule_results import ScheduleInfo
from backupctl.rules.days import WEEK
from backupctl.rules.recurrence import Occurrence, time_of_day, time_zone

ADDED_AFTER_WEEKS: Final = 3
"""A day may have been added to the schedule if nothing ran on it before, in so many weeks with runs on other days."""

_WITHOUT_JOB: Final = frozenset({RunVerdict.MISSED, RunVerdict.KEPT_OUT, RunVerdict.DUE})


class _Started(NamedTuple):
    """A job, when it started, and whether the schedule started it."""

    start: datetime
    job: Job
    scheduled: bool


def calendar_of(history: BackupHistory) -> Calendar | str | None:
    """Return the calendar of the schedule, or why no run can be judged; None without a schedule that can be read."""
    if history.schedules_error or not history.schedules:
        return None
    if len(history.schedules) > 1:
        return "there are several schedules, and jobs do not say which one started them"
    if not history.has_details:
        return "the types of the backups are unknown"
    (schedule,) = history.schedules
    at, zone = time_of_day(schedule.hour, schedule.minute), time_zone(schedule.time_zone or "")
    if at is None:
        return "the schedule has no time"
    if zone is None:
        return f"the time zone {schedule.time_zone or 'of the appliance'} is unknown; the package tzdata may be missing"
    return Calendar(at, schedule.days, zone)


def audit_schedule(history: BackupHistory, since: datetime, *, known: Iterable[Job] = ()) -> AuditResult:
    """Return the verdict on each run of the schedule that was due since then.

    ``known`` are further jobs, which the appliance has forgotten.
    """
    calendar, result = calendar_of(history), AuditResult(since=since, until=history.read_at)
    if isinstance(calendar, str):
        return replace(result, notes=(f"no run can be judged: {calendar}",))
    if calendar is None:
        return result
    (schedule,) = history.schedules or ()
    jobs = _started(history, known, calendar)
    scheduled = [each for each in jobs if each.scheduled]
    periods = calendar.periods([each.start for each in scheduled])
    end = scheduled[-1].start + EARLY if scheduled and schedule.enable is False else history.read_at
    expected = calendar.expected(periods, min(end, history.read_at)) if periods else []
    judged, explained = _judge(expected, jobs, schedule, calendar, history.read_at)
    if not scheduled and schedule.enable is not False:
        judged = _never_ran(jobs, calendar, history.read_at)
    runs, added_days = _without_added_days(judged, since)
    unexplained = (each.job for each in scheduled if each.start >= since and each.job.type)
    return replace(
        result,
        schedule=schedule,
        judged_since=max(since, judged[0].due) if judged else None,
        runs=runs,
        gaps=tuple(run for run in runs if run.is_gap),
        counts={verdict: sum(run.verdict == verdict for run in runs) for verdict in RunVerdict},
        unexplained=tuple(job for job in unexplained if job.id not in explained),
        notes=(*_notes(history, schedule, scheduled, calendar), *_limits(periods, calendar, since, runs), *added_days),
    )


def _started(history: BackupHistory, known: Iterable[Job], calendar: Calendar) -> list[_Started]:
    """Return the jobs with a plausible start time, oldest first.

    Known ones count only if they have ended, and after the oldest that the appliance remembers. A job whose type is
    unknown is taken as scheduled if it started on time.
    """
    jobs = {job.id: job for job in (*(job for job in known if job.ended), *history.jobs)}
    starts = (job.start_time for job in history.jobs if job.start_time is not None)
    oldest = min((start for start in starts if start > history.read_at - MEMORY), default=history.read_at)
    return sorted(
        (
            _Started(start, job, job.type == "SCHEDULED" or (job.type is None and calendar.is_on_time(start)))
            for job in jobs.values()
            if (start := job.start_time) is not None and oldest <= start <= history.read_at
        ),
        key=lambda each: each.start,
    )


def _judge(
    expected: Sequence[Occurrence], jobs: Sequence[_Started], schedule: ScheduleInfo, calendar: Calendar, now: datetime
) -> tuple[list[ExpectedRun], set[str | None]]:
    """Return the verdict on each run, and the ids of the jobs that belong to the runs.

    A run made the first scheduled job before the next run, or another job kept it out.
    """
    judged, explained = list[ExpectedRun](), set[str | None]()
    starts = [each.start for each in jobs]
    bounds = [*(bisect_left(starts, run.earliest - EARLY) for run in expected), len(jobs)]
    for run, (begin, end) in zip(expected, pairwise(bounds), strict=True):
        near, until_next = jobs[max(0, begin - 1) : end], jobs[begin:end]
        running = (each for each in near if each.start <= run.latest and (each.job.ended_at or now) > run.earliest)
        own, other = next((each for each in until_next if each.scheduled), None), next(running, None)
        if own is not None:
            verdict = _verdict_of(own, run)
        elif other is not None:
            verdict = RunVerdict.KEPT_OUT if other.job.ended or run != expected[-1] else RunVerdict.DUE
        else:
            verdict = RunVerdict.DUE if now <= run.latest + MAX_DELAY else RunVerdict.MISSED
        job, due = own or other, run.due.astimezone(calendar.zone)
        start = job and job.start.astimezone(calendar.zone)
        found = ExpectedRun(due=due, verdict=verdict, job=job and job.job.id, start_time=start)
        if found.is_gap:
            later = [each.job for each in (other, *until_next) if each is not None]
            found = replace(found, made_up_by=next((job.id for job in later if _makes_up(job, schedule)), None))
        judged.append(found)
        # A time that comes twice may have two jobs.
        explained |= {each.job.id for each in until_next if each.start <= run.latest + MAX_DELAY}
        explained |= {found.job, found.made_up_by}
    return judged, explained


def _verdict_of(own: _Started, run: Occurrence) -> RunVerdict:
    if not own.job.ended:
        return RunVerdict.RUNNING
    if not own.job.succeeded:
        return RunVerdict.FAILED
    return RunVerdict.MADE if own.start <= run.latest + MAX_DELAY else RunVerdict.LATE


def _makes_up(job: Job, schedule: ScheduleInfo) -> bool:
    """Return whether a job is a good backup at the location of the schedule, or in a folder there."""
    place = (schedule.location or "").rstrip("/")
    return job.succeeded and f"{job.location}/".startswith(f"{place}/")


def _never_ran(jobs: Sequence[_Started], calendar: Calendar, now: datetime) -> list[ExpectedRun]:
    """Return the newest run as missed if it was due several times since the oldest job."""
    due = calendar.due(calendar.at, jobs[0].start, now) if jobs else []
    past = [run for run in due if run.latest + MAX_DELAY < now]
    if len(past) < MIN_RUNS:
        return []
    return [ExpectedRun(due=past[-1].due.astimezone(calendar.zone), verdict=RunVerdict.MISSED)]


def _without_added_days(judged: Sequence[ExpectedRun], since: datetime) -> tuple[tuple[ExpectedRun, ...], list[str]]:
    """Return the runs since then, and a note on those that are not judged.

    These are the runs on a day of the week before the first job on it: the day may have been added to the schedule.
    """
    runs, days = {run.due: run for run in judged if run.due >= since}, list[str]()
    weeks = {run.due.isocalendar()[:2] for run in judged if run.verdict not in _WITHOUT_JOB}
    for day, name in enumerate(WEEK):
        of_day = [run for run in judged if run.due.weekday() == day]
        before = list(takewhile(lambda run: run.verdict in _WITHOUT_JOB, of_day))
        skipped = [run for run in before if run.due >= since]
        common = weeks & {run.due.isocalendar()[:2] for run in before}
        if skipped and before != of_day and len(common) >= ADDED_AFTER_WEEKS:
            runs |= {run.due: replace(run, verdict=RunVerdict.NOT_JUDGED, made_up_by=None) for run in skipped}
            days.append(f"{plural(len(skipped), name.title())} before {of_day[len(before)].due:%Y-%m-%d}")
    why = "not judged, as the day may have been added then"
    return tuple(runs.values()), [f"{', '.join(days)} had no run; {why}"] if days else []


def _notes(
    history: BackupHistory, schedule: ScheduleInfo, scheduled: Sequence[_Started], calendar: Calendar
) -> Iterator[str]:
    """Yield what may be wrong, and when the last run of a disabled schedule started."""
    unreadable = len(history.unreadable) + sum(job.ended and job.start_time is None for job in history.jobs)
    if unreadable:
        yield f"{plural(unreadable, 'job')} cannot be read: runs that count as missed may be among them"
    if schedule.enable is False:
        last = f" after the last one, {timestamp(scheduled[-1].start, calendar.zone)}" if scheduled else ""
        yield f"the schedule is disabled: no run is expected{last}"


def _limits(
    periods: Sequence[SchedulePeriod], calendar: Calendar, since: datetime, runs: Sequence[ExpectedRun]
) -> Iterator[str]:
    """Yield since when runs are judged, and which by another time than that of the schedule."""
    if not periods:
        missed = "the schedule has not run yet; one that was created today looks the same"
        yield missed if runs else "no regular run of the schedule is known; nothing to compare"
    elif periods[0].first > since:
        first = timestamp(periods[0].first, calendar.zone)
        yield f"runs before {first} cannot be judged: no older regular run is remembered"
    for period in periods:
        if period.at != calendar.at and period.last >= since:
            last, why = timestamp(period.last, calendar.zone), "the schedule was changed since, or they were late"
            yield f"runs until {last} are judged by {period.at:%H:%M}, when they started: {why}"
