"""``backupctl cancel``."""

from __future__ import annotations

from collections.abc import Sequence
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
    from backupctl.operations.cancel import cancel, read_running
    from backupctl.results.backup_results import JobResult
    from backupctl.results.job import Job

    traits = CommandTraits(changes=True, single_reason=single_appliance_reason(job_id), journaled=True)
    if context.value(DRY_RUN):

        def preview(appliance: Appliance) -> tuple[PreparedRequest, ...]:
            return appliance.api.prepare(lambda api: api.cancel_job(job_id))

        return show_requests(context, lambda _: preview, traits)

    if job_id != LATEST or yes:
        return run_job(context, JobResult, lambda _: partial(cancel, job_id=job_id), traits)

    action, running = "cancel the latest backup", dict[str, Job]()

    def prepare(settings: ApplianceSettings) -> Work[Job]:
        contact = context.contact
        assert contact is not None  # noqa: S101 - the runner prepares the work in its first contact
        check_terminal(context, action, [each.name for each in contact.selected])
        if not running:
            running.update(contact.run_all(read_running))
            contact.appliance(settings)
        return partial(cancel, job_id=running[settings.name].id)

    def confirm_cancel(appliances: Sequence[Appliance]) -> None:
        now = context.clock.now()
        confirm(context, action, [f"{each.name}: {_description(running[each.name], now)}" for each in appliances])

    return run_job(context, JobResult, prepare, traits, confirm=confirm_cancel)


def _description(job: Job, now: datetime) -> str:
    from backupctl.formatting import percent, relative

    progress = None if job.progress is None else percent(job.progress)
    started = None if job.start_time is None else f"started {relative(job.start_time, now)}"
    return ", ".join(filter(None, (job.id, progress, started)))
