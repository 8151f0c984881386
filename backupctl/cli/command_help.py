"""The help of commands: what it does, examples, its own options; the common ones have a page of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import click

from backupctl.config.option import OptionGroup
from backupctl.help.option_list import Entry

_COMMON: Final = (OptionGroup.CONNECTION, OptionGroup.SEVERAL, OptionGroup.OUTPUT)
_FOLDED: Final = {"create": (OptionGroup.TARGET, OptionGroup.RETENTION)}
"""Groups of options that a command does not list, as few backups need them."""
_FLAGS_WIDTH: Final = 29
"""Columns of the names of options; the text of one with a longer name begins on the next line."""

_FEW: Final = 12
"""So many options need no headings."""


class InHelp(NamedTuple):
    """How the help shows an option; ``help_of`` has its texts for commands or groups that differ.

    ``row`` is how ``--help`` lists it, if not as click does: its names and text, or nothing if another row has it.
    """

    section: OptionGroup | None = None
    environment: str | None = None
    help_of: Mapping[str, str] = {}
    row: tuple[str, str] | tuple[()] | None = None


class DocumentedOption(click.Option):
    """An option of the option table."""

    def __init__(self, *names: Any, in_help: InHelp, **attributes: Any) -> None:  # noqa: ANN401 - attributes of click
        super().__init__(*names, **attributes)
        self.in_help = in_help


class DocumentedCommand(click.Command):
    """A command whose help is a page of the manual and its options."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:  # noqa: ANN401 - attributes of click
        super().__init__(*arguments, **attributes)
        self.join("")

    def join(self, group: str) -> None:
        """Become a command of a group, which may have texts of its own for the options, as the command may."""
        self.full_name = f"{group} {self.name}".strip()
        for option in own_options(self):
            texts = in_help(option).help_of
            option.help = texts.get(self.full_name, texts.get(group, option.help))

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return what the command does, uncut."""
        del limit
        from backupctl.help import manual

        return manual.summary(manual.command_page(self.full_name))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help: what the command does, examples, its own options."""
        self.format_usage(ctx, formatter)
        write_help(self, ctx, formatter)


def write_help(command: DocumentedCommand, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the help of a command behind its usage."""
    from backupctl.help import manual

    page = manual.command_page(command.full_name)
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(manual.summary(page))
    with formatter.section("Examples"):
        formatter.write("".join(f"  {line}\n" for line in manual.examples(page).splitlines()))
    if isinstance(command, click.Group):
        for heading, names in command_sections(command).items():
            _write_rows(formatter, heading, [(name, command.commands[name].get_short_help_str()) for name in names])
    listed = [option for option in own_options(command) if in_help(option).row != ()]
    sections: dict[str, list[tuple[str, str]]] = {"Options": []}
    for option in listed:
        heading = (len(listed) > _FEW and in_help(option).section) or "Options"
        sections.setdefault(heading, []).append(in_help(option).row or _record(option, ctx))
    for heading, rows in sections.items():
        _write_rows(formatter, heading, rows)
    formatter.write_paragraph()
    for line in _closing_lines(command, is_root=ctx.parent is None):
        formatter.write(f"{line}\n")


def command_sections(group: click.Group) -> Mapping[str, Sequence[str]]:
    """Return the names of the commands of a group, under their headings."""
    return getattr(group, "sections", None) or {"Commands": list(group.commands)}


def own_options(command: click.Command) -> list[click.Option]:
    """Return the options that the help of a command lists."""
    common = (*_common_sections(command), *_FOLDED.get(getattr(command, "full_name", ""), ()))
    options = (option for option in command.params if isinstance(option, click.Option))
    return [option for option in options if in_help(option).section not in common]


def in_help(option: click.Parameter) -> InHelp:
    """Return how the help shows an option."""
    return option.in_help if isinstance(option, DocumentedOption) else InHelp()


def entries(command: click.Command, ctx: click.Context) -> list[Entry]:
    """Return the options that the page of a command lists."""
    return [Entry(*_record(option, ctx), in_help(option).environment) for option in own_options(command)]


def _record(option: click.Option, ctx: click.Context) -> tuple[str, str]:
    """Return the names and the text of an option; one that is switched on and off is written ``--[no-]name``."""
    names, text = option.get_help_record(ctx) or ("", "")
    names = re.sub(r"--(\S+) / --no-\1", r"--[no-]\1", names)
    text = re.sub(r"  \[[0-9<=]*x[0-9<>=]*\]$", "", text)
    return names, re.sub(r"\.  \[(.*)\]$", r" (\1).", text)


def _common_sections(command: click.Command) -> tuple[OptionGroup, ...]:
    """Return the groups of options that a command shares with most others, and does not list."""
    sections = {in_help(option).section for option in command.params}
    if OptionGroup.SEVERAL in sections:
        return _COMMON
    return (OptionGroup.OUTPUT,) if OptionGroup.OUTPUT in sections else ()


def _closing_lines(command: DocumentedCommand, *, is_root: bool) -> Iterator[str]:
    if is_root:
        yield "First backup: backupctl help getting-started"
        yield "All topics: backupctl help"
    if common := _common_sections(command):
        kinds = "Connection, fleet and output" if common == _COMMON else "Output"
        yield f"{kinds} options: backupctl help connection"
    if command.full_name in _FOLDED:
        yield "Options for --verify and --prune: backupctl help archives"
    yield f"Details and exit codes: backupctl help {command.full_name}"


def _write_rows(formatter: click.HelpFormatter, heading: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(heading):
            formatter.write_dl(rows, col_max=_FLAGS_WIDTH)
