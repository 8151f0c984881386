"""``backupctl schedule``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, options, secret_options, shared_options
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
    from backupctl.api.recovery import RecoveryApi
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import SlotWork, Work
    from backupctl.location import Location
    from backupctl.models import BackupJobStatus, BackupRequest
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.schedule_fields import DesiredSchedule
    from backupctl.results.job import Job
    from backupctl.results.result import RequestsResult
    from backupctl.results.schedule_results import ScheduleResult
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.coordinator import Slot
    from backupctl.scheduler.task import Task

    Write = Callable[[Appliance], Task[ScheduleResult]]


name_argument = click.argument("name", default="default", metavar="[NAME]")


@click.group("schedule")
def command() -> None:
    """List, show, set, run and delete schedules (6.7 and later); the name is default where it is left out."""


@command.command(
    "list",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl schedule list -s vc01.example.com -u administrator@vsphere.local

Exit status: 0 the schedules were listed.""",
)
@shared_options
@click.pass_obj
def list_command(context: Context) -> int:
    """List all schedules."""
    from backupctl.cli.runner import run
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.schedule import read_schedules
    from backupctl.results.schedule_results import SchedulesResult

    def work(appliance: Appliance) -> Task[Outcome[SchedulesResult]]:
        schedules, unreadable = yield from read_schedules(appliance)
        return Outcome(SchedulesResult(schedules=schedules, unreadable=unreadable))

    return run(context, "schedule list", SchedulesResult, lambda _: work)


@command.command(
    "show",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl schedule show default -s vc01.example.com -u administrator@vsphere.local

Exit status: 0 the schedule was shown, 10 there is none of this name.""",
)
@name_argument
@shared_options
@click.pass_obj
def show(context: Context, name: str) -> int:
    """Show a schedule."""
    from backupctl.cli.runner import run
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.schedule import read_schedule
    from backupctl.results.schedule_results import ScheduleResult

    def work(appliance: Appliance) -> Task[Outcome[ScheduleResult]]:
        return Outcome(ScheduleResult(schedule=(yield from read_schedule(appliance, name))))

    return run(context, "schedule show", ScheduleResult, lambda _: work)


@command.command(
    "set",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl schedule set default -s vc01.example.com -u administrator@vsphere.local \\
      --location sftp://backup.example.com/vcenter --location-user backup --at 02:30 --day SUNDAY --retain 5

Exit status: 0 the schedule matches the request, whether or not that needed a change.""",
)
@name_argument
@click.option("--at", metavar="HH:MM", help="When it runs, in the time zone of the appliance.")
@click.option("--day", "days", metavar="DAY", multiple=True, help="On which day, repeatable; without one every day.")
@click.option("--retain", metavar="N", type=int, help="Backups to keep; a new schedule without it keeps all.")
@click.option("--enable/--disable", default=None, help="Whether it runs at all.")
@options(LOCATION, LOCATION_USER, PART, FAST_BACKUP)
@secret_options(LOCATION_PASSWORD, BACKUP_PASSWORD)
@options(DRY_RUN)
@shared_options
@click.pass_obj
def set_command(  # noqa: PLR0917 - click passes arguments by name
    context: Context, name: str, at: str | None, days: tuple[str, ...], retain: int | None, enable: bool | None
) -> int:
    """Create a schedule, or change it where it differs from the request.

    What is not given stays as it is. Secrets cannot be compared, so they are sent whenever they are given.
    """
    from backupctl.operations.schedule import set_schedule
    from backupctl.operations.schedule_fields import DesiredSchedule

    timing = DesiredSchedule(
        enable=enable, at=_time(at) if at is not None else None, days=_days(days), retain=_retain(retain)
    )
    dry_run = context.value(DRY_RUN)

    def prepare(settings: ApplianceSettings) -> Write:
        desired = _desired(settings, timing)
        return lambda appliance: set_schedule(appliance, name, desired, dry_run=dry_run)

    return _write(context, "schedule set", prepare)


@command.command(
    "enable",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl schedule enable default -s vc01.example.com -u administrator@vsphere.local

Exit status: 0 the schedule is enabled, 10 there is none of this name.""",
)
@name_argument
@options(DRY_RUN)
@shared_options
@click.pass_obj
def enable_command(context: Context, name: str) -> int:
    """Let a schedule run."""
    return _set_enabled(context, "schedule enable", name, enable=True)


@command.command(
    "disable",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl schedule disable default -s vc01.example.com -u administrator@vsphere.local

Exit status: 0 the schedule is disabled, 10 there is none of this name.""",
)
@name_argument
@options(DRY_RUN)
@shared_options
@click.pass_obj
def disable_command(context: Context, name: str) -> int:
    """Keep a schedule, but do not let it run."""
    return _set_enabled(context, "schedule disable", name, enable=False)


