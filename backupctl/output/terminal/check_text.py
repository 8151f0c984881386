"""Render checks: all of them for one appliance, only the problems for several."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from backupctl.formatting import plural
from backupctl.output.terminal.labels import MIN_SHARED
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, Piece, StyledLine, Symbols, line, with_commas
from backupctl.output.terminal.table import wrapped_table
from backupctl.results.backup_results import OK, WARNING, Check, ChecksResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import Result

_INDENT = "  "


def checks_lines(checks: Sequence[Check], symbols: Symbols, width: int | None) -> list[StyledLine]:
    """Return a row for each check."""
    rows = []
    for check in checks:
        symbol, style = _symbol_and_style(check, symbols)
        rows.append((line((symbol, style)), line(check.name), check.message))
    return wrapped_table(rows, width)


def checks_of_one_of_several(
    server: str, checks: Sequence[Check], symbols: Symbols, width: int | None, shared: Collection[Check]
) -> list[StyledLine]:
    """Return one line for an appliance and below it its problems, except those ``shared`` by many."""
    odd = [check for check in checks if check.status != OK and check not in shared]
    return [_headline(server, checks_summary(checks), checks, symbols), *_indented(odd, symbols, width)]


def checks_in_common(results: Iterable[Result]) -> dict[Check, list[str]]:
    """Return problems that many appliances have in the same words, each with their names."""
    servers: dict[Check, list[str]] = {}
    for result in results:
        if isinstance(result, ChecksResult) and result.server != DEFAULTS:
            for check in result.checks:
                if check.status != OK:
                    servers.setdefault(check, []).append(result.server)
    return {check: names for check, names in servers.items() if len(names) >= MIN_SHARED}


def shared_checks(
    common: Mapping[Check, Sequence[str]], symbols: Symbols, width: int | None, number: int
) -> list[StyledLine]:
    """Return the shared problems, each below the names of its appliances, or "all" of the ``number``."""
    lines: list[StyledLine] = []
    for names in dict.fromkeys(map(tuple, common.values())):
        checks = [check for check in common if tuple(common[check]) == names]
        who = line("all of them" if len(names) == number else ", ".join(names))
        lines.append(_headline(plural(len(names), "appliance"), who, checks, symbols))
        lines += _indented(checks, symbols, width)
    return lines


def _headline(subject: str, words: StyledLine, checks: Sequence[Check], symbols: Symbols) -> StyledLine:
    """Return the line above checks, in the style of the worst of them."""
    symbol, style = _symbol_and_style(max(checks, key=lambda check: (has_failed(check), check.status != OK)), symbols)
    return line((f"{symbol} ", style), (subject, STRONG), ": ", words)


def _indented(checks: Sequence[Check], symbols: Symbols, width: int | None) -> list[StyledLine]:
    rows = checks_lines(checks, symbols, None if width is None else width - len(_INDENT))
    return [line(_INDENT, row) for row in rows]


def checks_summary(checks: Sequence[Check]) -> StyledLine:
    """Return how many checks passed, and the numbers of problems if there are any."""
    passed = sum(check.status == OK for check in checks)
    failed = sum(map(has_failed, checks))
    warnings = len(checks) - passed - failed
    pieces: list[Piece] = [f"{plural(len(checks), 'check')} passed" if passed == len(checks) else f"{passed} passed"]
    pieces += [(plural(warnings, "warning"), ODD)] if warnings else []
    pieces += [(f"{failed} failed", BAD)] if failed else []
    return line(*with_commas(pieces))


def has_failed(check: Check) -> bool:
    """Return whether a check failed; an unknown status of a newer release counts as failed."""
    return check.status not in {OK, WARNING}


def _symbol_and_style(check: Check, symbols: Symbols) -> tuple[str, str]:
    looks = {OK: (symbols.good, GOOD), WARNING: (symbols.odd, ODD)}
    return looks.get(check.status, (symbols.bad, BAD))
