"""``backupctl parts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, shared_options

if TYPE_CHECKING:
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task


@click.command("parts", cls=ApplianceCommand)
@shared_options
@click.pass_obj
def command(context: Context) -> int:
    """Show what can be backed up, with estimated sizes and their total."""
    from backupctl.cli.runner import run
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.parts import read_parts, total_mb
    from backupctl.results.backup_results import PartsResult

    def work(appliance: Appliance) -> Task[Outcome[PartsResult]]:
        parts, unreadable = yield from read_parts(appliance)
        return Outcome(PartsResult(parts=parts, total_mb=total_mb(parts), unreadable=unreadable))

    return run(context, PartsResult, lambda _: work)
