"""``backupctl cancel``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.context import Context
from backupctl.cli.job_argument import job_argument, single_appliance_reason
from backupctl.cli.options import ApplianceCommand, options, shared_options
from backupctl.config.option_table import DRY_RUN

if TYPE_CHECKING:
    from backupctl.results.result import PreparedRequest
    from backupctl.scheduler.appliance import Appliance


@click.command("cancel", cls=ApplianceCommand)
@job_argument()
@options(DRY_RUN)
@shared_options
@click.pass_obj
def command(context: Context, job_id: str) -> int:
    """Cancel a running job, JOB_ID or latest, and see it end (for at most 60 s)."""
    from backupctl.cli.runner import run_job, show_requests
    from backupctl.operations.cancel import cancel
    from backupctl.results.backup_results import JobResult

    traits = CommandTraits(changes=True, single_reason=single_appliance_reason(job_id))
    if context.value(DRY_RUN):

        def preview(appliance: Appliance) -> tuple[PreparedRequest, ...]:
            return appliance.api.prepare(lambda api: api.cancel_job(job_id))

        return show_requests(context, "cancel", lambda _: preview, traits)

    return run_job(context, "cancel", JobResult, lambda _: partial(cancel, job_id=job_id), traits)
