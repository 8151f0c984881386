"""``backupctl config``."""

from __future__ import annotations

import click

from backupctl.cli.context import Context
from backupctl.cli.options import SectionedCommand, local_options, secret_options
from backupctl.config.option_table import SECRETS

_NAMES = {secret.name: secret for secret in SECRETS}


@click.group("config")
def command() -> None:
    """Write, show and check the configuration file; no appliance is asked."""


@command.command(
    "init",
    cls=SectionedCommand,
    epilog="""\b
Examples:
  backupctl config init
  backupctl config init --config /etc/backupctl/config.toml

Exit status: 0 it is written, 3 there is one already, 11 it cannot be written.""",
)
@local_options
@click.pass_obj
def init(context: Context) -> int:
    """Write a commented sample to --config, else to the user's own place; a file that is there is left alone."""
    from backupctl.cli.config_write import write_sample
    from backupctl.results.result import Envelope

    return context.finish(Envelope.of("config init", [write_sample(context)]))


@command.command(
    "show",
    cls=SectionedCommand,
    epilog="""\b
Examples:
  backupctl config show
  backupctl config show --server vc01 -o json

Exit status: 0 it is shown, 3 the file or a variable cannot be used.""",
)
@click.option("-s", "--server", "servers", metavar="NAME", multiple=True, help="An appliance, repeatable.")
@local_options
@click.pass_obj
def show(context: Context, servers: tuple[str, ...]) -> int:
    """Show every setting with its source: of --server, or of an appliance without a table of its own.

    Of a secret, only its place is shown: no file is read, no command is run, no keyring is asked.
    """
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.config_show import default_settings, settings_result
    from backupctl.results.result import Envelope

    appliance_settings = [ApplianceSettings(context, context.configuration.profile(server)) for server in servers] or [
        default_settings(context)
    ]
    return context.finish(Envelope.of("config show", [settings_result(settings) for settings in appliance_settings]))


@command.command(
    "check",
    cls=SectionedCommand,
    epilog="""\b
Examples:
  backupctl config check
  backupctl config check --server vc01 --run-commands

WARNING is what a run would ask for at a terminal, or what cannot be judged from here. Exit status: 0 OK or warnings,
3 something fails.""",
)
@click.option("-s", "--server", "servers", metavar="NAME", multiple=True, help="Only this appliance, repeatable.")
@click.option("--run-commands", is_flag=True, help="Run the commands of secrets, and ask the keyring, too.")
@local_options
@click.pass_obj
def check(context: Context, servers: tuple[str, ...], run_commands: bool) -> int:
    """Check everything that can be judged without an appliance: the file, and what it says of each server.

    Values, names of groups, secret files and their modes, commands, variables, CA files, pins, rules of the backup
    password and of locations. Nothing is sent, and no host name is looked up.
    """
    from backupctl.cli.config_check import check_configuration
    from backupctl.results.result import Envelope

    return context.finish(Envelope.of("config check", check_configuration(context, servers, run_commands=run_commands)))


@command.command(
    "set-secret",
    cls=SectionedCommand,
    epilog="""\b
Examples:
  backupctl config set-secret password
  backupctl config set-secret backup-password --server vc01 --backup-password-file -

Exit status: 0 the secret is in the keyring and the file says so, 2 it breaks the rules, 3 the keyring or the file
cannot be used.""",
)
@click.argument("name", type=click.Choice(list(_NAMES)), metavar="NAME")
@click.option("-s", "--server", "server", metavar="NAME", help="For this appliance alone, instead of for all.")
@secret_options(*SECRETS)
@local_options
@click.pass_obj
def set_secret(context: Context, name: str, server: str | None) -> int:
    """Put a secret into the keyring of the operating system, and say so in the configuration file.

    NAME is password, location-password, backup-password or sso-password. It is asked for without echo, or comes from
    the options that give it elsewhere. The keyring is that of this user, so it serves runs of this user only.
    """
    from backupctl.cli.config_write import store_secret
    from backupctl.results.result import Envelope

    return context.finish(Envelope.of("config set-secret", [store_secret(context, _NAMES[name], server)]))
