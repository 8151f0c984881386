"""Looking at the TLS of the appliances of the command line: no user, no password."""

from collections.abc import Callable
from typing import TypeVar

from backupctl.cli.app import App
from backupctl.cli.connection import find_route, observer
from backupctl.cli.running import drive
from backupctl.cli.scope import SIMULATED, Scope, scopes
from backupctl.errors import UsageError
from backupctl.operations.task import Task
from backupctl.operations.trust import Inspected
from backupctl.results.result import Result
from backupctl.settings.options import CA_FILE, FINGERPRINT, INSECURE

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
    work: Callable[[Inspected], Task[R]],
    expected: Callable[[Scope], str | None] = lambda scope: scope.value(FINGERPRINT),
) -> list[R]:
    """Do ``work`` on appliances, under signals, and return the results; ``expected`` is the pin of each."""
    targets = [_inspected(scope, expected(scope)) for scope in found]
    return drive(app, [work(target) for target in targets], decides=False)  # what is shown may be asked about


def _inspected(scope: Scope, fingerprint: str | None) -> Inspected:
    from backupctl.api.connect import Trust, route_to
    from backupctl.api.inspection import Inspection

    address, proxy = scope.profile.address, find_route(scope)
    route = route_to(address.base_url, proxy.url.reveal() if proxy else None, scope.clock)
    trust = Trust(scope.value(CA_FILE), insecure=scope.value(INSECURE), fingerprint=fingerprint)
    return Inspected(scope.name, address.host, Inspection(route, trust, observer(scope)))
