"""What a report says of each backup, and what somebody should look at."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from typing import Final, NamedTuple

from backupctl.error_facts import render_message
from backupctl.formatting import duration, plural, size, timestamp
from backupctl.monitoring.report import zone_of
from backupctl.monitoring.run_spans import run_spans
from backupctl.results.audit_results import ExpectedRun, RunVerdict
from backupctl.results.backup_history import LOCAL
from backupctl.results.job import Job
from backupctl.results.journal_entry import JournaledJob
from backupctl.results.report_results import BackupReport, ReportResult

UNKNOWN: Final = "unknown"
GOOD, BAD, ODD = "good", "bad", "odd"
_LONGEST_TEXT: Final = 500
_MISSED: Final = {RunVerdict.MISSED: "missed", RunVerdict.KEPT_OUT: "kept out by another job"}


class Text(NamedTuple):
    """A text with its verdict: GOOD, BAD, ODD or none."""

    text: str
    verdict: str = ""


def missed_runs(report: BackupReport) -> list[ExpectedRun]:
    """Return the scheduled runs that made no backup, except failed ones, which are among the backups."""
    return [run for run in report.scheduled_runs or () if run.is_gap and run.verdict in _MISSED]


def findings_of(result: ReportResult) -> Iterator[Text]:
    """Yield what somebody should look at."""
    report = result.report
    if result.simulated:
        yield Text("simulated, these backups do not exist", BAD)
    if result.insecure:
        yield Text("the certificate was not verified: another machine may have answered for the appliance", BAD)
    if report is None:
        why = render_message(result.error.facts, subject=result.server) if result.error else UNKNOWN
        yield Text(f"could not be read, its backups are unknown: {why}", BAD)
        return
    zone = zone_of(report)
    if report.succeeded == 0:
        yield Text("no backup is known to have succeeded in this period", BAD)
    spans = run_spans(report.scheduled_runs or ())
    missed = ((_MISSED[verdict], when) for verdict, is_gap, when in spans if is_gap and verdict in _MISSED)
    yield from (Text(f"scheduled run {what}: {when}", BAD) for what, when in missed)
    for why, attempts in groupby(report.attempts, lambda each: each.message or f"exit code {each.exit_code}"):
        times = [each.time for each in attempts]
        yield Text(f"{plural(len(times), 'run')} of create without a backup: {_span(times, zone)}: {why}", BAD)
    for (state, messages), runs in groupby(report.runs, lambda run: (state_of(run), messages_text(run.job))):
        if state.verdict != GOOD:
            jobs = [run.job for run in runs][::-1]
            when = _span([job.start_time for job in jobs], zone)
            what = f"backup {jobs[0].id} of {when} {state.text}"
            if len(jobs) > 1:
                what = f"{len(jobs)} backups in a row {state.text}, {when}"
            yield Text(": ".join(filter(None, (what, _brief(messages)))), state.verdict)
    yield from (Text(text, ODD) for applies, text in _unknowns(report, zone) if applies)
    yield from (Text(text) for applies, text in _unknown_columns(report, zone) if applies)


def _span(times: Sequence[datetime | None], zone: tzinfo) -> str:
    """Return the first and the last of some times, oldest first."""
    return " to ".join(dict.fromkeys(time_text(time, zone) or UNKNOWN for time in (times[0], times[-1])))


def _brief(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _unknowns(report: BackupReport, zone: tzinfo) -> Iterator[tuple[object, str]]:
    """Yield what may be unknown or not protected, each with whether it is."""
    schedules, oldest = report.schedules, report.remembered_since
    jobs = [run.job for run in report.runs if run.job.succeeded]
    local = sum(job.type == LOCAL for job in jobs)
    clear, empty = sum(job.encrypted is False for job in jobs), sum(job.size_bytes == 0 for job in jobs)
    denied = [run.job.id for run in report.runs if run.forgotten and oldest and (run.job.start_time or oldest) > oldest]
    yield report.schedules_error, f"the schedules cannot be read: {report.schedules_error}"
    yield schedules is None and not report.schedules_error, "this release has no schedules"
    yield schedules == (), "the appliance has no schedule"
    if report.scheduled_runs is None:  # otherwise the notes of the audit say it
        disabled = (each.name for each in schedules or () if each.enable is False)
        yield from ((True, f"schedule {name} is disabled") for name in disabled)
        yield oldest and not report.is_remembered, f"the appliance remembers nothing before {time_text(oldest, zone)}"
    yield from ((True, note) for note in report.notes)
    yield oldest is None, "the appliance remembers no backup"
    yield denied, f"only in the journal: {', '.join(denied)}, although the appliance remembers older backups"
    yield local, f"{plural(local, 'local backup')} not counted: it may be lost with the appliance"
    yield clear, f"{plural(clear, 'backup')} not encrypted"
    yield empty, f"{plural(empty, 'backup')} succeeded with 0 bytes"
    yield report.unreadable, f"{plural(report.unreadable, 'backup')} cannot be read or dated"


def _unknown_columns(report: BackupReport, zone: tzinfo) -> Iterator[tuple[object, str]]:
    """Yield what is unknown of all backups that succeeded, and of some of them."""
    runs = [run for run in report.runs if run.job.succeeded]
    required = {name: text_of for name, text_of in RUN_COLUMNS.items() if name not in {"Run by", "Comment"}}
    missing = {name.lower(): sum(not text_of(run, zone) for run in runs) for name, text_of in required.items()}
    never = [name for name, count in missing.items() if count == len(runs) > 0]
    sometimes = [f"{name} ({count} of {len(runs)})" for name, count in missing.items() if 0 < count < len(runs)]
    yield never, f"not known for any backup: {', '.join(never)}"
    yield sometimes, f"not known for some backups: {', '.join(sometimes)}"


_FOLDER: Final = re.compile(r"/[MS]_[^/]*/?$")
"""The folder of one backup, at the end of its location: it has the time of the backup, and so has the id."""

RUN_COLUMNS: Final[Mapping[str, Callable[[JournaledJob, tzinfo], str | None]]] = {
    "Started": lambda run, zone: time_text(run.job.start_time, zone),
    "Duration": lambda run, _: None if run.job.duration_seconds is None else duration(run.job.duration_seconds),
    "Size": lambda run, _: None if run.job.size_bytes is None else size(run.job.size_bytes),
    "Type": lambda run, _: run.job.type and run.job.type.replace("_", " ").lower(),
    "Run by": lambda run, _: run.run_by,
    "User": lambda run, _: run.job.user,
    "Encryption": lambda run, _: {None: None, True: "encrypted", False: "NOT ENCRYPTED"}[run.job.encrypted],
    "Parts": lambda run, _: ", ".join(run.job.parts or ()),
    "Comment": lambda run, _: _brief(run.job.comment or ""),
    "Build": lambda run, _: run.job.build,
    "Id": lambda run, _: run.job.id,
    "Location": lambda run, _: location_text(_FOLDER.sub("", run.job.location or ""), run.job.location_user),
}
"""The columns of the table of backups, each with a function that returns its text, none if it is unknown."""


def state_of(run: JournaledJob) -> Text:
    """Return the state of a backup in words, that of a newer release as it is, and whether only the journal has it."""
    running = "not ended when last seen" if run.forgotten else "still running"
    done = ("succeeded with messages", ODD) if run.job.messages else ("succeeded", GOOD)
    words = {"SUCCEEDED": done, "FAILED": ("failed", BAD), "INPROGRESS": (running, ODD)}
    text, verdict = words.get(run.job.state, (f"in state {run.job.state}", ODD))
    return Text(f"{text} (journal)" if run.forgotten else text, verdict)


def messages_text(job: Job) -> str:
    """Return the messages of a job as one text."""
    return "; ".join(message.default_message or message.id for message in job.messages)


def location_text(location: str | None, user: str | None) -> str:
    """Return a location and the user who logs in there, empty if both are unknown."""
    return " as ".join(filter(None, (location, user)))


def time_text(time: datetime | None, zone: tzinfo) -> str | None:
    """Return a time in the zone of an appliance, None if it is unknown."""
    return None if time is None else timestamp(time, zone)
