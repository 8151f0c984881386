"""``backupctl create``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, backup_options, in_group, options, shared_options
from backupctl.config.option import OptionGroup
from backupctl.config.option_table import DRY_RUN, PREFLIGHT, TOGETHER

if TYPE_CHECKING:
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.location_settings import ResolvedLocation
    from backupctl.cli.runner import SlotWork
    from backupctl.operations.create import BackupPlan
    from backupctl.operations.outcome import Outcome
    from backupctl.results.job import Job
    from backupctl.results.result import PreparedRequest
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.coordinator import Slot
    from backupctl.scheduler.task import Task

DEFAULT_PARTS = ("(the parts that the appliance selects by default)",)
"""Placeholder for the parts in a dry run that names none, as only the appliance knows its defaults."""


@click.command("create", cls=ApplianceCommand)
@backup_options
@options(*in_group(OptionGroup.FOLLOWING))
@shared_options
@click.pass_obj
def command(context: Context) -> int:
    """Start a backup and follow it to its end."""
    from backupctl.cli.backup_settings import job_result
    from backupctl.cli.runner import run_backups, show_requests

    if context.value(DRY_RUN):
        return show_requests(context, _prepare_dry_run)
    return run_backups(context, job_result(context), _prepare)


def _prepare(settings: ApplianceSettings) -> SlotWork[Job]:
    """Return the work that starts a backup, in the folder of its start time, and follows it."""
    from msgspec.structs import replace

    from backupctl.operations.create import create
    from backupctl.operations.preflight import preflight
    from backupctl.operations.validate import validate

    plan, resolved = _plan(settings)
    checks_first = settings.value(PREFLIGHT) or settings.context.value(TOGETHER)

    def work(appliance: Appliance, slot: Slot) -> Task[Outcome[Job]]:
        if checks_first:
            request = replace(plan.request, location=resolved.at(settings.clock.now()))
            yield from preflight(appliance, validate(appliance, request, plan.if_running))
        return (yield from create(appliance, replace(plan, location_at=resolved.at), slot))

    return work


def _plan(settings: ApplianceSettings) -> tuple[BackupPlan, ResolvedLocation]:
    from backupctl.cli.backup_settings import backup_plan, backup_request, check_encryption_options

    check_encryption_options(settings)
    request, resolved = backup_request(settings)
    return backup_plan(settings)(request), resolved


def _prepare_dry_run(settings: ApplianceSettings) -> Callable[[Appliance], tuple[PreparedRequest, ...]]:
    from msgspec.structs import replace

    request = _plan(settings)[0].request
    if not request.parts:
        request = replace(request, parts=DEFAULT_PARTS)
    return lambda appliance: appliance.api.prepare(lambda api: api.create_job(request))
