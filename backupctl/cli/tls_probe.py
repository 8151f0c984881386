"""Probe the certificates of the selected appliances, without logging in."""

from collections.abc import Callable
from typing import TypeVar

from backupctl.cli.appliance_settings import SIMULATED, ApplianceSettings, appliance_settings
from backupctl.cli.connection import observer
from backupctl.cli.context import Context
from backupctl.cli.tasks import prepare_tasks, run_tasks
from backupctl.cli.tls_settings import proxy_of, selector_words, tls_settings_of
from backupctl.config.value import attribute_errors
from backupctl.errors import UsageError
from backupctl.operations.trust import ProbedAppliance
from backupctl.results.result import Result
from backupctl.scheduler.task import Task

R = TypeVar("R", bound=Result)


def settings_to_probe(context: Context) -> list[ApplianceSettings]:
    """Return the settings of each selected appliance.

    Raises UsageError: for ``--simulate``, which has no TLS.
    """
    selected = appliance_settings(context)
    if any(settings.profile.address == SIMULATED for settings in selected):
        raise UsageError(
            "a simulated appliance has no TLS certificate",
            hint="run `backupctl simulator serve`, and use the URL that it prints for --server",
        )
    return selected


def probe_all(
    context: Context,
    selected: list[ApplianceSettings],
    result_type: type[R],
    work: Callable[[ProbedAppliance], Task[R]],
    pinned: Callable[[ApplianceSettings], bool] = lambda _: True,
) -> list[R]:
    """Do ``work`` on each appliance and return the results; ``pinned`` decides whose pin is checked.

    An error in the settings of one appliance becomes its result, of type ``result_type``.
    """
    tasks = prepare_tasks(selected, result_type, lambda each: work(probe_target(each, pinned=pinned(each))))
    return run_tasks(context, tasks, sets_exit_code=False)  # A prompt may follow, which a signal must interrupt.


def probe_target(settings: ApplianceSettings, *, pinned: bool = True, fresh: bool = False) -> ProbedAppliance:
    """Return the probe of an appliance; ``fresh`` as in ``connect``."""
    from backupctl.api.certificate_probe import CertificateProbe
    from backupctl.api.connect import connection_to
    from backupctl.api.handshake import check_https

    address, proxy = settings.profile.address, proxy_of(settings).value
    if fresh:
        address = address.for_restore()
    with attribute_errors(settings.address_source):
        check_https(address.base_url)
    url = proxy.url.reveal() if proxy else None
    connection = connection_to(
        address.base_url, url, settings.clock, name=settings.name, selector_words=selector_words(settings, address)
    )
    tls = CertificateProbe(connection, tls_settings_of(settings, pinned=pinned), observer(settings), settings.redactor)
    warning = settings.context.configuration.name_warning(settings.profile)
    return ProbedAppliance(settings.name, address.host, tls, name_warning=warning)
