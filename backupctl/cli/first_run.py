"""The guided first run: questions, configuration, checks, a first backup and the nightly run."""

import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from pwd import getpwuid
from tempfile import mkdtemp
from typing import Final

from msgspec.structs import replace

from backupctl.cli.context import Context
from backupctl.cli.nightly import NightlyRun, check_time, secret_keys, shared_files
from backupctl.cli.prompts import Prompter, confirm, lines_of
from backupctl.cli.setup_file import SecretKeeper, tables_of
from backupctl.cli.setup_questions import ask_appliances, check_name
from backupctl.cli.signals import restored_handlers
from backupctl.config.atomic_write import content
from backupctl.config.config_edit import path_to_edit
from backupctl.config.config_file import SYSTEM_PATH, find_configuration, read_configuration
from backupctl.config.configuration import Configuration
from backupctl.config.environment import environment_without_secrets
from backupctl.config.option_table import BACKUP_PASSWORD, CONFIG, PROXY, SIMULATE
from backupctl.config.parsers import parse_choice
from backupctl.errors import OutputError
from backupctl.exit_codes import ExitCode

_INTRODUCTION: Final = """\
This sets up backups of your vCenter appliances, every night if you like.
Each answer is checked; a wrong one can be corrected. Ctrl-C stops.
"""
_KEEP_A_COPY: Final = ("  Backup password  keep a copy elsewhere: without it nobody can restore",)


def set_up(context: Context) -> int:
    """Prompt for everything, write it, check it, and return the exit code."""
    prompter, run = context.prompter, _context_of(context, prompter=context.prompter)
    run.given = context.given
    path = _path(run)
    before, saved = content(path), False
    prompter.say(_INTRODUCTION)
    if run.value(SIMULATE):
        prompter.say(f"Everything is written to {path.parent}; delete it when you are done.")
    try:
        names, group = _ask_and_save(run, path)
        saved = True
    finally:
        if not saved:
            pins = "" if content(path) == before else f" to {path}, except pinned certificates"
            prompter.say(f"\nNothing was written{pins}.")
    # Neither cron nor systemd has XDG_CONFIG_HOME.
    config = () if find_configuration(None, {"HOME": _home()}) == path else (CONFIG.flag, str(path))
    words = (("-g", group) if group else (SIMULATE.flag,)) + config
    new = tuple(word for name in names for word in ("-s", name)) + config if group else words
    code = _call(context, "validate", *words)
    if code == ExitCode.DONE and confirm(prompter, "Make the first backup now?", default=True):
        code = _call(context, "create", *new)
    if code == ExitCode.INTERRUPTED:
        return code
    configuration = read_configuration(path, context.clock)
    nightly = _nightly(context, path, configuration, words)
    failed = "" if code == ExitCode.DONE else ", but the last command failed. Fix the error above, then run it again"
    prompter.say(f"\n{', '.join(names)}: set up{failed}.")
    for line in (
        f"  Configuration    {path}",
        *(_KEEP_A_COPY if {*BACKUP_PASSWORD.file_keys} & {*secret_keys(configuration)} else ()),
        f"  Every night      {nightly}",
        f"  Backup by hand   {shlex.join(('backupctl', 'create', *words))}",
        f"  Did it work?     {shlex.join(('backupctl', 'list', *words))}",
        "                   Exit code 0 of create means that the backup is done.",
        "  More             backupctl help cron, backupctl help restore",
    ):
        prompter.show(line)
    return code


def _home() -> str:
    """Return the home directory that cron and systemd give to this user, empty without one."""
    with suppress(KeyError):
        return getpwuid(os.geteuid()).pw_dir
    return ""


def _path(run: Context) -> Path:
    """Return the configuration file to write. Raises ConfigError and OutputError: if there can be none."""
    if run.value(SIMULATE):
        run.given[CONFIG.key] = (str(Path(mkdtemp(prefix="backupctl-setup-"), "config.toml")),)
    run.allow_new_file()
    path = path_to_edit(run.value(CONFIG), run.configuration.path, run.environ).absolute()
    folder = next(folder for folder in path.parents if folder.exists())
    target = path if path.exists() else folder
    if not folder.is_dir() or not os.access(target, os.W_OK):
        reason = f"permission denied for {target}" if folder.is_dir() else f"{folder} is not a folder"
        raise OutputError(f"cannot write {path}: {reason}")
    return path


