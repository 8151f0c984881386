"""``backupctl metrics``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.context import Context
from backupctl.cli.options import CommandGroup, SectionedCommand, shared_options
from backupctl.errors import UsageError

if TYPE_CHECKING:
    from backupctl.operations.outcome import Outcome
    from backupctl.results.backup_history import HistoryResult
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task

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
    from backupctl.config.atomic_write import publish
    from backupctl.config.option_table import OUTPUT
    from backupctl.exit_codes import ExitCode
    from backupctl.output.prometheus import exposition
    from backupctl.results.backup_history import HistoryResult

    path = None if to is None else _textfile(to)
    results = collect(context, HistoryResult, lambda _: _read, TRAITS)
    if path is not None and all(each.exit_code != ExitCode.INTERRUPTED for each in results):
        publish(path, exposition(results))
    elif path is None and context.value(OUTPUT) == "text":
        context.print(exposition(results))
    return context.finish(results)


@command.command("rules", cls=SectionedCommand)
@click.pass_obj
def rules(context: Context) -> int:
    """Print alert rules for Prometheus."""
    context.print(RULES.read_text(encoding="utf-8"))
    return 0


def _read(appliance: Appliance) -> Task[Outcome[HistoryResult]]:
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.read_history import read_history
    from backupctl.results.backup_history import HistoryResult
    from backupctl.results.events import Warned

    history = yield from read_history(appliance)
    if history.schedules_error is not None:
        appliance.emit(Warned(message=f"no metrics of schedules: {history.schedules_error}"))
    return Outcome(HistoryResult(history=history))


def _textfile(text: str) -> Path:
    """Return the path of a file for the node exporter. Raises UsageError: if it would be ignored or is not writable."""
    from backupctl.config.parsers import parse_path

    path = parse_path(text)
    if path.suffix != ".prom":
        raise UsageError("--to: $1 does not end in .prom", texts=(text,), hint="the node exporter ignores other files")
    folder = Path(os.path.realpath(path)).parent
    if not os.access(folder, os.W_OK | os.X_OK):
        hint = "create the folder, and let this user write to it"
        raise UsageError("--to: cannot write to the folder $1", texts=(str(folder),), hint=hint)
    return path
