"""Run work on backup locations that needs no appliance."""

import shlex
from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from backupctl.cli.appliance_settings import ApplianceSettings, appliance_settings
from backupctl.cli.config_show import default_settings
from backupctl.cli.context import Context
from backupctl.cli.location_settings import location_of
from backupctl.cli.target_settings import named_system, system_of, target_access
from backupctl.cli.tasks import prepare_tasks, run_tasks
from backupctl.config.option_table import ALL, CONFIG, GROUP, LOCATION_USER, SERVER, SYSTEM
from backupctl.errors import UsageError
from backupctl.operations.outcome import Outcome, completed
from backupctl.results.result import Result
from backupctl.results.result_redaction import redacted
from backupctl.results.target_archive import TargetArchive
from backupctl.rules.archive_name import SYSTEM_PREFIX, system_folder
from backupctl.scheduler.task import Task
from backupctl.targets.access import TargetAccess

R = TypeVar("R", bound=Result)


def run_direct(
    context: Context,
    result_type: type[R],
    work: Callable[[ApplianceSettings, TargetAccess, str | None], Task[Outcome[R]]],
    *,
    needs_system: bool = False,
) -> int:
    """Run ``work`` at the location of each selected appliance, show the results and return the exit code.

    No appliance is contacted. ``work`` gets the folder of the appliance. Without a selected appliance, the location is
    that of the defaults, and the folder is that of ``--system``, which must be given if the work ``needs_system``.
    """

    def prepare(settings: ApplianceSettings) -> Task[R]:
        access = target_access(settings)
        system = system_of(settings) if settings.name else named_system(settings)
        return complete_direct(settings, result_type, work(settings, access, system), access.location.host)

    needs_server = needs_system and context.value(SYSTEM) is None
    selected = selected_locations(context, needs_server=needs_server)
    return context.finish(run_tasks(context, prepare_tasks(selected, result_type, prepare)))


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


def complete_direct(
    settings: ApplianceSettings, result_type: type[R], work: Task[Outcome[R]], location_host: str
) -> Task[R]:
    """Do the work and return its result with secrets masked; that of the defaults has the name of their location."""
    host = settings.profile.address.host or location_host
    result = yield from completed(work, result_type, name=settings.name or host, host=host)
    return redacted(result, settings.redactor.redact)


def with_restore_command(settings: ApplianceSettings, access: TargetAccess, archive: TargetArchive) -> TargetArchive:
    """Return an archive with the command that validates a restore of it; the same with ``create`` restores it.

    It is for a fresh appliance with the name of the old one, which has no user but the local ``root``.
    """
    location = access.location
    options = {
        "-s": settings.server_argument
        or owner_of(settings.context, archive.system_name)
        or archive.system_name.removeprefix(SYSTEM_PREFIX),
        "-u": "root",
        CONFIG.flag: settings.context.given_text(CONFIG.flag),
        LOCATION_USER.flag: access.user or settings.value(LOCATION_USER),
        "--location-type": None if location.scheme else location.type,
        "--location": archive.location,
    }
    words = [word for flag, value in options.items() if value for word in (flag, value)]
    return replace(archive, restore_command=shlex.join(["backupctl", "restore", "validate", *words]))


def owner_of(context: Context, system: str) -> str | None:
    """Return the configured server with this folder, None without one."""
    for profile in context.configuration.servers.values():
        name = profile.layers[0].values.get(SYSTEM.name, profile.address.host)
        if system_folder(name).lower() == system.lower():
            return profile.name
    return None
