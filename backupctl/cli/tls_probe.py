"""Looking at the TLS of the appliances of the command line: no user, no password."""

from collections.abc import Callable
from typing import TypeVar

from backupctl.cli.appliance_settings import SIMULATED, ApplianceSettings, appliance_settings
from backupctl.cli.connection import observer
from backupctl.cli.context import Context
from backupctl.cli.runner import FailedAppliance, prepare_all, run_tasks
from backupctl.cli.tls_settings import proxy_of, selector_words, tls_settings_of
from backupctl.config.value import attribute_errors
from backupctl.errors import UsageError
from backupctl.operations.trust import ProbeTarget
from backupctl.results.result import Result
from backupctl.scheduler.task import Task

R = TypeVar("R", bound=Result)


def settings_to_probe(context: Context) -> list[ApplianceSettings]:
    """Return the settings of each requested appliance; raise UsageError for the one that has no TLS."""
    found = appliance_settings(context)
    if any(settings.profile.address == SIMULATED for settings in found):
        raise UsageError(
            "an appliance in this process has no TLS, and so no certificate",
            hint="`backupctl simulator serve` listens with TLS; name what it prints with --server",
        )
    return found


def inspect_all(
    context: Context,
    found: list[ApplianceSettings],
    result_type: type[R],
    work: Callable[[ProbeTarget], Task[R]],
    pinned: Callable[[ApplianceSettings], bool] = lambda _: True,
) -> list[R]:
    """Do ``work`` on appliances, under signals, and return the results; ``pinned`` says whose pin is expected.

    What is wrong with the settings of one appliance is its result, of type ``result_type``.
    """
    targets = prepare_all(found, lambda settings: _probe_target(settings, pinned=pinned(settings)))
    tasks = [each.task(result_type) if isinstance(each, FailedAppliance) else work(each) for each in targets]
    return run_tasks(context, tasks, decides=False)  # what is shown may be asked about


def _probe_target(settings: ApplianceSettings, *, pinned: bool) -> ProbeTarget:
    from backupctl.api.certificate_probe import CertificateProbe
    from backupctl.api.connect import connection_to
    from backupctl.api.handshake import check_https

    address, proxy = settings.profile.address, proxy_of(settings).value
    with attribute_errors(settings.address_source):
        check_https(address.base_url)
    url = proxy.url.reveal() if proxy else None
    connection = connection_to(
        address.base_url, url, settings.clock, name=settings.name, selector_words=selector_words(settings)
    )
    tls = CertificateProbe(connection, tls_settings_of(settings, pinned=pinned), observer(settings), settings.redactor)
    warning = settings.context.configuration.name_warning(settings.profile)
    return ProbeTarget(settings.name, address.host, tls, name_warning=warning)
