"""``backupctl config``."""

from __future__ import annotations

from functools import partial

import click

from backupctl.cli.confirmation import yes_option
from backupctl.cli.context import Context
from backupctl.cli.options import LocalGroup, complete_configured, local_options, secret_options
from backupctl.config.option_table import SECRETS

_NAMES = {secret.name: secret for secret in SECRETS}
_server_option = partial(click.option, "-s", "--server", metavar="NAME", shell_complete=complete_configured("servers"))


command = LocalGroup("config")


@command.command("init")
@local_options
@click.pass_obj
def init(context: Context) -> int:
    """Write a commented sample to --config, else to the user's own place; a file that is there is left alone."""
    from backupctl.cli.config_write import write_sample

    return context.finish([write_sample(context)])


@command.command("show")
@_server_option("servers", multiple=True, help="Configured server (repeatable).")
@local_options
@click.pass_obj
def show(context: Context, servers: tuple[str, ...]) -> int:
    """Show every setting with its source: of --server, or of an appliance without a table of its own."""
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.config_show import default_settings, settings_result

    appliance_settings = [ApplianceSettings(context, context.configuration.profile(server)) for server in servers] or [
        default_settings(context)
    ]
    return context.finish([settings_result(settings) for settings in appliance_settings])


@command.command("check")
@_server_option("servers", multiple=True, help="Check only this configured server (repeatable).")
@click.option("--run-commands", is_flag=True, help="Also run commands of secrets, and query the keyring.")
@local_options
@click.pass_obj
def check(context: Context, servers: tuple[str, ...], run_commands: bool) -> int:
    """Check everything that can be judged without an appliance: the file, and what it says of each server."""
    from backupctl.cli.config_check import check_configuration

    return context.finish(check_configuration(context, servers, run_commands=run_commands))


@command.command("set-secret")
@click.argument("name", type=click.Choice(list(_NAMES)), metavar="NAME")
@_server_option(help="Store it for this configured server only.")
@yes_option
@secret_options(*SECRETS)
@local_options
@click.pass_obj
def set_secret(context: Context, name: str, server: str | None, yes: bool) -> int:
    """Put a secret into the keyring of the operating system, and say so in the configuration file."""
    from backupctl.cli.config_write import store_secret

    return context.finish([store_secret(context, _NAMES[name], server, yes=yes)])
