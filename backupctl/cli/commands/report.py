"""``backupctl report``."""

from __future__ import annotations

from typing import Final

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, shared_options

FORMATS: Final = ("markdown", "csv", "json", "html")


@click.command("report", cls=ApplianceCommand)
@click.option("--since", metavar="WHEN", default="90d", help="From 2026-03-01, 2026-03-01T02:00 or 90d (default).")
@click.option("--until", metavar="WHEN", help="Until then (default: now).")
@click.option(
    "--format",
    "named",
    metavar="|".join(FORMATS),
    type=click.Choice(FORMATS),
    help="Default: by the name of FILE, or markdown.",
)
@click.option("--change", metavar="ID", help="Change ID to print in the report.")
@click.option("--to", metavar="FILE", help="Write or replace this file, and print its SHA-256.")
@shared_options
@click.pass_obj
def command(  # noqa: PLR0917 - click passes arguments by name
    context: Context, since: str, until: str | None, named: str | None, change: str | None, to: str | None
) -> int:
    """Report the backups of a period, as evidence for a change or an audit."""
    from functools import partial

    from msgspec.structs import replace

    from backupctl.cli.journal_access import journal
    from backupctl.cli.report_output import report_format, report_info, show_report
    from backupctl.cli.runner import collect
    from backupctl.config.option_table import INSECURE
    from backupctl.config.parsers import parse_path
    from backupctl.operations.read_report import read_report
    from backupctl.results.report_results import ReportResult

    path = None if to is None else parse_path(to)
    format_name = report_format(context, named, path)
    period = report_info(context, since, until, change)
    kept = journal(context, period.since)
    info = replace(period, journal_entries=len(kept.entries), unreadable_lines=kept.unreadable)
    read = partial(read_report, info=info, entries=kept.entries)
    results = collect(context, ReportResult, lambda settings: partial(read, insecure=settings.value(INSECURE)))
    return show_report(context, results, info, format_name, path)
