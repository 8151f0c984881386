"""``backupctl watch``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.context import Context
from backupctl.cli.job_argument import job_argument, single_appliance_reason
from backupctl.cli.options import ApplianceCommand, options, shared_options
from backupctl.config.option_table import INTERVAL, STALL_TIMEOUT, TIMEOUT

if TYPE_CHECKING:
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import Work
    from backupctl.results.job import Job


@click.command("watch", cls=ApplianceCommand)
@job_argument(default="latest")
@options(TIMEOUT, STALL_TIMEOUT, INTERVAL)
@shared_options
@click.pass_obj
def command(context: Context, job_id: str) -> int:
    """Follow a job to its end: JOB_ID, or the latest one."""
    from backupctl.cli.backup_settings import job_timeouts
    from backupctl.cli.runner import run_job
    from backupctl.operations.watch import watch
    from backupctl.results.backup_results import JobResult

    def prepare(settings: ApplianceSettings) -> Work[Job]:
        timeouts = job_timeouts(settings)
        return lambda appliance: watch(appliance, job_id, timeouts)

    traits = CommandTraits(single_reason=single_appliance_reason(job_id), timed=True, journaled=True)
    return run_job(context, JobResult, prepare, traits)
