"""Checks as text: all of them for one appliance, of several what is not as it should be."""

from collections.abc import Sequence

from rich.text import Text

from backupctl.results.backup import Check
from backupctl.views.human.lines import BAD, GOOD, ODD, STRONG, Symbols, line
from backupctl.views.human.table import with_prose
from backupctl.views.quantities import counted

_INDENT = "  "


def checks_page(checks: Sequence[Check], symbols: Symbols, width: int | None) -> list[Text]:
    """Return a row for each check."""
    rows = []
    for check in checks:
        symbol, style = _look(check, symbols)
        rows.append((line((f"{symbol} {check.status}", style)), line(check.name), check.message))
    return with_prose(rows, width)


def checks_of_one_of_several(server: str, checks: Sequence[Check], symbols: Symbols, width: int | None) -> list[Text]:
    """Return one line for an appliance, and below it what is not as it should be."""
    symbol, style = _look(max(checks, key=lambda check: (has_failed(check), check.status != "OK")), symbols)
    odd = [check for check in checks if check.status != "OK"]
    rows = checks_page(odd, symbols, None if width is None else width - len(_INDENT))
    headline = Text.assemble(line((f"{symbol} ", style), (server, STRONG), ": "), checks_summary(checks))
    return [headline, *(Text.assemble(_INDENT, row) for row in rows)]


def checks_summary(checks: Sequence[Check]) -> Text:
    """Return how many checks there are, and how many of them are not as they should be."""
    warnings = sum(check.status == "WARNING" for check in checks)
    failed = sum(map(has_failed, checks))
    return line(
        f"{counted(len(checks), 'check')}, ",
        (counted(warnings, "warning"), ODD if warnings else ""),
        ", ",
        (f"{failed} failed", BAD if failed else ""),
    )


def has_failed(check: Check) -> bool:
    """Say whether a check failed; a word of a newer release counts as that."""
    return check.status not in {"OK", "WARNING"}


def _look(check: Check, symbols: Symbols) -> tuple[str, str]:
    looks = {"OK": (symbols.good, GOOD), "WARNING": (symbols.odd, ODD)}
    return looks.get(check.status, (symbols.bad, BAD))
