"""Options of the command line, made from the table in ``settings``: declared once, the same for every command.

Connection and output options may stand before or after the command. Their callbacks note what was given in the
``App``; values are worked out only when a command asks for them, by the ladder of ``settings``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from backupctl.cli.context import Context
from backupctl.config.option import Kind, Option, OptionGroup, SecretName
from backupctl.config.option_table import BACKUP_PASSWORD, CONFIG, LOCATION_PASSWORD, OPTIONS, PASSWORD
from backupctl.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., object])


class SectionedOption(click.Option):
    """An option that stands under a heading in the help."""

    def __init__(self, *names: Any, section: str, **attributes: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*names, **attributes)
        self.section = section


class SectionedCommand(click.Command):
    """A command whose help shows the options under headings, and whose output options are judged before it runs."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what the command returns
        """Check what is common to such commands, and run this one."""
        context = ctx.find_object(Context)
        if context is not None:
            context.command = command_name(ctx)
            self._refuse_strangers(context, ctx)
            self.check(context)
        return super().invoke(ctx)

    def _refuse_strangers(self, context: Context, ctx: click.Context) -> None:
        """Raise UsageError for options that stand before the command, as all may, and that it does not have."""
        own = {parameter.name for parameter in self.params}
        flags = ", ".join(f"--{key.replace('_', '-')}" for key in context.given if key not in own)
        if flags:
            raise UsageError(
                f"{flags}: no such option in front of `{ctx.command_path}`",
                hint=f"`{ctx.command_path} --help` shows its own",
            )

    def check(self, context: Context) -> None:
        """Judge what the body of no command asks for; raise UsageError."""
        context.check_output_options()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        write_sections(self.get_params(ctx), ctx, formatter)


class ApplianceCommand(SectionedCommand):
    """A command on appliances."""

    def check(self, context: Context) -> None:
        """Judge the settings of the run as a whole too; raise UsageError and ConfigError."""
        context.check_run_options()


def command_name(ctx: click.Context) -> str | None:
    """Return the whole name of a command, such as ``schedule set``, None for the program itself."""
    return ctx.command_path.partition(" ")[2] or None


def write_sections(parameters: Iterable[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write options under their headings, in the order in which the headings first appear, the plain ones last."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None:
            sections.setdefault(getattr(parameter, "section", "Options"), []).append(record)
    for section in sorted(sections, key=lambda name: name == "Options"):
        with formatter.section(section):
            formatter.write_dl(sections[section])


def options(*chosen: Option[object]) -> Callable[[F], F]:
    """Declare options of the table on a command or group."""

    def decorate(function: F) -> F:
        for option in reversed(chosen):
            function = _declare(option)(function)
        return function

    return decorate


def shared_options(function: F) -> F:
    """Declare the options that every command that talks to an appliance has, before and after its name."""
    shown = options(*in_group(OptionGroup.FLEET), *in_group(OptionGroup.OUTPUT))(function)
    return options(*in_group(OptionGroup.CONNECTION))(secret_options(PASSWORD)(shown))


def local_options(function: F) -> F:
    """Declare the shared options of a command that talks to no appliance, and still has settings and results."""
    return options(CONFIG, *in_group(OptionGroup.OUTPUT))(function)


def backup_options(function: F) -> F:
    """Declare what describes a backup."""
    return options(*in_group(OptionGroup.BACKUP))(secret_options(LOCATION_PASSWORD, BACKUP_PASSWORD)(function))


def in_group(group: OptionGroup) -> tuple[Option[object], ...]:
    """Return the options of a group."""
    return tuple(option for option in OPTIONS if option.group is group)


def secret_options(*names: SecretName) -> Callable[[F], F]:
    """Declare ``--NAME-file`` and ``--NAME-command``: a secret itself never stands on a command line."""

    def decorate(function: F) -> F:
        for name in reversed(names):
            section = OptionGroup.CONNECTION if name is PASSWORD else OptionGroup.BACKUP
            file_help = f"Read {name.meaning} from a file, - is standard input.  [{name.environment_names[1]}]"
            command_help = f"Take {name.meaning} from what a command prints.  [{name.environment_names[2]}]"
            command = _click_option(name.command_option, section=section, metavar="COMMAND", help=command_help)
            file = _click_option(name.file_option, section=section, metavar="FILE", help=file_help)
            function = file(command(function))
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
    complete: dict[str, Any] = {}
    if option.choices:
        complete["shell_complete"] = lambda _ctx, _param, start: [c for c in option.choices if c.startswith(start)]
    return _click_option(*names, section=option.group, help=_help(option), **kinds[option.kind], **complete)


def _click_option(*names: str, section: str, **attributes: Any) -> Callable[[F], F]:  # noqa: ANN401 - click's own attributes
    if attributes.get("metavar") == "FILE":
        attributes["shell_complete"] = _files
    return click.option(*names, cls=SectionedOption, section=section, expose_value=False, callback=_note, **attributes)


def _files(_ctx: click.Context, _parameter: click.Parameter, _start: str) -> list[CompletionItem[str]]:
    """Let the shell complete the name of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem("", type="file")]


def _help(option: Option[object]) -> str:
    facts = [fact for fact in (option.environment, f"default: {option.default}" if option.default else None) if fact]
    if option.kind is Kind.SWITCH:
        facts = [fact for fact in (option.environment,) if fact]
    return option.help + (f"  [{'; '.join(facts)}]" if facts else "")


def _note(ctx: click.Context, parameter: click.Parameter, value: str | tuple[str, ...] | bool | int | None) -> None:
    """Note what was typed: the command's own wins over what stands before it, lists are put together."""
    context, name = ctx.find_object(Context), str(parameter.name)
    if context is None or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
        return
    if isinstance(value, tuple):
        context.given[name] = context.given.get(name, ()) + value
    elif isinstance(value, bool):
        context.given[name] = ("yes" if value else "no",)
    else:
        context.given[name] = (str(value),)
