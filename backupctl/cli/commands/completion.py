"""``backupctl completion``."""

import click

from backupctl.cli.completion import SCRIPTS
from backupctl.cli.context import Context
from backupctl.cli.options import SectionedCommand
from backupctl.errors import UsageError


@click.command(
    "completion",
    cls=SectionedCommand,
    epilog="""\b
Examples:
  backupctl completion bash > ~/.local/share/bash-completion/completions/backupctl
  backupctl completion zsh > "${fpath[1]}/_backupctl"
  backupctl completion fish > ~/.config/fish/completions/backupctl.fish

Exit status: 0 the script was printed.""",
)
@click.argument("shell", metavar="|".join(SCRIPTS), shell_complete=lambda _ctx, _parameter, _start: list(SCRIPTS))
@click.pass_obj
def command(context: Context, shell: str) -> int:
    """Print the script that makes a shell complete commands and options."""
    if shell not in SCRIPTS:
        raise UsageError(f"no completion for {shell!r}", hint=f"there is one for {', '.join(SCRIPTS)}")
    context.print(SCRIPTS[shell])
    return 0
