"""The report as CSV: a row for each backup and each missed run, and one for each appliance without any."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from backupctl.output.csv_text import csv_text
from backupctl.output.report_findings import messages_text, missed_runs
from backupctl.results.report_results import ReportInfo, ReportResult

_OF_RESULT: Final = ("server", "host", "release", "simulated")
_OF_INFO: Final = ("since", "until", "generated_at", "generator", "change")
_OF_JOB: Final = (
    *("id", "type", "state", "start_time", "end_time", "duration_seconds", "size_bytes", "encrypted"),
    *("location", "location_user", "user", "build", "comment"),
)
COLUMNS: Final = ("record", *_OF_RESULT, *_OF_INFO, "remembered_since", "due", *_OF_JOB, "parts", "run_by", "messages")
"""``record`` says what a row is about: a run, one that only the journal has, a missed run, no run, or an error."""


def report_csv(results: Sequence[ReportResult], info: ReportInfo) -> str:
    """Return the report as CSV."""
    rows = ([row.get(name) for name in COLUMNS] for result in results for row in _rows(result, info))
    return csv_text([COLUMNS, *rows])


def _rows(result: ReportResult, info: ReportInfo) -> Iterator[Mapping[str, object]]:
    common = {name: getattr(result, name) for name in _OF_RESULT} | {name: getattr(info, name) for name in _OF_INFO}
    if result.report is None:
        yield {**common, "record": "unread", "messages": result.error and result.error.message}
        return
    common["remembered_since"] = result.report.remembered_since
    missed = missed_runs(result.report)
    for run in result.report.runs:
        job = {name: getattr(run.job, name) for name in _OF_JOB}
        yield {
            **common,
            **job,
            "record": "forgotten run" if run.forgotten else "run",
            "parts": " ".join(run.job.parts or ()),
            "run_by": run.run_by,
            "messages": messages_text(run.job),
        }
    yield from ({**common, "record": run.verdict, "due": run.due} for run in missed)
    if not (result.report.runs or missed):
        yield {**common, "record": "no run"}
