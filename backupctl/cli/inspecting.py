"""Looking at the TLS of the appliances of the command line: no user, no password."""

import queue
from collections.abc import Callable
from typing import TypeVar

from backupctl.cli.app import App, no_such_value
from backupctl.cli.connection import _observer
from backupctl.cli.signals import delivered_to
from backupctl.errors import UsageError
from backupctl.operations.fleet import Fleet, Mailbox, ThreadWorkers
from backupctl.operations.task import Task
from backupctl.operations.trust import Inspected
from backupctl.results import Result
from backupctl.settings.options import CA_FILE, FINGERPRINT, INSECURE, PROXY, SERVER, SIMULATE
from backupctl.settings.route import find_proxy
from backupctl.settings.server import ServerAddress, distinct_servers, parse_server

R = TypeVar("R", bound=Result)


def inspect_all(app: App, fingerprint: str | None, work: Callable[[Inspected], Task[R]]) -> list[R]:
    """Do ``work`` on the appliances of the command line, under signals, and return the results."""
    targets = [_inspected(app, server, fingerprint) for server in servers_to_inspect(app)]
    mailbox: Mailbox = queue.SimpleQueue()
    fleet: Fleet[R] = Fleet(app.clock, app.workers or ThreadWorkers(), mailbox, app.view.warn)
    with delivered_to(mailbox):
        if app.interrupted:
            raise KeyboardInterrupt
        return fleet.run([work(target) for target in targets])


def servers_to_inspect(app: App) -> tuple[ServerAddress, ...]:
    """Return the appliances that the command line names; one is asked for on a terminal."""
    if app.value(SIMULATE):
        raise UsageError(
            "an appliance in this process has no TLS, and so no certificate",
            hint="`backupctl simulator serve` listens with TLS; name what it prints with --server",
        )
    servers = distinct_servers(app.value(SERVER))
    if not servers and not app.prompter.present:
        raise no_such_value(SERVER)
    if not servers:
        app.given[SERVER.key] = (app.prompter.ask("Appliance (host name)", parse_server),)
        servers = app.value(SERVER)
    return servers


def fingerprint_on_command_line(app: App) -> str | None:
    """Return the fingerprint that was typed; one in the environment or a file is what is to be replaced."""
    return app.value(FINGERPRINT) if app.given.get(FINGERPRINT.key) else None


def _inspected(app: App, server: ServerAddress, fingerprint: str | None) -> Inspected:
    from backupctl.api.connect import Trust, route_to
    from backupctl.api.inspection import Inspection

    given = app.given.get(PROXY.key)
    proxy = find_proxy(server, given if isinstance(given, str) else None, app.environ).value
    route = route_to(server.base_url, proxy.url.reveal() if proxy else None, app.clock)
    trust = Trust(app.value(CA_FILE), insecure=app.value(INSECURE), fingerprint=fingerprint)
    return Inspected(server.name, server.host, Inspection(route, trust, _observer(app)))
