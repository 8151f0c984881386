"""The report as CSV (RFC 4180): a row for each backup and each missed run, and one for each appliance without any."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import asdict

from backupctl.output.printable import printable
from backupctl.output.report_findings import messages_text, missed_runs
from backupctl.results.report_results import ReportInfo, ReportResult

COLUMNS: Final = (
    *("record", "server", "host", "release", "simulated", "insecure"),
    *("since", "until", "generated_at", "generator", "change", "remembered_since", "due"),
    *("id", "type", "state", "start_time", "end_time", "duration_seconds", "size_bytes", "encrypted"),
    *("location", "location_user", "user", "build", "comment", "parts", "run_by", "messages"),
)
"""``record`` says what a row is about: a run, one that only the journal has, a missed run, no run, or an error."""

_FORMULA: Final = re.compile(r"(^|;)(\s*[=+\-@＝＋－＠])")
"""Where a spreadsheet program may see a formula; where decimals have commas, a semicolon begins a new cell.

Source: https://owasp.org/www-community/attacks/CSV_Injection.
"""


def report_csv(results: Sequence[ReportResult], info: ReportInfo) -> str:
    """Return the report as CSV, which a spreadsheet program shows without running anything."""
    text = io.StringIO()
    rows = ([csv_cell(row.get(name)) for name in COLUMNS] for result in results for row in _rows(result, info))
    csv.writer(text).writerows([COLUMNS, *rows])
    return text.getvalue()


def csv_cell(value: object) -> object:
    """Return the cell of a value: times as RFC 3339, anything but a text as it is.

    A text that a spreadsheet program would run as a formula gets an apostrophe, which makes it a text.
    """
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return _FORMULA.sub(r"\1'\2", printable(value)) if isinstance(value, str) else value


def _rows(result: ReportResult, info: ReportInfo) -> Iterator[Mapping[str, object]]:
    """Yield rows, each with values for some columns."""
    if result.report is None:
        failure = {"record": "unread", "messages": result.error and result.error.message}
        yield {**asdict(result), **asdict(info), **failure}
        return
    common, missed = {**asdict(result), **asdict(result.report)}, missed_runs(result.report)
    for run in result.report.runs:
        texts = {"parts": " ".join(run.job.parts or ()), "run_by": run.run_by, "messages": messages_text(run.job)}
        yield {**common, **asdict(run.job), **texts, "record": "forgotten run" if run.forgotten else "run"}
    yield from ({**common, "record": run.verdict, "due": run.due} for run in missed)
    if not (result.report.runs or missed):
        yield {**common, "record": "no run"}
