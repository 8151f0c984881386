"""From work to exit code: run it on the appliances, under signals, and show what came out."""

import queue
from collections.abc import Callable
from typing import TypeVar

from backupctl.cli.app import App
from backupctl.cli.connection import connect
from backupctl.cli.signals import delivered_to
from backupctl.operations.appliance import Appliance
from backupctl.operations.fleet import Fleet, Mailbox, ThreadWorkers
from backupctl.operations.run import Outcome, run_on
from backupctl.operations.task import Task
from backupctl.results import Envelope, PreparedRequest, RequestsResult, Result

R = TypeVar("R", bound=Result)


def run(
    app: App,
    command: str,
    result_type: type[R],
    work: Callable[[Appliance], Task[Outcome]],
    *,
    fresh: bool = False,
    confirm: Callable[[Appliance], None] = lambda _: None,
    silence: float = 0.0,
) -> int:
    """Do ``work`` on the appliances of the command line, show the results and return the exit code.

    ``fresh`` is for appliances that wait for a restore; ``confirm`` may raise before anything is sent;
    for ``silence`` seconds it is waited for somebody to be there.
    """
    appliances = connect(app, fresh=fresh)
    for appliance in appliances:
        confirm(appliance)
    mailbox: Mailbox = queue.SimpleQueue()
    fleet: Fleet[R] = Fleet(app.clock, app.workers or ThreadWorkers(), mailbox, app.view.warn)
    with delivered_to(mailbox):
        if app.interrupted:
            raise KeyboardInterrupt
        results = fleet.run(
            [run_on(appliance, result_type, work(appliance), silence=silence) for appliance in appliances]
        )
        app.view.close()
    return app.finish(Envelope.of(command, results))


def show_requests(
    app: App, command: str, prepare: Callable[[Appliance], tuple[PreparedRequest, ...]], *, fresh: bool = False
) -> int:
    """Show what would be sent, and send nothing (``--dry-run``)."""
    results = [
        RequestsResult(
            server=appliance.name, host=appliance.host, simulated=appliance.simulated, requests=prepare(appliance)
        )
        for appliance in connect(app, offline=True, fresh=fresh)
    ]
    return app.finish(Envelope.of(command, results))
