"""``backupctl restore``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.confirmation import confirm_name, yes_option
from backupctl.cli.context import Context
from backupctl.cli.options import CommandGroup, options, secret_options, shared_options
from backupctl.config.option_table import (
    BACKUP_PASSWORD,
    DRY_RUN,
    INTERVAL,
    LOCATION,
    LOCATION_PASSWORD,
    LOCATION_TYPE,
    LOCATION_USER,
    NO_WAIT,
    PART,
    SSO_PASSWORD,
    STALL_TIMEOUT,
    TIMEOUT,
    USERNAME,
)
from backupctl.errors import BackupFailedError

if TYPE_CHECKING:
    from backupctl.api.recovery_api import RecoveryApi
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import Work
    from backupctl.models import ReconciliationSpec, RestoreRequest
    from backupctl.operations.follow import Timeouts
    from backupctl.operations.outcome import Outcome
    from backupctl.results.job import Job
    from backupctl.results.result import PreparedRequest
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task

    Q = TypeVar("Q", RestoreRequest, ReconciliationSpec)

F = TypeVar("F", bound=Callable[..., object])

FRESH = CommandTraits(fresh=True)
CHANGES_FRESH = CommandTraits(changes=True, fresh=True, journaled=True)

sso_options = click.option(
    "--sso-username",
    metavar="USER@DOMAIN",
    callback=lambda _ctx, _parameter, given: given and USERNAME.parse(given),
    help="SSO administrator, such as administrator@vsphere.local.",
)
ignore_option = click.option("--ignore-warnings", is_flag=True, help="Continue despite warnings.")


def _archive_options(function: F) -> F:
    """Declare the options of the archive; its location is a folder such as .../sn_HOST/M_8.0.0.10000_..."""
    declared = options(LOCATION_TYPE, LOCATION, LOCATION_USER, PART)
    return declared(secret_options(LOCATION_PASSWORD, BACKUP_PASSWORD, SSO_PASSWORD)(sso_options(function)))


command = CommandGroup("restore")


@command.command("validate")
@_archive_options
@shared_options
@click.pass_obj
def validate(context: Context, sso_username: str | None) -> int:
    """Tell what an archive is, and whether it can be restored on this appliance."""
    from backupctl.cli.restore_settings import restore_request
    from backupctl.cli.runner import run
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.restore import validate_restore
    from backupctl.results.archive_results import RestoreResult

    def prepare(settings: ApplianceSettings) -> Work[RestoreResult]:
        request = restore_request(settings, sso_username)

        def work(appliance: Appliance) -> Task[Outcome[RestoreResult]]:
            metadata = yield from validate_restore(appliance, request)
            error = None
            if metadata.applicable is False:
                error = BackupFailedError("the archive cannot be restored on this appliance", server=appliance.name)
            return Outcome(RestoreResult(metadata=metadata), error)

        return work

    return run(context, RestoreResult, prepare, FRESH)


@command.command("create")
@ignore_option
@yes_option
@_archive_options
@options(DRY_RUN, NO_WAIT, TIMEOUT, STALL_TIMEOUT, INTERVAL)
@shared_options
@click.pass_obj
def create(context: Context, sso_username: str | None, ignore_warnings: bool, yes: bool) -> int:
    """Restore this appliance from an archive; all that it is now will be lost."""
    from backupctl.cli.restore_settings import restore_request
    from backupctl.cli.runner import run_job, show_requests
    from backupctl.operations.restore import check_and_create_restore, create_restore
    from backupctl.results.archive_results import RestoreResult

    request_of = partial(restore_request, sso_username=sso_username, ignore_warnings=ignore_warnings)
    if context.value(DRY_RUN):
        preview = _preview(request_of, lambda api, request: api.create_restore(request))
        return show_requests(context, preview, FRESH)

    def confirm(appliances: Sequence[Appliance]) -> None:
        for each in appliances if not yes else ():
            confirm_name(context, "overwrite", each.name, each.host)

    traits = CHANGES_FRESH._replace(single_reason="a restore replaces one appliance")
    prepare = _start(request_of, create_restore if context.prompter.interactive else check_and_create_restore)
    return run_job(context, RestoreResult, prepare, traits, confirm=confirm)


@command.command("status")
@shared_options
@click.pass_obj
def status(context: Context) -> int:
    """Show the restore as it is now."""
    from backupctl.cli.runner import run_job
    from backupctl.operations.restore import restore_status
    from backupctl.results.archive_results import RestoreResult

    return run_job(context, RestoreResult, lambda _: restore_status, FRESH)


@command.command("watch")
@options(TIMEOUT, STALL_TIMEOUT, INTERVAL)
@shared_options
@click.pass_obj
def watch(context: Context) -> int:
    """Follow the restore to its end, through the minutes in which the appliance does not answer."""
    from backupctl.cli.backup_settings import job_timeouts
    from backupctl.cli.runner import run_job
    from backupctl.operations.restore import UNREACHABLE_GRACE_SECONDS, watch_restore
    from backupctl.results.archive_results import RestoreResult

    def prepare(settings: ApplianceSettings) -> Work[Job]:
        timeouts = job_timeouts(settings)
        return lambda appliance: watch_restore(appliance, timeouts, context.clock.monotonic() + timeouts.timeout)

    traits = FRESH._replace(unreachable_grace=UNREACHABLE_GRACE_SECONDS, timed=True, journaled=True)
    return run_job(context, RestoreResult, prepare, traits)


@command.command("cancel")
@shared_options
@click.pass_obj
def cancel(context: Context) -> int:
    """Cancel the restore and see it end (for at most 60 s)."""
    from backupctl.cli.runner import run_job
    from backupctl.operations.restore import cancel_restore
    from backupctl.results.archive_results import RestoreResult

    return run_job(context, RestoreResult, lambda _: cancel_restore, CHANGES_FRESH)


@command.command("reconcile")
@sso_options
@ignore_option
@secret_options(SSO_PASSWORD)
@options(DRY_RUN, NO_WAIT, TIMEOUT, STALL_TIMEOUT, INTERVAL)
@shared_options
@click.pass_obj
def reconcile_command(context: Context, sso_username: str | None, ignore_warnings: bool) -> int:
    """Bring a restored node into line with its replication partners."""
    from backupctl.cli.restore_settings import reconciliation_spec
    from backupctl.cli.runner import run_job, show_requests
    from backupctl.operations.restore import reconcile
    from backupctl.results.archive_results import RestoreResult

    spec_of = partial(reconciliation_spec, sso_username=sso_username, ignore_warnings=ignore_warnings)
    if context.value(DRY_RUN):
        preview = _preview(spec_of, lambda api, spec: api.create_reconciliation(spec))
        return show_requests(context, preview, FRESH)
    return run_job(context, RestoreResult, _start(spec_of, reconcile), CHANGES_FRESH)


def _preview(
    request_of: Callable[[ApplianceSettings], Q], start: Callable[[RecoveryApi, Q], object]
) -> Callable[[ApplianceSettings], Callable[[Appliance], tuple[PreparedRequest, ...]]]:
    """Return a function that checks the request of an appliance and prepares it without sending it."""

    def prepare(settings: ApplianceSettings) -> Callable[[Appliance], tuple[PreparedRequest, ...]]:
        request = request_of(settings)
        return lambda appliance: appliance.api.prepare(lambda api: start(api, request))

    return prepare


def _start(
    request_of: Callable[[ApplianceSettings], Q], start: Callable[[Appliance, Q, Timeouts, bool], Task[Outcome[Job]]]
) -> Callable[[ApplianceSettings], Work[Job]]:
    """Return a function that checks the request of an appliance and prepares the work that starts and follows it."""
    from backupctl.cli.backup_settings import job_timeouts

    def prepare(settings: ApplianceSettings) -> Work[Job]:
        request, wait, timeouts = request_of(settings), not settings.value(NO_WAIT), job_timeouts(settings)
        return lambda appliance: start(appliance, request, timeouts, wait)

    return prepare
