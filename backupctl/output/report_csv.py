"""The report as CSV: a row for each run, and one for each appliance without any, so that none is missing."""

from collections.abc import Iterator, Sequence
from typing import Final

from backupctl.output.csv_text import csv_text
from backupctl.output.report_document import messages_text
from backupctl.results.report_results import ReportInfo, ReportResult

_OF_RESULT: Final = ("server", "host", "release", "simulated")
_OF_INFO: Final = ("since", "until", "generated_at", "generator", "change")
_OF_JOB: Final = (
    *("id", "type", "state", "start_time", "end_time", "duration_seconds", "size_bytes", "parts", "encrypted"),
    *("location", "location_user", "user", "build", "comment"),
)


def report_csv(results: Sequence[ReportResult], info: ReportInfo) -> str:
    """Return the report as CSV; the first column says what a row is about: run, no run, or an unread appliance."""
    heading = ("record", *_OF_RESULT, *_OF_INFO, *_OF_JOB, "messages")
    return csv_text([heading, *(row for result in results for row in _rows(result, info))])


def _rows(result: ReportResult, info: ReportInfo) -> Iterator[list[object]]:
    common = [*(getattr(result, name) for name in _OF_RESULT), *(getattr(info, name) for name in _OF_INFO)]
    nothing = [None] * len(_OF_JOB)
    if result.report is None:
        yield ["unread", *common, *nothing, result.error.message if result.error else None]
    elif not result.report.runs:
        yield ["no run", *common, *nothing, None]
    else:
        for run in result.report.runs:
            record = "forgotten run" if run.forgotten else "run"
            yield [record, *common, *(getattr(run.job, name) for name in _OF_JOB), messages_text(run.job)]
