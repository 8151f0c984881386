"""``backupctl metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.context import Context
from backupctl.cli.options import CommandGroup, SectionedCommand, shared_options
from backupctl.errors import UsageError

RULES: Final = Path(__file__).parents[2] / "output" / "alert_rules.yml"

TRAITS: Final = CommandTraits(deadline=300.0)
"""An appliance that does not answer must not keep the metrics of the others back for longer."""

command = CommandGroup("metrics")


@command.command("export")
@click.option("--to", metavar="FILE", help="Replace this file, NAME.prom (default: standard output).")
@shared_options
@click.pass_obj
def export(context: Context, to: str | None) -> int:
    """Export the state of the backups as metrics for Prometheus."""
    from backupctl.cli.runner import collect
    from backupctl.config.atomic_write import replace_public
    from backupctl.config.option_table import OUTPUT
    from backupctl.config.parsers import parse_path
    from backupctl.exit_codes import ExitCode
    from backupctl.operations.read_history import history_result
    from backupctl.output.prometheus import exposition
    from backupctl.results.backup_history import HistoryResult

    path = None if to is None else parse_path(to)
    if path is not None and not path.name.endswith(".prom"):
        hint = "the node exporter ignores other files"
        raise UsageError("--to: $1 does not end in .prom", texts=(str(path),), hint=hint)
    results = collect(context, HistoryResult, lambda _: history_result, TRAITS)
    if path is not None and all(each.exit_code != ExitCode.INTERRUPTED for each in results):
        replace_public(path, exposition(results))
    elif path is None and context.value(OUTPUT) == "text":
        context.print(exposition(results))
    return context.finish(results)


@command.command("rules", cls=SectionedCommand)
@click.pass_obj
def rules(context: Context) -> int:
    """Print alert rules for Prometheus."""
    context.print(RULES.read_text(encoding="utf-8"))
    return 0
