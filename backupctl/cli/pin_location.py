"""Show and pin the host keys and certificates of backup servers, without a login."""

from msgspec import structs

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.direct import complete_direct, selected_locations
from backupctl.cli.pin import store_pin, unconfirmed_error
from backupctl.cli.prompts import confirm
from backupctl.cli.target_settings import direct_location
from backupctl.cli.tasks import prepare_tasks, run_tasks
from backupctl.config.option_table import LOCATION, LOCATION_FINGERPRINT
from backupctl.config.value import FLAG
from backupctl.errors import BackupctlError, UsageError
from backupctl.location import Location
from backupctl.operations.outcome import Outcome
from backupctl.operations.target_health import read_identity
from backupctl.results.trust_results import LocationPinResult
from backupctl.rules.fingerprint import is_host_key
from backupctl.scheduler.task import Task
from backupctl.targets.target_errors import TargetIdentityError


def probe_locations(context: Context, url: str) -> list[tuple[ApplianceSettings, LocationPinResult]]:
    """Return what the server of each location presents; an empty URL stands for the locations in the settings."""
    if url:
        context.given[LOCATION.key] = (url,)
    selected = selected_locations(context)
    tasks = prepare_tasks(selected, LocationPinResult, _probe)
    results = run_tasks(context, tasks, sets_exit_code=False)  # A prompt may follow, which a signal must interrupt.
    return list(zip(selected, results, strict=True))


def pin_locations(context: Context, url: str, *, confirmed: bool) -> list[LocationPinResult]:
    """Pin what they present; ask first, unless ``confirmed`` or for the expected ``--location-fingerprint``.

    Raises UsageError: if a prompt is needed and there is no terminal.
    """
    confirmed = confirmed or context.resolve(LOCATION_FINGERPRINT).source.kind == FLAG
    if not (confirmed or context.prompter.interactive):
        raise unconfirmed_error(LOCATION_FINGERPRINT)
    return [_pin(settings, probed, confirmed=confirmed) for settings, probed in probe_locations(context, url)]


def _probe(settings: ApplianceSettings) -> Task[LocationPinResult]:
    location = direct_location(settings).location
    return complete_direct(settings, LocationPinResult, _read(settings, location), location.host)


def _read(settings: ApplianceSettings, location: Location) -> Task[Outcome[LocationPinResult]]:
    fingerprint = (yield from read_identity(settings.context.targets, location)).fingerprint
    kind, pinned = "host key" if is_host_key(fingerprint) else "certificate", settings.value(LOCATION_FINGERPRINT)
    return Outcome(LocationPinResult(location=location.masked, kind=kind, fingerprint=fingerprint, pinned=pinned))


def _pin(settings: ApplianceSettings, probed: LocationPinResult, *, confirmed: bool) -> LocationPinResult:
    fingerprint, pinned = probed.fingerprint, probed.pinned
    if fingerprint is None:
        return probed
    try:
        if pinned != fingerprint and settings.resolve(LOCATION_FINGERPRINT).source.kind == FLAG:
            details = (f"expected   {pinned}", f"presented  {fingerprint}")
            raise TargetIdentityError("the server has another fingerprint; nothing was stored", details=details)
        if not (confirmed or pinned == fingerprint or _confirm(settings, probed)):
            raise UsageError("fingerprint not confirmed; nothing was stored")
        file, _ = store_pin(settings, LOCATION_FINGERPRINT, fingerprint)
    except BackupctlError as error:
        return structs.replace(probed, exit_code=error.exit_code, error=error)
    return structs.replace(probed, file=str(file))


def _confirm(settings: ApplianceSettings, probed: LocationPinResult) -> bool:
    """Show what a server presents, and ask whether to trust it."""
    settings.prompter.say(f"{probed.server}: the {probed.kind} of {probed.location} is\n  {probed.fingerprint}")
    if probed.pinned is not None:
        settings.prompter.say(f"Pinned until now:\n  {probed.pinned}")
    settings.prompter.say("Compare it with the one that the backup server prints (backupctl help trust).")
    hint = "use --yes to pin it without a question"
    return confirm(settings.prompter, f"Trust it and pin it for {probed.server}?", hint=hint)
