"""The root command, and the conversion of every error into a message and an exit code."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import IO, Any, Final, cast

import click

from backupctl import __version__
from backupctl.cli import signals
from backupctl.cli.context import Context
from backupctl.cli.lazy_group import LazyGroup
from backupctl.cli.options import command_name, shared_options
from backupctl.errors import BackupctlError, BugError, InterruptedRunError, OutputError, UsageError
from backupctl.exit_codes import PLUGIN_CODES, ExitCode, ServiceState
from backupctl.output.safe_stream import SafeStream

PROGRAM: Final = "backupctl"
COMPLETION_VARIABLE: Final = "_BACKUPCTL_COMPLETE"
"""Names a shell; if it is set, the program only prints completions for its arguments."""

COMMAND_SECTIONS: Final = {
    "Backups": ("create", "watch", "status", "list", "cancel", "parts", "validate"),
    "Schedules": ("schedule",),
    "Archives and restore": ("archive", "restore"),
    "Monitoring": ("check", "metrics", "report", "notify"),
    "Set-up": ("setup", "config", "trust", "simulator", "help", "completion"),
}
"""The commands by purpose, in the order of the help; each has a module of its name in ``cli.commands``."""
PLUGIN: Final = "check"
"""The command that is a monitoring plugin."""
COMMANDS: Final = [name for names in COMMAND_SECTIONS.values() for name in names]


@click.group(
    name=PROGRAM,
    cls=LazyGroup,
    sections=COMMAND_SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    help="Print the version; with -v, those of libraries too.",
    callback=lambda ctx, _parameter, given: _print_version(ctx) if given and not ctx.resilient_parsing else None,
)
@shared_options
@click.pass_context
def root(ctx: click.Context) -> None:
    """Trigger, watch and check file-based backups of VMware vCenter Server appliances.

    Exit code 0 means that the backup is done.
    """
    context = ctx.find_object(Context)
    if context is not None:
        context.command = ctx.invoked_subcommand


def _print_version(ctx: click.Context) -> None:
    """Print the version and exit; with ``-v``, what a bug report should name as well."""
    click.echo(f"{PROGRAM} {__version__}")
    context = ctx.find_object(Context)
    if context is not None and any(re.fullmatch(r"--verbose|-[qh]*v[qvh]*", each) for each in context.argv):
        click.echo(_environment_versions())
    ctx.exit()


def _environment_versions() -> str:
    import platform
    from importlib.metadata import version

    libraries = ", ".join(f"{name} {version(name)}" for name in ("click", "httpx", "rich", "msgspec"))
    return f"Python {platform.python_version()}, {libraries}\n{platform.platform()}"


def run(context: Context, on_start: Callable[[], None] = lambda: None) -> int:
    """Run the command line of ``context`` and return the exit code; raises no exception.

    ``on_start`` is called first and may raise KeyboardInterrupt. Help and version, which click prints, are treated as
    results: a closed pipe is not an error, a full disk is exit code 11.
    """
    if PLUGIN in context.argv and _command_in(context.argv) == PLUGIN:
        context.exit_codes = PLUGIN_CODES
        signals.set_exit_code(ServiceState.UNKNOWN)
    shell = context.environ.get(COMPLETION_VARIABLE)
    if shell:
        on_start()
        return _complete(context, shell)
    printed = SafeStream(context.stdout)
    with redirect_stdout(cast("IO[str]", printed)):
        code = _run(context, on_start)
    try:
        printed.check()
    except OutputError as error:
        return context.fail(error)
    return code


def _command_in(argv: Sequence[str]) -> str | None:
    """Return the command that raw arguments name, even if the options before it are wrong; None without one."""
    ctx = click.Context(root, resilient_parsing=True, ignore_unknown_options=True, allow_interspersed_args=False)
    _, words, _ = root.make_parser(ctx).parse_args(list(argv))
    return next((word for word in words if word in COMMANDS), None)


def _run(context: Context, on_start: Callable[[], None]) -> int:
    try:
        on_start()
        code: Any = root.main(args=list(context.argv), prog_name=PROGRAM, standalone_mode=False, obj=context)
        return ExitCode.DONE if code is None else int(code)
    except BackupctlError as error:
        return context.fail(error)
    except click.exceptions.NoArgsIsHelpError as error:
        SafeStream(context.stderr).write(f"{error.format_message()}\n")
        return ExitCode.USAGE
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx:
            context.command = command_name(error.ctx)
        return context.fail(_usage_error(error))
    except (click.Abort, KeyboardInterrupt):
        return context.fail(InterruptedRunError("interrupted"))
    except Exception as bug:  # noqa: BLE001 - users see no traceback; exit code 1 means a bug
        return context.fail(InterruptedRunError("interrupted") if signals.interrupted() else BugError.of(bug))


def _complete(context: Context, shell: str) -> int:
    """Print completions. Nothing else is printed, as it would appear in the line that is being typed."""
    from backupctl.cli.completion import complete

    SafeStream(context.stdout).write(complete(root, shell, context))
    return ExitCode.DONE


def _usage_error(error: click.ClickException) -> UsageError:
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else PROGRAM
    if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Argument):
        example = getattr(error.param, "example", None)
        hint = f"for example: `{path} {example}`" if example else f"run `{path} --help` for usage"
        return UsageError(f"missing {error.param.metavar or str(error.param.name).upper()}", hint=hint)
    return UsageError(error.format_message(), hint=f"run `{path} --help` for usage")
