"""The content of a report for people, as facts, findings and tables: what Markdown and HTML both show."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Final, NamedTuple

from backupctl.formatting import duration, plural, timestamp
from backupctl.monitoring.report import skew_of_newest, zone_of
from backupctl.monitoring.skew import LINKED_WINDOW_SECONDS
from backupctl.output.report_findings import (
    BAD,
    GOOD,
    ODD,
    RUN_COLUMNS,
    UNKNOWN,
    Text,
    findings_of,
    location_text,
    missed_runs,
    state_of,
    time_text,
)
from backupctl.results.audit_results import RunVerdict
from backupctl.results.report_results import BackupReport, ReportInfo, ReportResult
from backupctl.results.schedule_results import ScheduleInfo

_MOST_NAMES: Final = 10
_MINUTES_OF_3_DAYS: Final = 3 * 24 * 60
_LIMITS: Final = """\
Appliances forget old backups; the report cannot show those. A value that is not shown is unknown.
A backup that succeeded was written. Whether its files are still there, unchanged, and can be restored is not shown.
Times of an appliance are in its time zone."""


class Section(NamedTuple):
    """A part of the report: facts that are None are not shown; ``report`` is what its charts show."""

    title: str
    facts: Mapping[str, str | None] = {}
    findings: Sequence[Text] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Text]] = ()
    report: BackupReport | None = None


def title_of(info: ReportInfo) -> str:
    """Return the title of the report, with its first and last day."""
    last = info.until - timedelta.resolution
    return f"Backup report, {info.since.astimezone():%Y-%m-%d} to {last.astimezone():%Y-%m-%d}"


def sections(results: Sequence[ReportResult], info: ReportInfo) -> list[Section]:
    """Return the summary, a section for each appliance, and what the report does not show."""
    found = {result.server: list(findings_of(result)) for result in results}
    none = [Text("no gap and no failure found", GOOD)]
    skew, rows = skew_of_newest(results, info), [_summary_row(result) for result in results]
    apart = None if skew is None else duration(skew, exact=True)
    kept, torn = plural(info.journal_entries, "result"), plural(info.unreadable_lines, "unreadable line")
    facts = {
        "Period": f"{timestamp(info.since)} to {timestamp(info.until)}",
        "Change": info.change,
        "Group": info.group,
        "Appliances": str(len(results)),
        "Newest backups": apart and f"started within {apart} of each other, by the clocks of the appliances",
        "Journal": f"{kept} of backupctl, {torn}",
        "Generated": f"{timestamp(info.generated_at)} by {info.generator}",
    }
    if skew is not None and skew > LINKED_WINDOW_SECONDS:
        found[f"group {info.group}"] = [Text(f"the newest backups started {apart} apart", ODD)]
    findings = _shared(found)
    return [
        Section("Summary", facts, (findings or none) if len(results) > 1 else (), _SUMMARY, rows),
        *(_appliance(result, found[result.server] or none) for result in results),
        Section("What this report does not show", findings=[Text(text) for text in _LIMITS.splitlines()]),
    ]


def _shared(found: Mapping[str, Iterable[Text]]) -> list[Text]:
    """Return the findings of all appliances, the gravest first; those with the same one share a line."""
    servers: dict[Text, list[str]] = {}
    for server, marks in found.items():
        for mark in marks:
            servers.setdefault(mark, []).append(server)
    marks = [
        Text(f"{', '.join(names) if len(names) <= _MOST_NAMES else f'{len(names)} appliances'}: {text}", verdict)
        for (text, verdict), names in servers.items()
    ]
    return sorted(marks, key=lambda mark: (BAD, ODD, "").index(mark.verdict))


_SUMMARY: Final = (
    *("Appliance", "Last success ended", "Longest without a success"),
    *("Backups", "Succeeded", "Failed", "Scheduled runs", "Missed"),
)


def _summary_row(result: ReportResult) -> list[Text]:
    report = result.report
    if report is None:
        return [Text(result.server), Text("not read", BAD), *[Text(UNKNOWN)] * (len(_SUMMARY) - 2)]
    expected, missed = report.scheduled_runs, missed_runs(report)
    counts = [Text(UNKNOWN)] * 3
    if report.succeeded is not None:
        counts = [
            Text(str(len(report.runs))),
            Text(str(report.succeeded), "" if report.succeeded else BAD),
            Text(str(report.failed), BAD if report.failed else ""),
        ]
    return [
        Text(result.server),
        Text(time_text(report.last_success, zone_of(report)) or UNKNOWN),
        Text(_longest(report)),
        *counts,
        Text(UNKNOWN if expected is None else str(sum(run.verdict != RunVerdict.NOT_JUDGED for run in expected))),
        Text(UNKNOWN if expected is None else str(len(missed)), BAD if missed else ""),
    ]


def _longest(report: BackupReport) -> str:
    """Return the longest time without a success, rounded up."""
    if report.longest_interval is None:
        return UNKNOWN
    minutes = ceil((report.longest_interval.until - report.longest_interval.since).total_seconds() / 60)
    text = f"{minutes // 60}h {minutes % 60:02}m"
    if minutes > _MINUTES_OF_3_DAYS:
        text = duration(ceil(minutes / 60) * 3600)
    return text if report.is_remembered else f"at least {text}"


def _appliance(result: ReportResult, findings: Sequence[Text]) -> Section:
    """Return the section of an appliance; what all its backups have in common is a fact and no column."""
    report, facts = result.report, {"Host": result.host, "Release": result.release or UNKNOWN}
    if report is None:
        return Section(result.server, facts, findings)
    zone = zone_of(report)
    columns = {name: [text_of(run, zone) for run in report.runs] for name, text_of in RUN_COLUMNS.items()}
    same = {name: texts[0] or "" for name, texts in columns.items() if len(texts) > 1 == len(set(texts))}
    shown = {name: texts for name, texts in columns.items() if name not in same and any(texts)}
    runs = [(run.verdict.replace("-", " "), run.made_up_by) for run in report.scheduled_runs or ()]
    counts = Counter(f"{verdict} but made up for" if made_up_by else verdict for verdict, made_up_by in runs)
    facts |= {"Remembers backups since": time_text(report.remembered_since, zone) or UNKNOWN}
    facts |= {"Scheduled runs": ", ".join(f"{count} {verdict}" for verdict, count in counts.items())}
    facts |= {f"Schedule {each.name}": _schedule(each) for each in report.schedules or ()}
    facts |= {f"{name} of all backups": text for name, text in same.items()}
    texts_of_runs = zip(report.runs, *shown.values(), strict=True)
    rows = [[state_of(run), *(Text(text or UNKNOWN) for text in texts)] for run, *texts in texts_of_runs]
    return Section(result.server, facts, findings, ["Result", *shown], rows, report)


def _schedule(schedule: ScheduleInfo) -> str:
    state = {None: "enabled: unknown", True: "enabled", False: "disabled"}[schedule.enable]
    keeps = "keeps all" if schedule.max_count is None else f"keeps {schedule.max_count}"
    where = location_text(schedule.location, schedule.location_user) or UNKNOWN
    return f"{schedule.recurrence or UNKNOWN} ({schedule.time_zone or 'zone unknown'}), {state}, {keeps}, to {where}"
