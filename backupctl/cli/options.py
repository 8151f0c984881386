"""Options of the command line, declared from the table in ``config.option_table``.

Connection and output options are accepted before and after the command. Callbacks store the given texts in the
``Context``; values are resolved when a command needs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from backupctl.cli.command_help import DocumentedCommand, DocumentedOption, InHelp
from backupctl.cli.context import Context
from backupctl.config.option import Kind, Option, OptionGroup, SecretName
from backupctl.config.option_table import (
    BACKUP_PASSWORD,
    CONFIG,
    GROUP,
    LOCATION_PASSWORD,
    OPTIONS,
    PASSWORD,
    SERVER,
)
from backupctl.errors import BackupctlError, UsageError
from backupctl.help import option_list

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., object])


class ExampleArgument(click.Argument):
    """An argument with an example, for completion and for the error that it is missing."""

    def __init__(self, *names: Any, example: str, **attributes: Any) -> None:  # noqa: ANN401 - attributes of click
        super().__init__(*names, shell_complete=lambda _ctx, _parameter, _start: [example], **attributes)
        self.example = example


class SectionedCommand(DocumentedCommand):
    """A command that checks the options that commands share before it runs."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what the command returns
        """Check the options that commands share, and run the command."""
        context = ctx.find_object(Context)
        if context is not None:
            context.command = command_name(ctx)
            self._reject_unsupported(context, ctx)
            self.check(context)
        return super().invoke(ctx)

    def _reject_unsupported(self, context: Context, ctx: click.Context) -> None:
        """Check that the command supports the options given before it.

        Raises UsageError: for one that it does not have.
        """
        own = {parameter.name for parameter in self.params}
        flags = ", ".join(f"--{key.replace('_', '-')}" for key in context.given if key not in own)
        if flags:
            raise UsageError(
                f"{flags}: no such option before `{ctx.command_path}`",
                hint=f"run `{ctx.command_path} --help` for its options",
            )

    def check(self, context: Context) -> None:
        """Check the output options. Raises UsageError: for an invalid value."""
        context.check_output_options()


class ApplianceCommand(SectionedCommand):
    """A command that works on appliances."""

    allow_extra_args = True  # ``invoke`` rejects them, with a hint for the name of a server

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what the command returns
        """Reject surplus arguments, and run the command. Raises UsageError: for a surplus argument."""
        context = ctx.find_object(Context)
        if context is not None and ctx.args:
            context.command, surplus = command_name(ctx), ctx.args[0]
            hint = f"run `{ctx.command_path} --help` for usage"
            if _names_server(context, surplus):
                hint = f"did you mean {SERVER.short} {surplus}?"
            raise UsageError("unexpected argument $1", texts=(repr(surplus),), hint=hint)
        return super().invoke(ctx)

    def check(self, context: Context) -> None:
        """Check all options of the run. Raises UsageError and ConfigError: for an invalid value."""
        context.check_run_options()


def _names_server(context: Context, text: str) -> bool:
    """Return whether a text is a configured server, or looks like a host name."""
    if re.fullmatch(r"[\w-]+(\.[\w-]+)+(:[0-9]+)?", text, re.ASCII):
        return True
    try:
        return context.configuration.profile(text).configured
    except BackupctlError:
        return False


