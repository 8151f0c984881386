"""Shell completion: suggest the next word of a command line.

The scripts in ``completions/`` call it. click's own scripts leave variables behind in the shell, cut descriptions at a
comma, and support neither ``--output=j`` nor file names as values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click


def complete(command: click.Command, shell: str, argv: Sequence[str]) -> str:
    """Return the response to a script: ``words``, ``files`` or ``folders``, then one word and its help on each line.

    bash passes the whole line, as it splits words at ``=`` and ``:``; zsh and fish pass words, of which the last is
    incomplete.
    """
    *before, incomplete = _words(argv) if shell == "bash" else argv or ("",)
    items = ShellComplete(command, {}, str(command.name), "").get_completions(before, incomplete)
    kinds = {item.type for item in items}
    for kind, response in (("file", "files"), ("dir", "folders")):
        if kind in kinds:
            return f"{response}\n"
    option, equals, value = incomplete.partition("=") if incomplete.startswith("--") else ("", "", incomplete)
    start, prefix = (value, option + equals) if equals else (incomplete, "")
    matches = [item for item in items if str(item.value).startswith(start)]
    return "".join(["words\n", *(f"{prefix}{item.value}\t{_short_help(item)}\n" for item in matches)])


def _words(argv: Sequence[str]) -> list[str]:
    """Split the line of bash, without the name of the program; the last word is empty after a space."""
    line = "".join(argv[:1])
    words = split_arg_string(line)
    return [*words[1:], ""] if line[-1:].isspace() or len(words) < 2 else words[1:]


def _short_help(item: CompletionItem[str]) -> str:
    """Return the help on one line, without environment variables and defaults."""
    return " ".join((item.help or "").partition("  [")[0].split())
