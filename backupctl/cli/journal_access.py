"""Write and read the journal for a command; neither ever changes its exit code."""

import os
import pwd
import shlex
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from backupctl import __version__
from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.config.option_table import JOURNAL, STATE_DIR
from backupctl.errors import BackupctlError, BugError, ConfigError
from backupctl.formatting import plural
from backupctl.output.json_text import json_text
from backupctl.results.journal_entry import Journal, JournalEntry
from backupctl.results.result import Result
from backupctl.state.journal import append_journal, is_open_to_all, read_journal


def write_journal(context: Context, selected: Sequence[ApplianceSettings], results: Sequence[Result]) -> None:
    """Append the results of those selected appliances whose settings want a journal; what fails is only a warning."""
    try:
        kept = [each for settings, each in zip(selected, results, strict=True) if settings.value(JOURNAL)]
        if kept:
            append_journal(context.state_directory, [json_text(_entry(context, each)) for each in kept], context.clock)
    except Exception as error:  # noqa: BLE001 - the exit code is final
        reason = error if isinstance(error, BackupctlError) else BugError.of(error)
        context.view.warn(f"this run is not in the journal: {reason.message}", reason.hint, always=True)


def journal(context: Context, since: datetime | None = None) -> Journal:
    """Return the entries of the journal from ``since`` on, whether or not it is on now; what fails is a warning.

    A default state directory need not exist.
    """
    try:
        found = read_journal(context.state_directory, since)
        if found.entries and is_open_to_all(context.state_directory):
            hint = f"run chmod -R o-w {shlex.quote(str(context.state_directory))}"
            context.view.warn("every user of this machine can change the journal", hint, always=True)
    except ConfigError:
        return Journal()
    except OSError as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)) and context.value(STATE_DIR) is None:
            return Journal()
        where = error.filename or context.state_directory
        context.view.warn(f"the journal cannot be read: {where}: {error.strerror}", always=True)
        return Journal()
    if found.unreadable:
        context.view.warn(f"the journal has {plural(found.unreadable, 'unreadable line')}")
    return found


def _entry(context: Context, result: Result) -> JournalEntry:
    return JournalEntry(
        time=context.clock.now(),
        command=context.command or "",
        server=result.server,
        host=result.host,
        release=result.release,
        exit_code=result.exit_code,
        slug=None if result.error is None else result.error.slug,
        message=None if result.error is None else result.error.message,
        job=getattr(result, "job", None),
        run_by=_user(),
        sudo_user=context.environ.get("SUDO_USER"),
        version=__version__,
    )


def _user() -> str:
    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return str(os.getuid())
