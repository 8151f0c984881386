"""``backupctl cancel``."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.confirmation import check_terminal, confirm, yes_option
from backupctl.cli.context import Context
from backupctl.cli.job_argument import LATEST, job_argument, single_appliance_reason
from backupctl.cli.options import ApplianceCommand, options, shared_options
from backupctl.config.option_table import DRY_RUN

if TYPE_CHECKING:
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import Work
    from backupctl.results.backup_results import JobResult
    from backupctl.results.job import Job
    from backupctl.results.result import PreparedRequest
    from backupctl.scheduler.appliance import Appliance


@click.command("cancel", cls=ApplianceCommand)
@job_argument()
@options(DRY_RUN)
@yes_option
@shared_options
@click.pass_obj
def command(context: Context, job_id: str, yes: bool) -> int:
    """Cancel a running job, JOB_ID or latest, and see it end (for at most 60 s)."""
    from backupctl.cli.runner import run_job, show_requests
    from backupctl.operations.cancel import cancel
    from backupctl.results.backup_results import JobResult

    traits = CommandTraits(changes=True, single_reason=single_appliance_reason(job_id))
    if context.value(DRY_RUN):

        def preview(appliance: Appliance) -> tuple[PreparedRequest, ...]:
            return appliance.api.prepare(lambda api: api.cancel_job(job_id))

        return show_requests(context, lambda _: preview, traits)

    shown = _confirm_latest(context, traits) if job_id == LATEST and not yes else {}

    def prepare(settings: ApplianceSettings) -> Work[Job]:
        result = shown.get(settings.name)
        if result is not None and result.error is not None:
            raise result.error
        return partial(cancel, job_id=result.job.id if result and result.job else job_id)

    return run_job(context, JobResult, prepare, traits)


def _confirm_latest(context: Context, traits: CommandTraits) -> dict[str, JobResult]:
    """Show the latest job of each appliance, ask whether to cancel them, and return the results of reading them."""
    from backupctl.cli.runner import results_of
    from backupctl.operations.cancel import read_running
    from backupctl.results.backup_results import JobResult

    action = "cancel the latest backup"
    results = results_of(
        context,
        JobResult,
        lambda _: read_running,
        traits,
        confirm=lambda appliances: check_terminal(context, action, [each.name for each in appliances]),
    )
    running = [f"{each.server}: {_description(each.job, context.clock.now())}" for each in results if each.job]
    if running:
        confirm(context, action, running)
    return {each.server: each for each in results}


def _description(job: Job, now: datetime) -> str:
    from backupctl.formatting import percent, relative

    progress = None if job.progress is None else percent(job.progress)
    started = None if job.start_time is None else f"started {relative(job.start_time, now)}"
    return ", ".join(filter(None, (job.id, progress, started)))
