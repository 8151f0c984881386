"""``backupctl schedule``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.confirmation import check_terminal, confirm, yes_option
from backupctl.cli.context import Context
from backupctl.cli.options import CommandGroup, ExampleArgument, options, secret_options, shared_options
from backupctl.config.option_table import (
    BACKUP_PASSWORD,
    CANCEL_ON_INTERRUPT,
    COMMENT,
    DRY_RUN,
    FAIL_FAST,
    FAST_BACKUP,
    IF_RUNNING,
    INTERVAL,
    LOCATION,
    LOCATION_PASSWORD,
    LOCATION_USER,
    NO_WAIT,
    PART,
    STALL_TIMEOUT,
    TIMEOUT,
    TOGETHER,
)
from backupctl.errors import UsageError

if TYPE_CHECKING:
    from backupctl.api.recovery_api import RecoveryApi
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import Confirm, SlotWork, Work
    from backupctl.models import BackupJobStatus, BackupRequest
    from backupctl.operations.outcome import Outcome
    from backupctl.results.backup_results import JobResult
    from backupctl.results.result import RequestsResult
    from backupctl.results.schedule_results import ScheduleResult
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.coordinator import Slot
    from backupctl.scheduler.task import Task


_DEFAULT = "default"

name_argument = click.argument("name", cls=ExampleArgument, example=_DEFAULT, default=_DEFAULT, metavar="[NAME]")


command = CommandGroup("schedule")


@command.command("list")
@shared_options
@click.pass_obj
def list_command(context: Context) -> int:
    """List all schedules."""
    from backupctl.cli.runner import run
    from backupctl.operations.schedule import read_schedules
    from backupctl.results.schedule_results import SchedulesResult

    return run(context, SchedulesResult, lambda _: read_schedules)


@command.command("show")
@name_argument
@shared_options
@click.pass_obj
def show(context: Context, name: str) -> int:
    """Show a schedule."""
    from backupctl.cli.runner import run
    from backupctl.operations.schedule import read_schedule
    from backupctl.results.schedule_results import ScheduleResult

    return run(context, ScheduleResult, lambda _: partial(read_schedule, name=name))


@command.command("set")
@name_argument
@click.option("--at", metavar="HH:MM", help="Time of day, in the time zone of the appliance.")
@click.option("--day", "days", metavar="DAY", multiple=True, help="Day of the week, or every (repeatable).")
@click.option("--retain", metavar="N", type=int, help="Backups to keep (default for a new schedule: all).")
@click.option("--enable/--disable", default=None, help="Enable or disable the schedule.")
@options(LOCATION, LOCATION_USER, PART, FAST_BACKUP)
@secret_options(LOCATION_PASSWORD, BACKUP_PASSWORD)
@options(DRY_RUN)
@shared_options
@click.pass_obj
def set_command(  # noqa: PLR0917 - click passes arguments by name
    context: Context, name: str, at: str | None, days: tuple[str, ...], retain: int | None, enable: bool | None
) -> int:
    """Create a schedule, or change it where it differs from the request."""
    from backupctl.cli.schedule_settings import given_schedule, new_schedule, schedule_timing
    from backupctl.operations.schedule import set_schedule

    timing = schedule_timing(at, days, retain, enable=enable)
    dry_run = context.value(DRY_RUN)

    def prepare(settings: ApplianceSettings) -> Work[ScheduleResult]:
        given, new = given_schedule(settings, timing), new_schedule(settings, timing)
        return lambda appliance: set_schedule(appliance, name, given, new, dry_run=dry_run)

    return _write(context, prepare)


@command.command("enable")
@name_argument
@options(DRY_RUN)
@shared_options
@click.pass_obj
def enable_command(context: Context, name: str) -> int:
    """Let a schedule run."""
    return _set_enabled(context, name, enable=True)


@command.command("disable")
@name_argument
@options(DRY_RUN)
@shared_options
@click.pass_obj
def disable_command(context: Context, name: str) -> int:
    """Keep a schedule, but do not let it run."""
    return _set_enabled(context, name, enable=False)


@command.command("delete")
@click.argument("name", cls=ExampleArgument, example=_DEFAULT, metavar="NAME")
@options(DRY_RUN)
@yes_option
@shared_options
@click.pass_obj
def delete_command(context: Context, name: str, yes: bool) -> int:
    """Delete a schedule; the backups that it made stay."""
    from backupctl.operations.schedule import delete_schedule, read_schedule

    dry_run = context.value(DRY_RUN)
    asks, action, found = not yes and not dry_run, f"delete schedule {name}", set[str]()

    def prepare(settings: ApplianceSettings) -> Work[ScheduleResult]:
        if asks and context.contact is not None:
            check_terminal(context, action, [each.name for each in context.contact.selected])
            if not found:
                found.update(context.contact.run_all(partial(read_schedule, name=name)))
            context.contact.appliance(settings)
        return partial(delete_schedule, name=name, dry_run=dry_run)

    def ask(appliances: Sequence[Appliance]) -> None:
        if asks:
            confirm(context, action, [each.name for each in appliances])

    return _write(context, prepare, ask)


@command.command("audit")
@click.option("--since", metavar="WHEN", default="30d", help="Runs since 2026-03-01, or 30d (ago, the default).")
@shared_options
@click.pass_obj
def audit_command(context: Context, since: str) -> int:
    """Compare the runs that the schedule should have made with the backup jobs."""
    from backupctl.cli.journal_access import journal
    from backupctl.cli.runner import run
    from backupctl.cli.timestamps import parse_timestamp
    from backupctl.operations.read_audit import read_audit
    from backupctl.results.audit_results import AuditResult

    now = context.clock.now()
    start = parse_timestamp("--since", since, now)
    if start is None or start > now:
        raise UsageError("--since must be before now")
    entries = journal(context, start).entries
    return run(context, AuditResult, lambda _: partial(read_audit, since=start, entries=entries))


@command.command("run")
@name_argument
@options(
    COMMENT, DRY_RUN, NO_WAIT, TIMEOUT, STALL_TIMEOUT, INTERVAL, IF_RUNNING, CANCEL_ON_INTERRUPT, TOGETHER, FAIL_FAST
)
@shared_options
@click.pass_obj
def run_command(context: Context, name: str) -> int:
    """Start the backup of a schedule now and follow it to its end."""
    from backupctl.cli.backup_settings import job_result
    from backupctl.cli.runner import run, run_backups
    from backupctl.results.result import RequestsResult

    if context.value(DRY_RUN):
        return run(context, RequestsResult, partial(_prepare_dry_run, name))
    return run_backups(context, job_result(context), partial(_prepare_run, name))


def _prepare_run(name: str, settings: ApplianceSettings) -> SlotWork[JobResult]:
    from msgspec.structs import replace

    from backupctl.cli.backup_settings import backup_plan, check_encryption_options, job_result
    from backupctl.cli.runner import job_result_of
    from backupctl.operations.create import create
    from backupctl.operations.preflight import preflight
    from backupctl.operations.schedule import SCHEDULE_JOB_TYPES, backup_request_of
    from backupctl.operations.validate import validate_schedule

    check_encryption_options(settings)
    comment, plan_with = settings.value(COMMENT), backup_plan(settings)

    def start(api: RecoveryApi, _: BackupRequest) -> BackupJobStatus:
        return api.run_schedule(name, comment)

    def work(appliance: Appliance, slot: Slot) -> Task[Outcome[JobResult]]:
        request = yield from backup_request_of(appliance, name, comment)
        plan = replace(plan_with(request), start=start, job_types=SCHEDULE_JOB_TYPES, knows_encryption=False)
        if settings.context.value(TOGETHER):
            yield from preflight(appliance, validate_schedule(appliance, request, plan.if_running))
        return (yield from job_result_of(job_result(settings.context), create(appliance, plan, slot)))

    return work


def _prepare_dry_run(name: str, settings: ApplianceSettings) -> Work[RequestsResult]:
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.schedule import read_schedule
    from backupctl.results.result import RequestsResult

    comment = settings.value(COMMENT)

    def work(appliance: Appliance) -> Task[Outcome[RequestsResult]]:
        yield from read_schedule(appliance, name)
        return Outcome(RequestsResult(requests=appliance.api.prepare(lambda api: api.run_schedule(name, comment))))

    return work


def _set_enabled(context: Context, name: str, *, enable: bool) -> int:
    from backupctl.operations.schedule import set_schedule_enabled

    work = partial(set_schedule_enabled, name=name, enable=enable, dry_run=context.value(DRY_RUN))
    return _write(context, lambda _: work)


def _write(
    context: Context, prepare: Callable[[ApplianceSettings], Work[ScheduleResult]], confirm: Confirm = lambda _: None
) -> int:
    from backupctl.cli.runner import run
    from backupctl.results.schedule_results import ScheduleResult

    traits = CommandTraits(changes=not context.value(DRY_RUN))
    return run(context, ScheduleResult, prepare, traits, confirm=confirm)
