"""A group that imports a command only when it runs, so that help and completion import neither httpx nor rich."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence

import click

from backupctl.cli.command_help import DocumentedCommand


class LazyGroup(DocumentedCommand, click.Group):
    """A group of placeholder commands, replaced by the real ones from ``backupctl.cli.commands`` when they run."""

    def __init__(self, *arguments: object, sections: Mapping[str, Sequence[str]], **attributes: object) -> None:
        super().__init__(*arguments, **attributes)
        self.sections = sections
        self.lazy = [name for names in sections.values() for name in names]
        for name in self.lazy:
            self.add_command(DocumentedCommand(name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the real command; click suggests names for an unknown one."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in self.lazy:
            command = self.load(str(name))
        return name, command, rest

    def load(self, name: str) -> click.Command:
        """Import and return a command."""
        command: click.Command = importlib.import_module(f"backupctl.cli.commands.{name}").command
        return command
