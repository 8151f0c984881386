"""Shell completion: suggest the next word of a command line.

The scripts in ``completions/`` call it. click's own scripts leave variables behind in the shell, cut descriptions at a
comma, and support neither ``--output=j`` nor file names as values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import ShellComplete, split_arg_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from backupctl.cli.context import Context


def complete(command: click.Command, shell: str, context: Context) -> str:
    """Return the response to a script: ``words``, ``files`` or ``folders``, then one word and its help on each line.

    bash passes the whole line, as it splits words at ``=`` and ``:``; zsh and fish pass words, of which the last is
    incomplete.
    """
    *before, incomplete = _words(context.argv) if shell == "bash" else context.argv or ("",)
    items = ShellComplete(command, {"obj": context}, str(command.name), "").get_completions(before, incomplete)
    kinds = {item.type for item in items}
    for kind, response in (("file", "files"), ("dir", "folders")):
        if kind in kinds:
            return f"{response}\n"
    option, equals, value = incomplete.partition("=") if incomplete.startswith("--") else ("", "", incomplete)
    start, prefix = (value, option + equals) if equals else (incomplete, "")
    matches = [item for item in items if str(item.value).startswith(start)]
    return "".join(["words\n", *(f"{prefix}{item.value}\t{' '.join((item.help or '').split())}\n" for item in matches)])


def configured_names(ctx: click.Context, table: str) -> list[str]:
    """Return the names in a table of the configuration file, without asking an appliance or reading a secret."""
    from pathlib import Path

    from backupctl.cli.context import Context
    from backupctl.config.config_file import find_configuration, names_in_table
    from backupctl.config.option_table import CONFIG

    context = ctx.find_object(Context)
    if context is None:
        return []
    named = context.given.get(CONFIG.key, (context.environ.get(str(CONFIG.environment)),))[-1]
    path = find_configuration(Path(named) if named else None, context.environ)
    return names_in_table(path, table) if path else []


def _words(argv: Sequence[str]) -> list[str]:
    """Split the line of bash, without the name of the program; the last word is empty after a space."""
    line = "".join(argv[:1])
    words = split_arg_string(line)
    return [*words[1:], ""] if line[-1:].isspace() or len(words) < 2 else words[1:]