@command.command(
    "delete",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl schedule delete default -s vc01.example.com -u administrator@vsphere.local

Exit status: 0 the schedule is gone, 10 there was none of this name.""",
)
@name_argument
@options(DRY_RUN)
@shared_options
@click.pass_obj
def delete_command(context: Context, name: str) -> int:
    """Delete a schedule; the backups that it made stay."""
    from backupctl.operations.schedule import delete_schedule

    work = partial(delete_schedule, name=name, dry_run=context.value(DRY_RUN))
    return _write(context, "schedule delete", lambda _: work)


@command.command(
    "run",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl schedule run default -s vc01.example.com -u administrator@vsphere.local --comment "before the upgrade"

Exit status: as that of create.""",
)
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
        return run(context, "schedule run", RequestsResult, partial(_prepare_dry_run, name))
    return run_backups(context, "schedule run", job_result(context), partial(_prepare_run, name))


def _prepare_run(name: str, settings: ApplianceSettings) -> SlotWork[Job]:
    from msgspec.structs import replace

    from backupctl.cli.backup_settings import backup_plan, check_encryption_options
    from backupctl.operations.create import create
    from backupctl.operations.preflight import preflight
    from backupctl.operations.schedule import SCHEDULE_JOB_TYPES, backup_request_of
    from backupctl.operations.validate import validate_schedule

    comment = settings.value(COMMENT)

    def start(api: RecoveryApi, _: BackupRequest) -> BackupJobStatus:
        return api.run_schedule(name, comment)

    def work(appliance: Appliance, slot: Slot) -> Task[Outcome[Job]]:
        request = yield from backup_request_of(appliance, name, comment)
        check_encryption_options(settings)
        plan = replace(
            backup_plan(settings, request), start=start, job_types=SCHEDULE_JOB_TYPES, knows_encryption=False
        )
        if settings.context.value(TOGETHER):
            yield from preflight(appliance, validate_schedule(appliance, request, plan.if_running))
        return (yield from create(appliance, plan, slot))

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


def _desired(settings: ApplianceSettings, timing: DesiredSchedule) -> DesiredSchedule:
    """Return the desired schedule of one appliance, from options and variables only.

    The configuration file describes the backups that we start: to change the day of a schedule must not change its
    location.
    """
    from msgspec.structs import replace

    from backupctl.cli.backup_settings import backup_password
    from backupctl.rules.request_fields import check_parts

    settings = settings.without_configuration_file()
    location_password, backup = settings.secret(LOCATION_PASSWORD), settings.secret(BACKUP_PASSWORD)
    location, parts = _location(settings), settings.value(PART)
    return replace(
        timing,
        location=location,
        location_user=settings.value(LOCATION_USER),
        location_password=location_password.value if location_password else None,
        backup_password=backup_password(settings) if backup else None,
        parts=check_parts(parts) or None,
        fast_backup=settings.value(FAST_BACKUP),
    )


def _set_enabled(context: Context, command_name: str, name: str, *, enable: bool) -> int:
    from backupctl.operations.schedule import set_schedule_enabled

    work = partial(set_schedule_enabled, name=name, enable=enable, dry_run=context.value(DRY_RUN))
    return _write(context, command_name, lambda _: work)


def _write(context: Context, command_name: str, prepare: Callable[[ApplianceSettings], Write]) -> int:
    from backupctl.cli.runner import run
    from backupctl.operations.outcome import Outcome
    from backupctl.results.schedule_results import ScheduleResult

    def work(write: Write, appliance: Appliance) -> Task[Outcome[ScheduleResult]]:
        return Outcome((yield from write(appliance)))

    traits = CommandTraits(changes=not context.value(DRY_RUN))
    return run(context, command_name, ScheduleResult, lambda settings: partial(work, prepare(settings)), traits)


def _location(settings: ApplianceSettings) -> Location | None:
    """Return the location, None without one. Raises UsageError: if it is not a URL, or contains a date or time."""
    from backupctl.cli.location_settings import location_of
    from backupctl.config.value import attribute_errors

    if settings.value(LOCATION) is None:
        return None
    resolved = location_of(settings)
    with attribute_errors(resolved.source):
        if not resolved.location.scheme:
            raise UsageError("the location of a schedule must be a URL", hint="write it as sftp://host/folder")
        if resolved.template.changes_with_time:
            raise UsageError(
                "a date or time in the location of a schedule would always be that of now",
                hint="leave {date} and {time} out; from 6.7 on each backup gets a folder of its own",
            )
    return resolved.location


def _time(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if match is None:
        raise UsageError(f"--at: {text!r} is no time", hint="write HH:MM, from 00:00 to 23:59")
    return int(match[1]), int(match[2])


def _retain(count: int | None) -> int | None:
    if count is not None and count < 1:
        raise UsageError(
            "--retain must be at least 1",
            hint="the limit cannot be removed later; to keep all backups, delete the schedule "
            "and create it without --retain",
        )
    return count


def _days(texts: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return days in the order of the week, empty for every day; a day may be abbreviated (sun)."""
    from backupctl.rules.days import WEEK, sorted_days

    if not texts:
        return None
    if any(text.lower() == "every" for text in texts):
        return ()
    days = set()
    for text in texts:
        matches = [day for day in WEEK if len(text) >= 2 and day.startswith(text.upper())]
        if len(matches) != 1:
            raise UsageError(f"invalid day {text!r} (choose from {', '.join(WEEK)}, every)")
        days.add(matches[0])
    return sorted_days(days)
