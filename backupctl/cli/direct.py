"""Run work on backup locations that needs no appliance."""

from collections.abc import Callable
from typing import TypeVar

from backupctl.cli.appliance_settings import ApplianceSettings, appliance_settings
from backupctl.cli.config_show import default_settings
from backupctl.cli.context import Context
from backupctl.cli.location_settings import location_of
from backupctl.cli.target_settings import target_access
from backupctl.cli.tasks import FailedAppliance, prepare_all, run_tasks
from backupctl.config.option_table import ALL, GROUP, SERVER
from backupctl.errors import BackupctlError, BugError, UsageError
from backupctl.operations.outcome import Outcome
from backupctl.results.result import Result, complete_result
from backupctl.results.result_redaction import redacted
from backupctl.scheduler.task import Task
from backupctl.targets.access import TargetAccess

R = TypeVar("R", bound=Result)

DirectWork = Callable[[TargetAccess], Task[Outcome[R]]]
"""The work of a command at the location of one appliance."""


def run_direct(
    context: Context,
    result_type: type[R],
    prepare: Callable[[ApplianceSettings], DirectWork[R]],
    *,
    needs_server: bool = False,
) -> int:
    """Run the work at the location of each selected appliance, show the results and return the exit code.

    No appliance is contacted. Without a selected one, and unless ``needs_server``, the location is that of the
    defaults, and the result has the name of its host.
    """
    selected = selected_locations(context, needs_server=needs_server)
    prepared = prepare_all(selected, lambda settings: _task(settings, result_type, prepare(settings)))
    tasks = [each.task(result_type) if isinstance(each, FailedAppliance) else each for each in prepared]
    try:
        results = run_tasks(context, tasks)
    finally:
        context.targets.close()
    return context.finish(results)


def selected_locations(context: Context, *, needs_server: bool = False) -> list[ApplianceSettings]:
    """Return the settings of each selected appliance, of the defaults if none is selected."""
    if needs_server or any(context.value(option) for option in (SERVER, GROUP, ALL)):
        return appliance_settings(context)
    settings = default_settings(context)
    resolved = location_of(settings)
    if resolved.template.depends_on_server:
        raise UsageError(
            "the location depends on {server}", hint=f"choose an appliance with {SERVER.flag}, or give --location"
        )
    return [settings]


def _task(settings: ApplianceSettings, result_type: type[R], work: DirectWork[R]) -> Task[R]:
    """Return a task that does the work; errors become part of its result."""
    access = target_access(settings)
    host = settings.profile.address.host or access.location.host
    return complete_direct(settings, result_type, work(access), settings.name or host, host)


def complete_direct(
    settings: ApplianceSettings, result_type: type[R], work: Task[Outcome[R]], name: str, host: str
) -> Task[R]:
    """Do the work and return its result; errors become part of it."""
    try:
        outcome = yield from work
    except BackupctlError as failure:
        outcome = Outcome(result_type(), failure)
    except Exception as bug:  # noqa: BLE001 - one location's bug must not take the others' results away
        outcome = Outcome(result_type(), BugError.of(bug))
    error = outcome.error
    if error is not None and error.facts.server is None:
        error = error.with_facts(server=name)
    result = complete_result(outcome.value, server=name, host=host, error=error)
    return redacted(result, settings.redactor.redact)
