"""``backupctl completion``."""

import click

from backupctl.cli.app import App
from backupctl.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    epilog="""\b
Examples:
  backupctl completion bash > ~/.local/share/bash-completion/completions/backupctl
  backupctl completion zsh > "${fpath[1]}/_backupctl"
  backupctl completion fish > ~/.config/fish/completions/backupctl.fish

Exit status: 0 the script was printed.""",
)
@click.argument("shell", metavar="bash|zsh|fish", shell_complete=lambda _ctx, _parameter, _start: list(SHELLS))
@click.pass_obj
def command(app: App, shell: str) -> int:
    """Print the script that makes a shell complete commands and options."""
    if shell not in SHELLS:
        raise UsageError(f"no completion for {shell!r}", hint=f"there is one for {', '.join(SHELLS)}")
    app.stdout.write(completion_script(shell))
    app.stdout.flush()
    return 0


def completion_script(shell: str) -> str:
    """Return the script for a shell; the files in ``completions/`` are these, and a test holds that."""
    from click.shell_completion import get_completion_class

    from backupctl.cli.root import PROGRAM, root

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    return kind(root, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source()
