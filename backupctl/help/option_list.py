"""Options in the manual, from the option table."""

from __future__ import annotations

from typing import NamedTuple

from backupctl.config.option import Kind, Option, OptionGroup, SecretName
from backupctl.config.option_table import BACKUP_PASSWORD, LOCATION_PASSWORD, OPTIONS, PASSWORD

_SECRETS = {OptionGroup.CONNECTION: (PASSWORD,), OptionGroup.BACKUP: (LOCATION_PASSWORD, BACKUP_PASSWORD)}


class Entry(NamedTuple):
    """An option in a list: its names with its value, its text, and its environment variable."""

    names: str
    text: str
    environment: str | None = None


def text(option: Option[object]) -> str:
    """Return the help of an option with its default."""
    shows_default = option.default is not None and option.kind is Kind.VALUE
    return f"{option.help.removesuffix('.')} (default: {option.default})." if shows_default else option.help


def secret_options(secret: SecretName) -> tuple[Entry, Entry]:
    """Return the options that name a file or a command with the secret."""
    _, file, command = secret.environment_names
    return (
        Entry(f"{secret.file_option} FILE", f"File with the {secret.meaning}, - for stdin.", file),
        Entry(f"{secret.command_option} COMMAND", f"Command that prints the {secret.meaning}.", command),
    )


def group_list(name: str) -> str:
    """Return the options of a group, such as ``connection``, in Markdown."""
    group = OptionGroup[name.upper()]
    entries = [Entry(_names(option), text(option), option.environment) for option in OPTIONS if option.group is group]
    return markdown(entries + [entry for secret in _SECRETS.get(group, ()) for entry in secret_options(secret)])


def markdown(entries: list[Entry]) -> str:
    """Return a list of options with their environment variables."""
    return "\n".join(
        f"- `{names}`: {text}" + (f" `{variable}`" if variable else "") for names, text, variable in entries
    )


def _names(option: Option[object]) -> str:
    names = f"{option.short}, " if option.short else ""
    names += f"--[no-]{option.name}" if option.kind is Kind.SWITCH else option.flag
    return f"{names} {option.metavar or '|'.join(option.choices)}".strip()
