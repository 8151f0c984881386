"""``backupctl status``."""

from __future__ import annotations

from functools import partial

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.context import Context
from backupctl.cli.job_argument import job_argument, single_appliance_reason
from backupctl.cli.options import ApplianceCommand, shared_options


@click.command("status", cls=ApplianceCommand)
@job_argument(default="latest")
@shared_options
@click.pass_obj
def command(context: Context, job_id: str) -> int:
    """Show one job as it is now: JOB_ID, or the latest one."""
    from backupctl.cli.runner import run_job
    from backupctl.operations.watch import status
    from backupctl.results.backup_results import JobResult

    traits = CommandTraits(single_reason=single_appliance_reason(job_id))
    return run_job(context, JobResult, lambda _: partial(status, job_id=job_id), traits)
