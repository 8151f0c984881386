"""``backupctl validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, backup_options, shared_options

if TYPE_CHECKING:
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import Work
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task


@click.command("validate", cls=ApplianceCommand)
@backup_options
@shared_options
@click.pass_obj
def command(context: Context) -> int:
    """Check everything that can be checked before a backup, without starting one."""
    from backupctl.cli.backup_settings import backup_request
    from backupctl.cli.runner import run
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.validate import checks_error, validate
    from backupctl.results.backup_results import ChecksResult

    def prepare(settings: ApplianceSettings) -> Work[ChecksResult]:
        request, _ = backup_request(settings)

        def work(appliance: Appliance) -> Task[Outcome[ChecksResult]]:
            checks = yield from validate(appliance, request)
            return Outcome(ChecksResult(checks=checks), checks_error(checks))

        return work

    return run(context, ChecksResult, prepare)
