"""Looking at the TLS of the appliances of the command line: no user, no password."""

from collections.abc import Callable
from typing import TypeVar

from backupctl.cli.appliance_settings import SIMULATED, Scope, scopes
from backupctl.cli.connection import observer
from backupctl.cli.context import App
from backupctl.cli.runner import Failed, drive, make_each
from backupctl.cli.tls_settings import find_route, tls_settings_of, words_for
from backupctl.config.value import attribute_errors
from backupctl.errors import UsageError
from backupctl.operations.task import Task
from backupctl.operations.trust import Inspected
from backupctl.results.result import Result

R = TypeVar("R", bound=Result)


def scopes_to_inspect(app: App) -> list[Scope]:
    """Return a scope for each appliance that is asked for; raise UsageError for the one that has no TLS."""
    found = scopes(app)
    if any(scope.profile.address == SIMULATED for scope in found):
        raise UsageError(
            "an appliance in this process has no TLS, and so no certificate",
            hint="`backupctl simulator serve` listens with TLS; name what it prints with --server",
        )
    return found


def inspect_all(
    app: App,
    found: list[Scope],
    result_type: type[R],
    work: Callable[[Inspected], Task[R]],
    pinned: Callable[[Scope], bool] = lambda _: True,
) -> list[R]:
    """Do ``work`` on appliances, under signals, and return the results; ``pinned`` says whose pin is expected.

    What is wrong with the settings of one appliance is its result, of type ``result_type``.
    """
    targets = make_each(found, lambda scope: _inspected(scope, pinned=pinned(scope)))
    tasks = [each.task(result_type) if isinstance(each, Failed) else work(each) for each in targets]
    return drive(app, tasks, decides=False)  # what is shown may be asked about


def _inspected(scope: Scope, *, pinned: bool) -> Inspected:
    from backupctl.api.certificate_probe import Inspection
    from backupctl.api.connect import route_to
    from backupctl.api.handshake import check_tls

    address, proxy = scope.profile.address, find_route(scope).value
    with attribute_errors(scope.address_source):
        check_tls(address.base_url)
    url = proxy.url.reveal() if proxy else None
    route = route_to(address.base_url, url, scope.clock, name=scope.name, words=words_for(scope))
    tls = Inspection(route, tls_settings_of(scope, pinned=pinned), observer(scope), scope.known)
    return Inspected(scope.name, address.host, tls, doubt=scope.app.configuration.doubt(scope.profile))
