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
    from backupctl.cli.appliance_settings import ApplianceSettings, appliance_settings
    from backupctl.cli.channels import send_test_messages
    from backupctl.cli.config_show import default_settings

    if any(context.value(option) for option in (SERVER, GROUP, ALL)):
        selected = appliance_settings(context)
    else:
        selected = [ApplianceSettings(context, profile) for profile in context.configuration.servers.values()]
    return context.finish([send_test_messages(context, selected or [default_settings(context)])])
