"""Lists of options in Markdown, made from the option table."""

from __future__ import annotations

from backupctl.config.option import Kind, Option, OptionGroup, SecretName
from backupctl.config.option_table import BACKUP_PASSWORD, LOCATION_PASSWORD, OPTIONS, PASSWORD

_SECRETS = {OptionGroup.CONNECTION: (PASSWORD,), OptionGroup.BACKUP: (LOCATION_PASSWORD, BACKUP_PASSWORD)}


def group_list(name: str) -> str:
    """Return the options of a group, such as ``connection``, with their environment variables."""
    group = OptionGroup[name.upper()]
    options = [_item(option) for option in OPTIONS if option.group is group]
    return "\n".join(options + [line for secret in _SECRETS.get(group, ()) for line in _secret_items(secret)])


def _item(option: Option[object]) -> str:
    names = f"{option.short}, " if option.short else ""
    names += f"--[no-]{option.name}" if option.kind is Kind.SWITCH else option.flag
    value = option.metavar or "|".join(option.choices)
    default = f" Default: `{option.default}`." if option.default and option.kind is Kind.VALUE else ""
    return _line(f"{names} {value}".strip(), option.help + default, option.environment)


def _secret_items(secret: SecretName) -> tuple[str, str]:
    _, file, command = secret.environment_names
    return (
        _line(f"{secret.file_option} FILE", f"Read {secret.meaning} from a file, - is standard input.", file),
        _line(f"{secret.command_option} COMMAND", f"Take {secret.meaning} from what a command prints.", command),
    )


def _line(names: str, text: str, environment: str | None) -> str:
    return f"- `{names}`: {text}" + (f" Environment: `{environment}`." if environment else "")
