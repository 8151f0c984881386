"""``backupctl create``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, backup_options, in_group, options, shared_options, target_options
from backupctl.config.option import OptionGroup
from backupctl.config.option_table import DRY_RUN, KEEP_RULES, PREFLIGHT, PRUNE, TOGETHER, VERIFY

if TYPE_CHECKING:
    from datetime import datetime

    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.location_settings import ResolvedLocation
    from backupctl.cli.runner import SlotWork
    from backupctl.cli.verification import FollowUp
    from backupctl.location import Location
    from backupctl.operations.create import BackupPlan
    from backupctl.operations.outcome import Outcome
    from backupctl.results.backup_results import JobResult
    from backupctl.results.result import PreparedRequest
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.coordinator import Slot
    from backupctl.scheduler.task import Task

DEFAULT_PARTS = ("(the parts that the appliance selects by default)",)
"""Placeholder for the parts in a dry run that names none, as only the appliance knows its defaults."""


@click.command("create", cls=ApplianceCommand)
@backup_options
@options(*in_group(OptionGroup.FOLLOWING))
@options(*KEEP_RULES)
@target_options
@shared_options
@click.pass_obj
def command(context: Context) -> int:
    """Start a backup and follow it to its end."""
    from backupctl.cli.backup_settings import job_result
    from backupctl.cli.runner import run_backups, show_requests

    if context.value(DRY_RUN):
        return show_requests(context, _prepare_dry_run)
    return run_backups(context, job_result(context), _prepare)


def _prepare(settings: ApplianceSettings) -> SlotWork[JobResult]:
    """Return the work that starts a backup, in the folder of its start time, and what follows it."""
    from msgspec.structs import replace

    from backupctl.cli.backup_settings import job_result
    from backupctl.cli.runner import job_result_of
    from backupctl.operations.create import create
    from backupctl.operations.preflight import preflight
    from backupctl.operations.validate import validate

    plan, resolved = _plan(settings)
    checks_first = settings.value(PREFLIGHT) or settings.context.value(TOGETHER)
    follow_ups, location = _follow_ups(settings, resolved), resolved.location

    def location_at(start: datetime) -> Location:
        nonlocal location
        location = resolved.at(start)
        return location

    def work(appliance: Appliance, slot: Slot) -> Task[Outcome[JobResult]]:
        if checks_first:
            request = replace(plan.request, location=resolved.at(settings.clock.now()))
            yield from preflight(appliance, validate(appliance, request, plan.if_running))
        task = create(appliance, replace(plan, location_at=location_at), slot)
        ended = yield from job_result_of(job_result(settings.context), task)
        for follow_up in follow_ups:
            ended = yield from follow_up(appliance, ended, location)
        return ended

    return work


def _follow_ups(settings: ApplianceSettings, resolved: ResolvedLocation) -> list[FollowUp]:
    """Return what comes after a backup: its verification and pruning, as far as they are wanted."""
    from msgspec.structs import replace

    prunes = any(option.key in settings.context.given for option in (PRUNE, *KEEP_RULES))
    if not prunes and settings.value(VERIFY) == "none":
        return []
    from backupctl.cli.prune_settings import check_pruning, prune_request
    from backupctl.cli.verification import backup_verification
    from backupctl.operations.prune_archives import prune_after_backup

    def prune(appliance: Appliance, ended: Outcome[JobResult], location: Location) -> Task[Outcome[JobResult]]:
        request = partial(prune_request, settings, replace(resolved, location=location))
        return prune_after_backup(appliance, request, ended)

    if prunes:
        check_pruning(settings, resolved)
    verify = backup_verification(settings, resolved)
    return [each for each in (verify, prune if prunes else None) if each is not None]


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
