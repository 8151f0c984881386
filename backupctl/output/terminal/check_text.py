"""Checks as text: all of them for one appliance, of several what is not as it should be."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from rich.text import Text

from backupctl.output.formatting import counted
from backupctl.output.terminal.labels import FEWEST
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, Symbols, line
from backupctl.output.terminal.table import with_prose
from backupctl.results.backup_results import Check, ChecksResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import Result

_INDENT = "  "


def checks_page(checks: Sequence[Check], symbols: Symbols, width: int | None) -> list[Text]:
    """Return a row for each check."""
    rows = []
    for check in checks:
        symbol, style = _look(check, symbols)
        rows.append((line((f"{symbol} {check.status}", style)), line(check.name), check.message))
    return with_prose(rows, width)


def checks_of_one_of_several(
    server: str, checks: Sequence[Check], symbols: Symbols, width: int | None, shared: Collection[Check]
) -> list[Text]:
    """Return one line for an appliance, and below it what is not as it should be and not ``shared`` by many."""
    odd = [check for check in checks if check.status != "OK" and check not in shared]
    return [_headline(server, checks_summary(checks), checks, symbols), *_indented(odd, symbols, width)]


def checks_in_common(results: Iterable[Result]) -> dict[Check, list[str]]:
    """Return what is not as it should be, in the same words on many appliances, and on which."""
    servers: dict[Check, list[str]] = {}
    for result in results:
        if isinstance(result, ChecksResult) and result.server != DEFAULTS:
            for check in result.checks:
                if check.status != "OK":
                    servers.setdefault(check, []).append(result.server)
    return {check: names for check, names in servers.items() if len(names) >= FEWEST}


def shared_checks(
    common: Mapping[Check, Sequence[str]], symbols: Symbols, width: int | None, number: int
) -> list[Text]:
    """Return what many have in common, below who they are: all of a ``number`` of appliances, or their names."""
    lines: list[Text] = []
    for names in dict.fromkeys(map(tuple, common.values())):
        checks = [check for check in common if tuple(common[check]) == names]
        who = line("all of them" if len(names) == number else ", ".join(names))
        lines.append(_headline(counted(len(names), "appliance"), who, checks, symbols))
        lines += _indented(checks, symbols, width)
    return lines


def _headline(subject: str, words: Text, checks: Sequence[Check], symbols: Symbols) -> Text:
    """Return the line above checks, which looks like the worst of them."""
    symbol, style = _look(max(checks, key=lambda check: (has_failed(check), check.status != "OK")), symbols)
    return Text.assemble(line((f"{symbol} ", style), (subject, STRONG), ": "), words)


def _indented(checks: Sequence[Check], symbols: Symbols, width: int | None) -> list[Text]:
    rows = checks_page(checks, symbols, None if width is None else width - len(_INDENT))
    return [Text.assemble(_INDENT, row) for row in rows]


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
