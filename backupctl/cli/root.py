"""The program: the group of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from typing import IO, Any, Final, cast

import click

from backupctl import __version__
from backupctl.cli import signals
from backupctl.cli.context import Context
from backupctl.cli.lazy_group import LazyGroup
from backupctl.cli.options import command_name, shared_options
from backupctl.errors import BackupctlError, BugError, ExitCode, InterruptedRunError, OutputError, UsageError
from backupctl.output.safe_stream import SafeStream

PROGRAM: Final = "backupctl"
COMPLETION_VARIABLE: Final = "_BACKUPCTL_COMPLETE"
"""Set to the name of a shell, it makes the program print completions for its arguments and do nothing else."""

COMMANDS: Final = {
    "create": ("backupctl.cli.commands.create", "Start a backup and follow it to its end."),
    "watch": ("backupctl.cli.commands.watch", "Follow a running job to its end."),
    "status": ("backupctl.cli.commands.status", "Show one job as it is now."),
    "list": ("backupctl.cli.commands.list", "List the backup jobs, newest first."),
    "cancel": ("backupctl.cli.commands.cancel", "Cancel a running job and see it end."),
    "parts": ("backupctl.cli.commands.parts", "Show what can be backed up, with sizes."),
    "validate": ("backupctl.cli.commands.validate", "Check everything that can be checked before a backup."),
    "schedule": ("backupctl.cli.commands.schedule", "List, show, set, run and delete schedules."),
    "archive": ("backupctl.cli.commands.archive", "List and show what lies at a backup location."),
    "restore": ("backupctl.cli.commands.restore", "Restore a fresh appliance from an archive."),
    "trust": ("backupctl.cli.commands.trust", "Show, pin or fetch the appliance's certificate."),
    "config": ("backupctl.cli.commands.config", "Write, show and check the configuration file."),
    "simulator": ("backupctl.cli.commands.simulator", "Serve an appliance to try things on."),
    "completion": ("backupctl.cli.commands.completion", "Print the completion script of a shell."),
}


@click.group(
    name=PROGRAM,
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done, 1 bug, 2 usage, 3 config, 4 login refused, 5 no answer, 6 unusable answer, 7 backup "
    "failed, 8 still running at the deadline, 9 another backup runs, 10 not found, 11 result not written, "
    "130 interrupted.",
)
@click.version_option(version=__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@shared_options
@click.pass_context
def root(ctx: click.Context) -> None:
    """Trigger, watch and check file-based backups of VMware vCenter Server appliances.

    Exit code 0 means that the backup is done.
    """
    context = ctx.find_object(Context)
    if context is not None:
        context.command = ctx.invoked_subcommand


def run(context: Context, begin: Callable[[], None] = lambda: None) -> int:
    """Run the command line of ``app`` and return the exit code; no exception leaves this function.

    ``begin`` is called first, and may raise KeyboardInterrupt.

    What click prints itself, help and version, goes the way of all results: a reader that went away is no error, a
    full disk is 11.
    """
    shell = context.environ.get(COMPLETION_VARIABLE)
    if shell:
        begin()
        return _complete(context, shell)
    printed = SafeStream(context.stdout)
    with redirect_stdout(cast("IO[str]", printed)):
        code = _run(context, begin)
    try:
        printed.check()
    except OutputError as error:
        return _fail(context, error)
    return code


def _run(context: Context, begin: Callable[[], None]) -> int:
    try:
        begin()
        code: Any = root.main(args=list(context.argv), prog_name=PROGRAM, standalone_mode=False, obj=context)
        return ExitCode.DONE if code is None else int(code)
    except BackupctlError as error:
        return _fail(context, error)
    except click.exceptions.NoArgsIsHelpError as error:
        SafeStream(context.stderr).write(f"{error.format_message()}\n")
        return ExitCode.USAGE
    except click.ClickException as error:
        context.command = (
            command_name(error.ctx) if isinstance(error, click.UsageError) and error.ctx else context.command
        )
        return _fail(context, _usage_error(error))
    except (click.Abort, KeyboardInterrupt):
        return _fail(context, InterruptedRunError("interrupted"))
    except Exception as bug:  # noqa: BLE001 - no traceback reaches a user, and 1 says that it is our fault
        return _fail(context, InterruptedRunError("interrupted") if signals.interrupted() else BugError.of(bug))


def _complete(context: Context, shell: str) -> int:
    """Answer a completion script; an error must not disturb the line that somebody is typing."""
    from backupctl.cli.completion import answer

    SafeStream(context.stdout).write(answer(root, shell, context.argv))
    return ExitCode.DONE


def _fail(context: Context, error: BackupctlError) -> int:
    from backupctl.results.result import Envelope

    context.view.close()
    return context.finish(Envelope.of_error(context.command, error))


def _usage_error(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else PROGRAM
    return UsageError(error.format_message(), hint=f"`{path} --help` shows how it is used")
