"""Show and pin the host keys and certificates of backup servers, without a login."""

from functools import partial

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.direct import complete_direct, selected_locations
from backupctl.cli.pin import NOT_ASKED_HINT, store_confirmed, unconfirmed_error
from backupctl.cli.prompts import confirm
from backupctl.cli.target_settings import check_pin_table, direct_location, for_server
from backupctl.cli.tasks import prepare_tasks, run_tasks
from backupctl.config.option_table import LOCATION, LOCATION_FINGERPRINT
from backupctl.config.value import FLAG
from backupctl.location import Location
from backupctl.operations.outcome import Outcome
from backupctl.operations.target_health import read_identity
from backupctl.results.trust_results import LocationPinResult
from backupctl.scheduler.task import Task
from backupctl.targets.target_errors import TargetIdentityError


def probe_locations(context: Context, url: str, *, to_pin: bool) -> list[tuple[ApplianceSettings, LocationPinResult]]:
    """Return what the server of each location presents; an empty URL stands for the locations in the settings.

    It is an error if another pin is expected; with ``to_pin``, only that of the command line is.
    """
    if url:
        context.given[LOCATION.key] = (url,)
    selected = selected_locations(context)
    tasks = prepare_tasks(selected, LocationPinResult, partial(_probe, to_pin=to_pin))
    results = run_tasks(context, tasks, sets_exit_code=False)  # A prompt may follow, which a signal must interrupt.
    return list(zip(selected, results, strict=True))


def pin_locations(context: Context, url: str, *, confirmed: bool) -> list[LocationPinResult]:
    """Pin what they present; ask first, unless ``confirmed`` or for the expected ``--location-fingerprint``.

    Raises UsageError: if a prompt is needed and there is no terminal.
    """
    confirmed = confirmed or context.resolve(LOCATION_FINGERPRINT).source.kind == FLAG
    if not (confirmed or context.prompter.interactive):
        raise unconfirmed_error(LOCATION_FINGERPRINT)
    return [_pin(*each, confirmed=confirmed) for each in probe_locations(context, url, to_pin=True)]


def _probe(settings: ApplianceSettings, *, to_pin: bool) -> Task[LocationPinResult]:
    location = direct_location(settings).location
    if to_pin:
        check_pin_table(settings, location)
    return complete_direct(settings, LocationPinResult, _read(settings, location, to_pin=to_pin), location.host)


def _read(settings: ApplianceSettings, location: Location, *, to_pin: bool) -> Task[Outcome[LocationPinResult]]:
    presented = yield from read_identity(settings.context.targets, location)
    fingerprint, pin = presented.fingerprint, for_server(settings, location, LOCATION_FINGERPRINT)
    expected = not to_pin or settings.resolve(LOCATION_FINGERPRINT).source.kind == FLAG
    kind = "certificate" if presented.certificate else "host key"
    result = LocationPinResult(location=location.masked, kind=kind, fingerprint=fingerprint, pinned=pin)
    if pin in {None, fingerprint} or not expected:
        return Outcome(result)
    selector = ("--location", location.masked, *(("-s", settings.name) if settings.name else ()))
    hint = "nothing was stored" if to_pin else "if it was changed on purpose, pin it: `backupctl trust pin $selector`"
    return Outcome(result, TargetIdentityError(f"another {kind} is pinned", hint=hint, selector=selector))


def _pin(settings: ApplianceSettings, probed: LocationPinResult, *, confirmed: bool) -> LocationPinResult:
    if probed.fingerprint is None or probed.error is not None:
        return probed
    ask = None if confirmed or probed.pinned == probed.fingerprint else partial(_confirm, settings, probed)
    stored = store_confirmed(settings, probed, LOCATION_FINGERPRINT, probed.fingerprint, ask)
    servers = () if settings.name or stored.file is None else settings.context.configuration.servers.values()
    for profile in servers:
        if profile.layers[0].values.get(LOCATION_FINGERPRINT.name) not in {None, probed.fingerprint}:
            settings.warn(f"{profile.name} has a pin of its own, which was not changed", always=True)
    return stored


def _confirm(settings: ApplianceSettings, probed: LocationPinResult) -> bool:
    """Show what a server presents, and ask whether to trust it."""
    settings.prompter.say(f"{probed.server}: the {probed.kind} of {probed.location} is\n  {probed.fingerprint}")
    if probed.pinned is not None:
        settings.prompter.say(f"Pinned until now:\n  {probed.pinned}")
    settings.prompter.say("Compare it with the one that the backup server prints (backupctl help trust).")
    return confirm(settings.prompter, f"Trust it and pin it for {probed.server}?", hint=NOT_ASKED_HINT)
