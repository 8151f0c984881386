"""``backupctl report``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from backupctl import __version__
from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, shared_options
from backupctl.config.option_table import OUTPUT, QUIET
from backupctl.errors import UsageError
from backupctl.exit_codes import ExitCode
from backupctl.output.safe_stream import SafeStream

if TYPE_CHECKING:
    from pathlib import Path

    from backupctl.operations.outcome import Outcome
    from backupctl.results.journal_entry import JournalEntry
    from backupctl.results.report_results import ReportInfo, ReportResult
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task

FORMATS: Final = {"markdown": ".md", "csv": ".csv", "json": ".json", "html": ".html"}
"""The formats, each with the suffix of its files."""
_FILE_MODE: Final = 0o600
"""The mode of a new file, as reports name hosts, locations and users."""
_LONGEST: Final = timedelta(days=3653)


@click.command("report", cls=ApplianceCommand)
@click.option("--since", metavar="WHEN", default="90d", help="From 2026-03-01, 2026-03-01T02:00 or 90d (default).")
@click.option("--until", metavar="WHEN", help="Until then (default: now).")
@click.option(
    "--format",
    "named",
    metavar="|".join(FORMATS),
    type=click.Choice(list(FORMATS), case_sensitive=False),
    help="Default: that of FILE, or markdown.",
)
@click.option("--change", metavar="ID", help="Name the change that the report is about.")
@click.option("--to", metavar="FILE", help="Write or replace this file, and print its SHA-256.")
@shared_options
@click.pass_obj
def command(  # noqa: PLR0917 - click passes arguments by name
    context: Context, since: str, until: str | None, named: str | None, change: str | None, to: str | None
) -> int:
    """Report the backups of a period, as evidence for a change or an audit."""
    from backupctl.cli.journal_access import journal
    from backupctl.cli.runner import collect
    from backupctl.config.parsers import parse_path
    from backupctl.monitoring.report import skew_of_newest
    from backupctl.results.report_results import ReportResult

    path = None if to is None else parse_path(to)
    format_name = _format_name(context, named, path)
    info = _info(context, since, until, change)
    entries = journal(context, info.since).entries
    results = collect(context, ReportResult, lambda _: partial(_read, info, entries))
    if format_name is not None and all(each.exit_code != ExitCode.INTERRUPTED for each in results):
        _write(context, _text(context, results, info, format_name), path)
    return context.finish(results, skew_of_newest(results))


def _format_name(context: Context, named: str | None, path: Path | None) -> str | None:
    """Return the format to write, None if the envelope is all. Raises UsageError: for two on standard output."""
    if path is not None:
        return named or next((each for each, suffix in FORMATS.items() if path.suffix == suffix), "markdown")
    output = context.value(OUTPUT)
    if output == "text" and not (named == "html" and SafeStream(context.stdout).isatty()):
        return None if named == "json" else named or "markdown"
    if named in {None, "json"}:
        return None
    why = "cannot be shown on a terminal" if output == "text" else f"and -o {output} exclude each other"
    raise UsageError(f"--format {named} {why}", hint="write the report to a file: --to report.html")


def _info(context: Context, since: str, until: str | None, change: str | None) -> ReportInfo:
    from backupctl.cli.timestamps import parse_timestamp
    from backupctl.results.report_results import ReportInfo
    from backupctl.rules.plain_text import check_printable

    now = context.clock.now().replace(microsecond=0)
    first, last = parse_timestamp("--since", since, now), parse_timestamp("--until", until, now)
    end = min(last or now, now)
    if first is None or not timedelta() < end - first < _LONGEST:
        hint = "--since must be before --until and now, by less than ten years"
        raise UsageError("the period is empty or too long", hint=hint)
    check_printable(change or "", "--change")
    return ReportInfo(since=first, until=end, generated_at=now, generator=f"backupctl {__version__}", change=change)


def _read(info: ReportInfo, entries: Sequence[JournalEntry], appliance: Appliance) -> Task[Outcome[ReportResult]]:
    from backupctl.monitoring.journaled_jobs import with_journal
    from backupctl.monitoring.report import backup_report
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.read_history import read_history
    from backupctl.results.report_results import ReportResult

    history = yield from read_history(appliance)
    backups = with_journal(history.jobs, entries, appliance.name)
    return Outcome(ReportResult(report=backup_report(history, backups, info)))


def _text(context: Context, results: Sequence[ReportResult], info: ReportInfo, format_name: str) -> str:
    from backupctl.monitoring.report import skew_of_newest
    from backupctl.output.json_view import envelope_text
    from backupctl.output.report_csv import report_csv
    from backupctl.output.report_html import report_html
    from backupctl.output.report_markdown import report_markdown
    from backupctl.results.result import Envelope

    if format_name == "json":
        return envelope_text(Envelope.of(context.command, results, skew_of_newest(results)))
    return {"csv": report_csv, "html": report_html, "markdown": report_markdown}[format_name](results, info)


def _write(context: Context, text: str, path: Path | None) -> None:
    """Write the report, and the digest of a file. Raises OutputError: if the report cannot be written."""
    from hashlib import sha256

    from backupctl.config.atomic_write import replace
    from backupctl.output.printable import printable

    if path is None:
        context.print(text)
        return
    replace(path, text, _FILE_MODE)
    if not context.value(QUIET):
        digest = sha256(text.encode()).hexdigest()
        SafeStream(context.stderr).write(f"report written to {printable(str(path))}\nSHA-256  {digest}\n")
