"""``backupctl completion``."""

from pathlib import Path
from typing import Final

import click

from backupctl.cli.context import Context
from backupctl.cli.options import SectionedCommand
from backupctl.errors import UsageError

SHELLS: Final = ("bash", "zsh", "fish")

SCRIPTS: Final = Path(__file__).parents[2] / "completions"
"""The scripts: links to ``completions/`` in a checkout, copies in a release."""


@click.command("completion", cls=SectionedCommand)
@click.argument("shell", metavar="|".join(SHELLS), shell_complete=lambda _ctx, _parameter, _start: list(SHELLS))
@click.pass_obj
def command(context: Context, shell: str) -> int:
    """Print the script that makes a shell complete commands and options."""
    if shell not in SHELLS:
        raise UsageError(f"unsupported shell {shell!r}", hint=f"choose from {', '.join(SHELLS)}")
    context.print((SCRIPTS / f"backupctl.{shell}").read_text(encoding="utf-8"))
    return 0
