"""Render the configuration: each setting with its source, and what was written."""

from collections.abc import Sequence
from typing import Final

from backupctl.formatting import duration_option
from backupctl.output.terminal.styled_lines import FAINT, GOOD, NOTE, StyledLine, Symbols, line
from backupctl.output.terminal.table import UNKNOWN, Cell, Column, Rows
from backupctl.results.config_results import DEFAULTS, FileResult, Setting, SettingsResult

_FILE: Final = "file"
_ENVIRONMENT: Final = "environment"

SETTINGS: Final = (Column("SETTING"), Column("VALUE", long=True), Column("SOURCE", 1))


def settings_heading(result: SettingsResult) -> list[StyledLine]:
    """Return the configuration file, and the groups of the appliance."""
    lines = [line("configuration file: ", result.file or "none")]
    return [*lines, line("groups: ", ", ".join(result.groups))] if result.groups else lines


def setting_rows(settings: Sequence[Setting]) -> Rows:
    """Return the settings as rows of a table."""
    return Rows(SETTINGS, [_row(each) for each in settings])


def file_lines(result: FileResult, symbols: Symbols) -> list[StyledLine]:
    """Return what was written: one line, or two for a secret."""
    if result.file is None:
        return []
    if result.secret is None:
        return [line((f"{symbols.good} ", GOOD), f"{result.file} created")]
    replaced = f", in place of {result.replaced}" if result.replaced else ""
    table = "defaults" if result.server == DEFAULTS else f"servers.{result.server}"
    return [
        line((f"{symbols.good} ", GOOD), f"{result.secret} is stored in the keyring as {result.entry}"),
        line(f"  {result.file}: {table}.{result.secret}-keyring{replaced}"),
    ]


def next_steps(result: FileResult) -> list[StyledLine]:
    """Return the next steps after a file was created."""
    if result.file is None or result.secret is not None:
        return []
    return [line(("Next:", NOTE), " uncomment what you need and add your appliances, then: backupctl config check")]


def _row(setting: Setting) -> list[Cell]:
    faint = FAINT if setting.source == "default" else ""
    return [setting.name, (_value(setting), faint), (_source(setting), faint)]


def _value(setting: Setting) -> str:
    value = setting.value
    if setting.place is not None:
        return f"({setting.place})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return duration_option(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or UNKNOWN
    return UNKNOWN if value is None else str(value)


def _source(setting: Setting) -> str:
    """Return the table in the file, the variable, or the kind of the source."""
    if setting.source == _FILE and setting.source_name:
        return f"[{setting.source_name.rpartition('.')[0]}]"
    if setting.source == _ENVIRONMENT:
        return f"${setting.source_name}"
    return f"{setting.source} {setting.source_name or ''}".rstrip()