def _ask_and_save(run: Context, path: Path) -> tuple[list[str], str]:
    """Prompt for everything and write it; return the names of the servers and their group, empty in a simulation."""
    prompter, configuration = run.prompter, run.configuration
    answers = ask_appliances(run)
    names = [each.name for each in answers]
    group = "" if run.value(SIMULATE) else _group(run, names)
    keeper = SecretKeeper(run, path.parent, alone=set(names) >= configuration.servers.keys())
    tables = tables_of(configuration, answers, keeper, path.parent)
    if group:
        tables["groups",] = {group: list(dict.fromkeys((*configuration.groups.get(group, ()), *names)))}
    before = content(path)
    keeper.save(path, tables)
    for file in (*keeper.files, path):
        prompter.say(f"{'Unchanged' if file == path and content(path) == before else 'Written'}: {file}")
    return names, group


def _group(run: Context, names: Sequence[str]) -> str:
    """Return the group of these servers, prompting for it unless they have one or are the first one.

    A single server has a group too, so that the nightly run stays the same when another one is added.
    """
    groups = run.configuration.groups
    for group, members in groups.items():
        if set(names) <= set(members):
            return group
    default = next(iter(groups)) if len(groups) == 1 else "production"
    if len(names) == 1 and not groups:
        return default
    return run.prompter.ask(f"Group for {', '.join(names)}, for commands and the nightly run", check_name, default)


def _nightly(context: Context, path: Path, configuration: Configuration, words: tuple[str, ...]) -> str:
    """Offer to run the backup every night, and return what came of it."""
    prompter = context.prompter
    if context.value(SIMULATE):
        return "not in a simulation"
    if any(key.endswith("-keyring") for key in secret_keys(configuration)):
        return "not possible: the keyring is locked then; keep the passwords in files"
    system = path == SYSTEM_PATH and os.geteuid() == 0
    files = shared_files(configuration) if path.stat().st_mode & 0o004 else None
    environ = environment_without_secrets(context.environ, configuration.secret_variables)
    run = NightlyRun(words, "", files, system, environ)
    can_install = {kind: run.can_install(kind) for kind in ("systemd", "cron")}
    check = partial(parse_choice, (*can_install, "no"))
    default = next((kind for kind, possible in can_install.items() if possible), "no")
    kind = check(prompter.ask("Run it every night? (systemd, cron, no)", check, default))
    if kind == "no":
        return "not set up"
    run = replace(run, time=prompter.ask("At what time?", check_time, "02:30"))
    try:
        if can_install[kind] and _may_install(prompter, run.replaced(kind)):
            run.install(kind)
            note = "" if kind == "cron" or system else "; `loginctl enable-linger` keeps it running after logout"
            return f"at {run.time} ({kind}){note}"
    except OutputError as error:
        prompter.say(lines_of(error))
    prompter.show(f"\n{run.by_hand(kind)}")
    return f"not installed; install what is shown above by hand ({kind})"


def _may_install(prompter: Prompter, replaced: Sequence[str]) -> bool:
    question = f"Replace {', '.join(replaced)}?" if replaced else "Install it now?"
    return confirm(prompter, question, default=not replaced)


def _context_of(context: Context, *argv: str, prompter: Prompter | None = None) -> Context:
    """Return a context for more work in this process, without the settings in variables, which no nightly run has."""
    kept = (CONFIG.environment, PROXY.environment)
    return Context(
        argv=argv,
        stdin=None,
        stdout=context.stdout,
        stderr=context.stderr,
        environ={
            name: text for name, text in context.environ.items() if not name.startswith("BACKUPCTL_") or name in kept
        },
        clock=context.clock,
        prompter=prompter,
        transport_for=context.transport_for,
        workers=context.workers,
    )


def _call(context: Context, *argv: str) -> int:
    """Run a command as the nightly run does, without prompts, and return its exit code."""
    from backupctl.cli.root import run

    context.prompter.show(f"\n$ {shlex.join(('backupctl', *argv))}")
    with restored_handlers():
        return run(_context_of(context, *argv))
