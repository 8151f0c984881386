"""``backupctl notify``."""

from __future__ import annotations

import click

from backupctl.cli.context import Context
from backupctl.cli.options import LocalGroup, local_options, options
from backupctl.config.option_table import ALL, GROUP, SERVER

command = LocalGroup("notify")


@command.command("test")
@options(SERVER, GROUP, ALL)
@local_options
@click.pass_obj
def test(context: Context) -> int:
    """Send a test message through everything that the notify tables name."""
    from backupctl.cli.notify_test import send_test_messages

    return context.finish([send_test_messages(context)])
