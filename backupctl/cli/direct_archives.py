"""Read archives with ``--direct``, and tell how to restore them."""

import shlex
from collections.abc import Callable
from typing import TypeVar

import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.direct import DirectWork, run_direct
from backupctl.cli.target_settings import named_system, system_of
from backupctl.config.option_table import CONFIG, LOCATION_USER, SYSTEM
from backupctl.operations.outcome import Outcome
from backupctl.results.result import Result
from backupctl.results.target_archive import TargetArchive
from backupctl.rules.archive_name import SYSTEM_PREFIX
from backupctl.scheduler.task import Task
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target

R = TypeVar("R", bound=Result)


class Site:
    """The location of an appliance, or of the defaults; ``system`` is None there, if no setting names one."""

    def __init__(self, settings: ApplianceSettings, access: TargetAccess) -> None:
        self.location = access.location
        self.system = system_of(settings) if settings.name else named_system(settings)
        self._settings = settings
        self._user = access.user or settings.value(LOCATION_USER)

    def with_command(self, archive: TargetArchive) -> TargetArchive:
        """Return an archive with the command that validates a restore of it; the same with ``create`` restores it.

        It is for a fresh appliance with the name of the old one, which has no user but the local ``root``.
        """
        options = {
            "-s": self._settings.server_argument or archive.system_name.removeprefix(SYSTEM_PREFIX),
            "-u": "root",
            CONFIG.flag: self._settings.context.given_text(CONFIG.flag),
            LOCATION_USER.flag: self._user,
            "--location-type": None if self.location.scheme else self.location.type,
            "--location": archive.location,
        }
        words = [word for flag, value in options.items() if value for word in (flag, value)]
        command = shlex.join(["backupctl", "restore", "validate", *words])
        return msgspec.structs.replace(archive, restore_command=command)


def read_directly(
    context: Context, result_type: type[R], read: Callable[[Target, Site], R], *, needs_system: bool = False
) -> int:
    """Run ``read``, which blocks, at the location of each selected appliance, as ``run_direct`` does."""

    def prepare(settings: ApplianceSettings) -> DirectWork[R]:
        def work(access: TargetAccess) -> Task[Outcome[R]]:
            site = Site(settings, access)
            return Outcome((yield from context.targets.use(access, lambda target: read(target, site))))

        return work

    needs_server = needs_system and context.value(SYSTEM) is None
    return run_direct(context, result_type, prepare, needs_server=needs_server)
