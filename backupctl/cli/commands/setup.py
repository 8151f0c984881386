"""``backupctl setup``."""

from __future__ import annotations

import click

from backupctl.cli.context import Context
from backupctl.cli.options import SectionedCommand, in_group, options
from backupctl.config.option import OptionGroup
from backupctl.config.option_table import CONFIG, OUTPUT, SIMULATE
from backupctl.errors import UsageError


@click.command("setup", cls=SectionedCommand)
@options(CONFIG, SIMULATE, *in_group(OptionGroup.OUTPUT))
@click.pass_obj
def command(context: Context) -> int:
    """Set up backups by answering questions: trust, login, location, passwords, configuration, nightly run.

    Each answer is tried at once. If it does not work, setup asks again. Run it again to add an appliance.
    """
    if not context.prompter.interactive or context.value(OUTPUT) != "text":
        raise UsageError(
            "setup asks questions, so it needs a terminal and text output",
            hint="without one, use `backupctl config init` and `backupctl trust pin`",
        )
    from backupctl.cli.first_run import set_up

    return set_up(context)
