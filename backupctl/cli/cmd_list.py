"""``backupctl list``."""

import click

from backupctl.cli.app import App
from backupctl.cli.options import ApplianceCommand, shared_options
from backupctl.cli.running import run
from backupctl.operations.appliance import Appliance
from backupctl.operations.jobs import read_all
from backupctl.operations.run import Outcome
from backupctl.operations.task import Task
from backupctl.results import JobsResult


@click.command(
    "list",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl list -s vc01.example.com -u administrator@vsphere.local

Exit status: 0 the jobs were listed, whatever became of them.""",
)
@shared_options
@click.pass_obj
def command(app: App) -> int:
    """List the backup jobs that the appliance remembers, newest first."""

    def work(appliance: Appliance) -> Task[Outcome]:
        return Outcome({"jobs": (yield from read_all(appliance))})

    return run(app, "list", JobsResult, work)
