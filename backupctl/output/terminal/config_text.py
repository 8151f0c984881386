"""Render the configuration: each setting with its source, and what was written."""

from collections.abc import Iterator, Sequence
from typing import Final

from backupctl.output.formatting import duration_option
from backupctl.output.terminal.styled_lines import FAINT, GOOD, NOTE, StyledLine, Symbols, line
from backupctl.output.terminal.table import UNKNOWN, header_cells
from backupctl.results.config_results import DEFAULTS, FileResult, Setting, SettingsResult

_FILE: Final = "file"
_ENVIRONMENT: Final = "environment"

MIN_VALUE: Final = 15
"""Width of the value column on the narrowest terminal."""


def settings_lines(result: SettingsResult, width: int | None) -> list[StyledLine]:
    """Return the file, the groups of the appliance, and a table of its settings."""
    lines = [line("configuration file: ", result.file or "none")]
    if result.groups:
        lines.append(line("groups: ", ", ".join(result.groups)))
    return [*lines, *_table([header_cells("SETTING", "VALUE", "SOURCE"), *map(_row, result.settings)], width)]


def file_lines(result: FileResult, symbols: Symbols) -> list[StyledLine]:
    """Return what was written: one line, or two for a secret."""
    if result.file is None:
        return []
    if result.secret is None:
        return [line((f"{symbols.good} ", GOOD), f"written: {result.file}")]
    replaced = f", in place of {result.replaced}" if result.replaced else ""
    table = "defaults" if result.server == DEFAULTS else f"servers.{result.server}"
    return [
        line((f"{symbols.good} ", GOOD), f"{result.secret} is in the keyring as {result.entry}"),
        line(f"  {result.file}: {table}.{result.secret}-keyring{replaced}"),
    ]


def next_steps(result: FileResult) -> Iterator[StyledLine]:
    """Return the next steps after a file was created."""
    if result.file is not None and result.secret is None:
        yield line(("next:", NOTE), ' take the "#" away from what you need, and add your appliances;')
        yield line("  `backupctl config check` judges it, `backupctl config show` tells where each value comes from")


def _table(rows: Sequence[Sequence[StyledLine]], width: int | None) -> list[StyledLine]:
    """Return the rows in columns; the source of a value that is too long for its column moves below it."""
    first, second, third = (max(cell.width for cell in column) for column in zip(*rows, strict=True))
    if width is not None:
        second = max(min(second, width - first - third - 4), MIN_VALUE)
    lines: list[StyledLine] = []
    for name, value, source in rows:
        start = line(name, " " * (first + 2 - name.width), value)
        if value.width > second:
            lines.append(start)
            start = StyledLine()
        lines.append(line(start, " " * (first + second + 4 - start.width), source))
    return lines


def _row(setting: Setting) -> list[StyledLine]:
    faint = FAINT if setting.source == "default" else ""
    return [line(setting.name), line((_value(setting), faint)), line((_source(setting), faint))]


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
