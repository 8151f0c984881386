"""Pages of the manual: topics, and what the commands say about themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import cast

import click

from backupctl import __version__
from backupctl.cli.command_help import DocumentedCommand, entries
from backupctl.cli.root import COMMANDS, PROGRAM, root
from backupctl.help import manual
from backupctl.help.option_list import markdown
from backupctl.help.roff import man_page


def index_page() -> str:
    """Return the list of topics and commands."""
    topics = "\n".join(f"- `{name}`: {manual.title(manual.topic(name))}" for name in manual.topics())
    commands = "\n".join(f"- `{name}`: {manual.summary(manual.command_page(name))}" for name in COMMANDS)
    usage = "`backupctl help NAME` shows a page."
    return f"# Manual of backupctl\n\n## Topics\n\n{topics}\n\n## Commands\n\n{commands}\n\n{usage}\n"


def page(words: Sequence[str]) -> str:
    """Return the page on a topic or a command. Raises UsageError: if there is none."""
    name, commands = "-".join(words), commands_by_page()
    if name in manual.topics():
        text, see_also, rest = manual.topic(name).partition("\n## See also")
        return text + (_commands_section(commands[name]) if name in commands else "") + see_also + rest
    if name not in commands:
        raise manual.unknown_page_error(" ".join(words), [*manual.topics(), *commands])
    head, summary, rest = command_page(commands[name]).split("\n\n", 2)
    return f"{head}\n\n{summary}\n\n`{usage(commands[name])}`\n\n{rest}"


def commands_by_page() -> dict[str, DocumentedCommand]:
    """Return every command by the name of its page, such as ``schedule-set``."""
    return {command.full_name.replace(" ", "-"): command for command in _documented(root)}


def command_page(command: DocumentedCommand) -> str:
    """Return the Markdown of a command with its options, or with its commands."""
    text, status, rest = manual.command_page(command.full_name).partition("\n## Exit status")
    options = entries(command, _context(command))
    listed = f"\n## Options\n\n{markdown(options)}\n" if options else ""
    return text + listed + _commands_section(command) + status + rest


def usage(command: DocumentedCommand) -> str:
    """Return the usage of a command on one line."""
    ctx = _context(command)
    return " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])


def _documented(group: click.Group) -> Iterator[DocumentedCommand]:
    yield cast("DocumentedCommand", group)
    for name, placeholder in group.commands.items():
        command = root.load(name) if group is root else placeholder
        if isinstance(command, click.Group):
            yield from _documented(command)
        else:
            yield cast("DocumentedCommand", command)


def _context(command: DocumentedCommand) -> click.Context:
    return click.Context(command, info_name=PROGRAM if command is root else f"{PROGRAM} {command.full_name}")


def _commands_section(command: click.Command) -> str:
    if not isinstance(command, click.Group):
        return ""
    commands = cast("Iterable[DocumentedCommand]", command.commands.values())
    items = [f"- `{each.full_name}`: {each.get_short_help_str()}" for each in commands]
    return "\n## Commands\n\n" + "\n".join(items) + "\n"


def man_pages(date: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each man page, for a folder ``share/man``."""
    make = partial(man_page, date=date, version=__version__)
    for page_name, command in commands_by_page().items():
        name = PROGRAM if command is root else f"{PROGRAM}-{page_name}"
        summary, text = command.get_short_help_str(), command_page(command)
        yield f"man1/{name}.1", make(text, name=name, section=1, summary=summary, synopsis=usage(command))
    for topic in manual.topics():
        name, text = f"{PROGRAM}-{topic}", manual.topic(topic)
        yield f"man7/{name}.7", make(text, name=name, section=7, summary=manual.title(text), synopsis=None)