class CommandGroup(DocumentedCommand, click.Group):
    """A group of commands."""

    command_class: type[click.Command] | None = ApplianceCommand

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, and tell it its group."""
        super().add_command(cmd, name)
        if isinstance(cmd, DocumentedCommand):
            cmd.join(str(self.name))


class LocalGroup(CommandGroup):
    """A group of commands that connect to no appliance."""

    command_class = SectionedCommand


def command_name(ctx: click.Context) -> str | None:
    """Return the full name of a command, such as ``schedule set``, None for the program itself."""
    return ctx.command_path.partition(" ")[2] or None


def options(*chosen: Option[object]) -> Callable[[F], F]:
    """Declare options of the table."""

    def decorate(function: F) -> F:
        for option in reversed(chosen):
            function = _declare(option)(function)
        return function

    return decorate


def shared_options(function: F) -> F:
    """Declare the options of every command that connects to appliances."""
    function = options(*in_group(OptionGroup.SEVERAL), *in_group(OptionGroup.OUTPUT))(function)
    return options(*in_group(OptionGroup.CONNECTION))(secret_options(PASSWORD)(function))


def local_options(function: F) -> F:
    """Declare the shared options of a command that reads the configuration but connects to no appliance."""
    return options(CONFIG, *in_group(OptionGroup.OUTPUT))(function)


def backup_options(function: F) -> F:
    """Declare the options that describe a backup."""
    return options(*in_group(OptionGroup.BACKUP))(secret_options(LOCATION_PASSWORD, BACKUP_PASSWORD)(function))


def target_options(function: F) -> F:
    """Declare the options of a command that reads a location from this host."""
    return options(*in_group(OptionGroup.TARGET))(function)


def in_group(group: OptionGroup) -> tuple[Option[object], ...]:
    """Return the options of a group."""
    return tuple(option for option in OPTIONS if option.group is group)


def secret_options(*names: SecretName) -> Callable[[F], F]:
    """Declare ``--NAME-file`` and ``--NAME-command``; a secret itself is never an argument."""

    def decorate(function: F) -> F:
        for name in reversed(names):
            section = OptionGroup.CONNECTION if name is PASSWORD else OptionGroup.BACKUP
            file, command = option_list.secret_options(name)
            row = f"{file.names}, {command.names}", f"{name.meaning[0].upper()}{name.meaning[1:]}."
            for entry, its_row in ((command, ()), (file, row)):
                flag, metavar = entry.names.split()
                shown = InHelp(section, entry.environment, row=its_row)
                function = _click_option(flag, in_help=shown, metavar=metavar, help=entry.text)(function)
        return function

    return decorate


def _declare(option: Option[object]) -> Callable[[F], F]:
    names = [f"{option.flag}/--no-{option.name}" if option.kind is Kind.SWITCH else option.flag]
    if option.short:
        names.insert(0, option.short)
    kinds: dict[Kind, dict[str, Any]] = {
        Kind.VALUE: {"metavar": option.metavar or "|".join(option.choices) or None},
        Kind.LIST: {"metavar": option.metavar, "multiple": True},
        Kind.FLAG: {"is_flag": True},
        Kind.SWITCH: {"is_flag": True, "default": None},
        Kind.COUNT: {"count": True},
    }
    complete: dict[str, Any] = {} if option.alone is None else {"is_flag": False, "flag_value": option.alone}
    if option.choices:
        complete["shell_complete"] = lambda _ctx, _parameter, _start: list(option.choices)
    elif option in {SERVER, GROUP}:
        complete["shell_complete"] = complete_configured(f"{option.name}s")
    shown = InHelp(option.group, option.environment, option.help_of)
    return _click_option(*names, in_help=shown, help=option_list.text(option), **kinds[option.kind], **complete)


def _click_option(*names: str, **attributes: Any) -> Callable[[F], F]:  # noqa: ANN401 - attributes of click
    if attributes.get("metavar") == "FILE":
        attributes["shell_complete"] = _complete_file
    return click.option(*names, cls=DocumentedOption, expose_value=False, callback=_store, **attributes)


def complete_configured(table: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return a completion with the names in a table of the configuration file."""

    def complete(ctx: click.Context, _parameter: click.Parameter, _start: str) -> list[str]:
        from backupctl.cli.completion import configured_names

        return configured_names(ctx, table)

    return complete


def _complete_file(_ctx: click.Context, _parameter: click.Parameter, _start: str) -> list[CompletionItem[str]]:
    """Let the shell complete a file name."""
    from click.shell_completion import CompletionItem

    return [CompletionItem("", type="file")]


def _store(ctx: click.Context, parameter: click.Parameter, value: str | tuple[str, ...] | bool | int | None) -> None:
    """Store a given value: the one after the command replaces the one before it, lists are concatenated."""
    context, name = ctx.find_object(Context), str(parameter.name)
    if context is None or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
        return
    if isinstance(value, tuple):
        context.given[name] = context.given.get(name, ()) + value
    elif isinstance(value, bool):
        context.given[name] = ("yes" if value else "no",)
    else:
        context.given[name] = (str(value),)
