"""The verification of archives, from settings."""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.location_settings import ResolvedLocation
from backupctl.cli.target_settings import system_of, target_access
from backupctl.config.option_table import NO_WAIT, SIMULATE, VERIFY
from backupctl.config.value import FLAG
from backupctl.errors import UsageError
from backupctl.location import Location
from backupctl.operations.outcome import Outcome
from backupctl.operations.verify_archive import Verifier
from backupctl.operations.verify_backup import verify_backup
from backupctl.results.backup_results import JobResult
from backupctl.results.verification_results import PRESENT
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task
from backupctl.state.manifests import Manifests
from backupctl.targets.open_target import load_adapter

FollowUp = Callable[[Appliance, Outcome[JobResult], Location], Task[Outcome[JobResult]]]
"""Work that follows a backup at a location; returns its outcome."""


def archive_verifier(context: Context, level: str) -> Verifier:
    """Return how a command verifies archives."""
    manifests = Manifests(lambda: context.state_directory)
    return Verifier(context.targets, manifests, context.clock, level, str(context.command))


def backup_verification(settings: ApplianceSettings, resolved: ResolvedLocation) -> FollowUp | None:
    """Return how to verify a backup, None if it is not waited for, or simulated.

    Raises UsageError and ConfigError: for an invalid setting, before the backup.
    """
    level = settings.resolve(VERIFY)
    for option in filter(settings.value, (NO_WAIT, SIMULATE)):
        if level.source.kind == FLAG:
            raise UsageError(f"{VERIFY.flag} and {option.flag} exclude each other", hint="omit one of them")
        return None
    verifier = archive_verifier(settings.context, PRESENT if level.value == "none" else level.value)
    load_adapter(target_access(settings, resolved))  # Checks the settings before the backup starts.

    def verify(appliance: Appliance, ended: Outcome[JobResult], location: Location) -> Task[Outcome[JobResult]]:
        access = partial(target_access, settings, replace(resolved, location=location))
        return verify_backup(appliance, verifier, access, system_of(settings), ended)

    return verify
