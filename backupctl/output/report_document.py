"""The content of a report for people, as facts, findings and tables: what Markdown and HTML both show."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import Final, NamedTuple

from backupctl.error_facts import render_message
from backupctl.formatting import duration, plural, size, timestamp
from backupctl.monitoring.report import skew_of_newest, zone_of
from backupctl.results.audit_results import ExpectedRun, RunVerdict
from backupctl.results.job import Job
from backupctl.results.journal_entry import JournaledJob
from backupctl.results.report_results import BackupReport, ReportInfo, ReportResult
from backupctl.results.schedule_results import ScheduleInfo, recurrence_text

UNKNOWN: Final = "unknown"
GOOD, BAD, ODD = "good", "bad", "odd"
_DAY: Final = timedelta(days=1)

_LIMITS: Final = """\
Appliances forget old backups. What is forgotten is unknown, and so is every value that is not shown.
A backup that succeeded was written. Whether its files are still there, unchanged, and can be restored is not shown.
Times of an appliance are in its time zone."""


class Mark(NamedTuple):
    """A text with its verdict: GOOD, BAD, ODD or none."""

    text: str
    verdict: str = ""


class Section(NamedTuple):
    """A part of the report: facts that are None are not shown; ``report`` is what its charts show."""

    title: str
    facts: Mapping[str, str | None] = {}
    findings: Sequence[Mark] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Mark]] = ()
    report: BackupReport | None = None


def title_of(info: ReportInfo) -> str:
    """Return the title of the report, with its first and last day."""
    last = info.until - timedelta.resolution
    return f"Backup report, {info.since.astimezone():%Y-%m-%d} to {last.astimezone():%Y-%m-%d}"


def sections(results: Sequence[ReportResult], info: ReportInfo) -> list[Section]:
    """Return the summary, a section for each appliance, and what the report does not show."""
    found = {result.server: list(_findings(result)) for result in results}
    none = [Mark(f"no gap and no failure found{' in what is known' if any(found.values()) else ''}", GOOD)]
    bad = [Mark(f"{name}: {text}", BAD) for name, each in found.items() for text, verdict in each if verdict == BAD]
    skew, rows = skew_of_newest(results), [_summary_row(result) for result in results]
    facts = {
        "Period": f"{timestamp(info.since)} to {timestamp(info.until)}",
        "Change": info.change,
        "Appliances": str(len(results)),
        "Newest backups": None if skew is None else f"started within {duration(skew, exact=True)} of each other",
        "Generated": f"{timestamp(info.generated_at)} by {info.generator}",
    }
    return [
        Section("Summary", facts, (bad or none) if len(results) > 1 else (), _SUMMARY, rows),
        *(_appliance(result, found[result.server] or none) for result in results),
        Section("What this report does not show", findings=[Mark(text) for text in _LIMITS.splitlines()]),
    ]


_SUMMARY: Final = (
    *("Appliance", "Backups", "Succeeded", "Failed", "Scheduled runs", "Missed"),
    *("Last success", "Longest time without a success"),
)


def _summary_row(result: ReportResult) -> list[Mark]:
    report = result.report
    if report is None:
        return [Mark(result.server), Mark("not read", BAD), *[Mark(UNKNOWN)] * (len(_SUMMARY) - 2)]
    longest, expected, missed = report.longest_interval, report.scheduled_runs, missed_runs(report)
    return [
        Mark(result.server),
        Mark(str(len(report.runs))),
        Mark(str(report.succeeded), "" if report.succeeded else BAD),
        Mark(str(report.failed), BAD if report.failed else ""),
        Mark(UNKNOWN if expected is None else str(len(expected))),
        Mark(UNKNOWN if expected is None else str(len(missed)), BAD if missed else ""),
        Mark(_time(report.last_success, zone_of(report)) or UNKNOWN),
        Mark(duration((longest.until - longest.since).total_seconds()) if longest else UNKNOWN),
    ]


def missed_runs(report: BackupReport) -> list[ExpectedRun]:
    """Return the scheduled runs that made no backup, except failed ones, which are among the backups."""
    return [run for run in report.scheduled_runs or () if run.is_gap and run.verdict != RunVerdict.FAILED]


def _findings(result: ReportResult) -> Iterator[Mark]:
    """Yield what somebody should look at."""
    report = result.report
    if result.simulated:
        yield Mark("simulated, these backups do not exist", BAD)
    if report is None:
        why = render_message(result.error.facts, subject=result.server) if result.error else UNKNOWN
        yield Mark(f"could not be read, its backups are unknown: {why}", BAD)
        return
    zone = zone_of(report)
    if not report.succeeded:
        yield Mark("no backup is known to have succeeded in this period", BAD)
    for (verdict, is_gap), group in groupby(report.scheduled_runs or (), lambda run: (run.verdict, run.is_gap)):
        if is_gap and verdict != RunVerdict.FAILED:
            due = [_time(run.due, zone) for run in group]
            what = "missed" if verdict == RunVerdict.MISSED else "kept out by another job"
            when = " to ".join(map(str, dict.fromkeys((due[0], due[-1]))))
            yield Mark(f"{plural(len(due), 'scheduled run')} {what}: {when}", BAD)
    for run in report.runs:
        state = state_of(run)
        if state.verdict != GOOD:
            text = f"backup {run.job.id} of {_time(run.job.start_time, zone)} {state.text}"
            yield Mark(": ".join(filter(None, (text, messages_text(run.job)))), state.verdict)
    yield from (Mark(text, ODD) for applies, text in _unknowns(report, zone) if applies)


def _unknowns(report: BackupReport, zone: tzinfo) -> Iterator[tuple[object, str]]:
    """Yield what may be unknown or not protected, each with whether it is."""
    schedules, oldest = report.schedules, report.remembered_since
    clear = sum(run.job.encrypted is False for run in report.runs)
    unknown = [name for name, texts in _columns(report, zone).items() if texts and not any(texts) and name != _FOLDER]
    yield report.schedules_error, f"the schedules cannot be read: {report.schedules_error}"
    yield schedules is None and not report.schedules_error, "this release has no schedules"
    yield schedules == (), "the appliance has no schedule"
    yield from ((each.enable is False, f"schedule {each.name} is disabled") for each in schedules or ())
    yield len(schedules or ()) > 1, "the runs of several schedules cannot be judged: no job tells which made it"
    yield from ((True, f"schedule: {note}") for note in report.notes)
    yield oldest is None, "the appliance remembers no backup"
    yield oldest and oldest - report.since > _DAY, f"the appliance remembers nothing before {_time(oldest, zone)}"
    yield clear, f"{plural(clear, 'backup')} not encrypted"
    yield report.unreadable, f"{plural(report.unreadable, 'backup')} cannot be read, or when it started"
    yield unknown, f"unknown of all backups: {', '.join(unknown).lower()}"


def _appliance(result: ReportResult, findings: Sequence[Mark]) -> Section:
    """Return the section of an appliance; what all its backups have in common is a fact and no column."""
    report, facts = result.report, {"Host": result.host, "Release": result.release or UNKNOWN}
    if report is None:
        return Section(result.server, facts, findings)
    columns = {name: texts for name, texts in _columns(report, zone_of(report)).items() if any(texts)}
    same = {name: str(texts[0]) for name, texts in columns.items() if len(texts) > 1 == len(set(texts))}
    shown = {name: texts for name, texts in columns.items() if name not in same}
    made_up = {True: " but made up for", False: ""}
    counts = Counter(
        f"{run.verdict.replace('-', ' ')}{made_up[bool(run.made_up_by)]}" for run in report.scheduled_runs or ()
    )
    facts |= {"Scheduled runs": ", ".join(f"{count} {verdict}" for verdict, count in counts.items())}
    facts |= {f"Schedule {each.name}": _schedule(each) for each in report.schedules or ()}
    facts |= {f"{name} of all backups": text for name, text in same.items()}
    rows = [
        [state_of(run), *(Mark(texts[number] or UNKNOWN) for texts in shown.values())]
        for number, run in enumerate(report.runs)
    ]
    return Section(result.server, facts, findings, ["Result", *shown], rows, report)


_FOLDER: Final = "Folder"
_FOLDER_NAME: Final = re.compile(r"/([MS]_[^/]*)/?$")
"""The folder of one backup, at the end of its location."""

_RUN: Final[Mapping[str, Callable[[Job, tzinfo], str | None]]] = {
    "Started": lambda job, zone: _time(job.start_time, zone),
    "Took": lambda job, _: None if job.duration_seconds is None else duration(job.duration_seconds),
    "Size": lambda job, _: None if job.size_bytes is None else size(job.size_bytes),
    "Type": lambda job, _: job.type and job.type.replace("_", " ").lower(),
    "User": lambda job, _: job.user,
    "Encryption": lambda job, _: {None: None, True: "encrypted", False: "NOT ENCRYPTED"}[job.encrypted],
    "Parts": lambda job, _: ", ".join(job.parts or ()),
    "Comment": lambda job, _: job.comment,
    "Build": lambda job, _: job.build,
    "Id": lambda job, _: job.id,
    "Location": lambda job, _: _login(_FOLDER_NAME.sub("", job.location or ""), job.location_user),
    _FOLDER: lambda job, _: next(iter(_FOLDER_NAME.findall(job.location or "")), None),
}
"""The columns of the table of backups, each with a function that returns its text, none if it is unknown."""


def _columns(report: BackupReport, zone: tzinfo) -> dict[str, list[str | None]]:
    return {name: [text_of(run.job, zone) for run in report.runs] for name, text_of in _RUN.items()}


def state_of(run: JournaledJob) -> Mark:
    """Return the state of a backup in words, that of a newer release as it is, and whether only the journal has it."""
    running = "not ended when last seen" if run.forgotten else "still running"
    words = {"SUCCEEDED": ("succeeded", GOOD), "FAILED": ("failed", BAD), "INPROGRESS": (running, ODD)}
    text, verdict = words.get(run.job.state, (run.job.state, ODD))
    return Mark(f"{text} (journal)" if run.forgotten else text, verdict)


def messages_text(job: Job) -> str:
    """Return the messages of a job as one text."""
    return "; ".join(message.default_message or message.id for message in job.messages)


def _schedule(schedule: ScheduleInfo) -> str:
    when = None
    if schedule.hour is not None and schedule.minute is not None:
        when = recurrence_text(schedule.hour, schedule.minute, schedule.days)
    state = {None: "enabled: unknown", True: "enabled", False: "disabled"}[schedule.enable]
    keeps = "keeps all" if schedule.max_count is None else f"keeps {schedule.max_count}"
    where = _login(schedule.location, schedule.location_user) or UNKNOWN
    return f"{when or UNKNOWN} ({schedule.time_zone or 'zone unknown'}), {state}, {keeps}, to {where}"


def _login(location: str | None, user: str | None) -> str:
    return " as ".join(filter(None, (location, user)))


def _time(time: datetime | None, zone: tzinfo) -> str | None:
    return None if time is None else timestamp(time, zone)
