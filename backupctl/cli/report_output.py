"""The format, the period and the file of a report."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from backupctl import __version__
from backupctl.cli.appliance_settings import selection_words
from backupctl.cli.context import Context
from backupctl.cli.timestamps import parse_timestamp
from backupctl.config.atomic_write import replace
from backupctl.config.option_table import GROUP, OUTPUT, QUIET
from backupctl.errors import UsageError
from backupctl.exit_codes import ExitCode
from backupctl.monitoring.report import skew_of_newest
from backupctl.output.json_view import envelope_text
from backupctl.output.printable import printable
from backupctl.output.report_csv import report_csv
from backupctl.output.report_html import report_html
from backupctl.output.report_markdown import report_markdown
from backupctl.output.safe_stream import SafeStream
from backupctl.results.backup_history import MEMORY
from backupctl.results.report_results import ReportInfo, ReportResult
from backupctl.results.result import Envelope
from backupctl.rules.plain_text import check_printable

_JSON: Final = "json"
_FACES: Final = {"markdown": report_markdown, "csv": report_csv, "html": report_html}
_SUFFIXES: Final = {
    **dict.fromkeys(("", ".md", ".txt"), "markdown"),
    ".csv": "csv",
    ".html": "html",
    ".json": _JSON,
}
_FILE_MODE: Final = 0o600
"""The mode of a new file, as reports name hosts, locations and users."""


def report_format(context: Context, named: str | None, path: Path | None) -> str | None:
    """Return the format to write, None if the envelope is all. Raises UsageError: for an unknown or a second one."""
    output, suffix = context.value(OUTPUT), path.suffix if path else ""
    if named is None and suffix not in _SUFFIXES:
        hint = f"give --format {'|'.join((*_FACES, _JSON))}"
        raise UsageError(f"cannot tell the format of the report from the suffix {suffix}", hint=hint)
    if path is None and (named == _JSON or (named is None and output != "text")):
        return None
    if path is None and output != "text":
        hint = "write the report to a file: --to FILE"
        raise UsageError(f"--format {named} and -o {output} exclude each other", hint=hint)
    return named or _SUFFIXES[suffix]


def report_info(context: Context, since: str, until: str | None, change: str | None) -> ReportInfo:
    """Return the period and the other facts of a report. Raises UsageError: for an invalid one."""
    now = context.clock.now().replace(microsecond=0)
    first, last = parse_timestamp("--since", since, now), parse_timestamp("--until", until, now)
    end = min(last or now, now)
    if first is None or not timedelta() < end - first < MEMORY:
        hint = "--since must be before --until and now, by less than ten years"
        raise UsageError("the period is empty or too long", hint=hint)
    check_printable(change or "", "--change")
    flag, group = (*selection_words(context), None, None)[:2]
    return ReportInfo(
        since=first,
        until=end,
        generated_at=now,
        generator=f"backupctl {__version__}",
        change=change,
        group=group if flag == GROUP.short else None,
    )


def show_report(
    context: Context, results: Sequence[ReportResult], info: ReportInfo, format_name: str | None, path: Path | None
) -> int:
    """Write the report and what failed, and return the exit code; an interrupted run writes no report.

    Raises OutputError: if the report cannot be written.
    """
    skew = skew_of_newest(results, info)
    if format_name is not None and all(each.exit_code != ExitCode.INTERRUPTED for each in results):
        envelope = Envelope.of(context.command, results, skew)
        text = envelope_text(envelope) if format_name == _JSON else _FACES[format_name](results, info)
        if path is None:
            context.print(text)
        else:
            _write(context, path, text)
    return context.finish(results, skew)


def _write(context: Context, path: Path, text: str) -> None:
    """Write the file, and print its digest for the record of a change."""
    replace(path, text, _FILE_MODE)
    if not context.value(QUIET):
        digest = sha256(text.encode()).hexdigest()
        SafeStream(context.stderr).write(f"report written to {printable(str(path))}\nSHA-256  {digest}\n")
