"""``backupctl validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, backup_options, options, shared_options
from backupctl.config.option_table import LOCATION_CA_FILE, LOCATION_FINGERPRINT, PATH_FOR

if TYPE_CHECKING:
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import Work
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task


@click.command("validate", cls=ApplianceCommand)
@click.option("--direct", is_flag=True, help="Also check the backup server from this host.")
@backup_options
@options(LOCATION_FINGERPRINT, LOCATION_CA_FILE, PATH_FOR)
@shared_options
@click.pass_obj
def command(context: Context, direct: bool) -> int:
    """Check everything that can be checked before a backup, without starting one."""
    from backupctl.cli.backup_settings import backup_request
    from backupctl.cli.runner import run
    from backupctl.cli.target_settings import system_of, target_access
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.target_health import check_backup_server
    from backupctl.operations.validate import checks_error, validate
    from backupctl.results.backup_results import ChecksResult

    def prepare(settings: ApplianceSettings) -> Work[ChecksResult]:
        request, resolved = backup_request(settings)
        access, system = (target_access(settings, resolved), system_of(settings)) if direct else (None, "")

        def work(appliance: Appliance) -> Task[Outcome[ChecksResult]]:
            checks = yield from validate(appliance, request)
            error = checks_error(checks)
            if access is not None:
                seen = yield from check_backup_server(appliance, context.targets, access, system)
                checks, error = checks + seen, error or checks_error(seen, "checks from this host failed")
            return Outcome(ChecksResult(checks=checks), error)

        return work

    return run(context, ChecksResult, prepare)
