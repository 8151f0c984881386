"""A group that imports a command only when it runs, so that help and completion import neither httpx nor rich."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

from backupctl.cli.options import write_sections


class LazyGroup(click.Group):
    """A group of placeholder commands with a name and a short help, replaced by the real ones when they run."""

    def __init__(
        self, *arguments: object, lazy: Mapping[str, tuple[str, str]] | None = None, **attributes: object
    ) -> None:
        super().__init__(*arguments, **attributes)  # type: ignore[arg-type]
        self._modules = {name: module for name, (module, _) in (lazy or {}).items()}
        for name, (_, short_help) in (lazy or {}).items():
            self.add_command(click.Command(name, short_help=short_help))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the real command; click suggests names for an unknown one."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in self._modules:
            command = self.load(name)
        return name, command, rest

    def load(self, name: str) -> click.Command:
        """Import and return a command."""
        command: click.Command = importlib.import_module(self._modules[name]).command
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first, then the options under their headings."""
        self.format_commands(ctx, formatter)
        write_sections(self.get_params(ctx), ctx, formatter)
