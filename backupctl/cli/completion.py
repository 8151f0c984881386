"""Completion: what a shell offers after the words typed so far.

The scripts that ask are in ``completions/``. They are not click's: those leave variables behind in the shell, cut
descriptions at a comma, and know neither ``--output=j`` nor which values are files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click


def answer(command: click.Command, shell: str, argv: Sequence[str]) -> str:
    """Return what a script asks for: ``words``, ``files`` or ``folders``, then a word and its help on each line.

    bash sends its whole line, as it cuts words at ``=`` and ``:``; the others send words, the last one incomplete.
    """
    *before, incomplete = _words(argv) if shell == "bash" else argv or ("",)
    items = ShellComplete(command, {}, str(command.name), "").get_completions(before, incomplete)
    kinds = {item.type for item in items}
    for kind, answered in (("file", "files"), ("dir", "folders")):
        if kind in kinds:
            return f"{answered}\n"
    option, equals, begun = incomplete.partition("=") if incomplete.startswith("--") else ("", "", incomplete)
    start, prefix = (begun, option + equals) if equals else (incomplete, "")
    offered = [item for item in items if str(item.value).startswith(start)]
    return "".join(["words\n", *(f"{prefix}{item.value}\t{_in_brief(item)}\n" for item in offered)])


def _words(argv: Sequence[str]) -> list[str]:
    line = "".join(argv[:1])
    words = split_arg_string(line)
    return [*words[1:], ""] if line[-1:].isspace() or len(words) < 2 else words[1:]


def _in_brief(item: CompletionItem[str]) -> str:
    """Return the help on one line, without the environment names and defaults behind it."""
    return " ".join((item.help or "").partition("  [")[0].split())
