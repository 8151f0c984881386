"""Each result as text: in full, and in brief for ``--quiet``."""

from collections.abc import Sequence
from datetime import tzinfo
from functools import singledispatch
from typing import NamedTuple

from rich.text import Text

from backupctl.errors import ExitCode
from backupctl.results import Check, ChecksResult, JobResult, JobsResult, PartSize, PartsResult, RequestsResult, Result
from backupctl.views.document import json_text
from backupctl.views.human.job import headline, job_block, jobs_table
from backupctl.views.human.lines import BAD, GOOD, NOTE, ODD, STRONG, Symbols, aligned, line, warning_lines
from backupctl.views.quantities import size_of_megabytes


class Page(NamedTuple):
    """What the results are laid out for: ``width`` is None where nothing has to fit."""

    width: int | None
    symbols: Symbols
    zone: tzinfo | None
    several: bool = False


class Sheet(NamedTuple):
    """What a result says: ``lines`` for standard output, ``heading`` and ``notes`` around them for standard error."""

    lines: Sequence[Text] = ()
    notes: Sequence[Text] = ()
    heading: Sequence[Text] = ()


@singledispatch
def in_full(result: Result, page: Page) -> Sheet:
    """Return everything that people want to know about a result, but its error."""
    raise NotImplementedError(f"no words for {type(result).__name__}")


@singledispatch
def in_brief(result: Result, page: Page) -> Sheet:
    """Return what is left with ``--quiet``: what was asked for by that very command, and the evidence of a failure."""
    raise NotImplementedError(f"no words for {type(result).__name__}")


@in_full.register
def _(result: JobResult, page: Page) -> Sheet:
    if result.job is None:
        return Sheet()
    lines = [headline(result, result.job, page.symbols), *job_block(result, result.job, page.symbols, page.zone)]
    notes = [line(("hint:", NOTE), f" {_watch_hint(result)}")] if _goes_on(result) and not result.simulated else []
    return Sheet(lines, notes)


@in_brief.register
def _(result: JobResult, page: Page) -> Sheet:
    if _goes_on(result) and result.job is not None:
        return Sheet([line(result.job.id)])
    if result.exit_code == ExitCode.DONE:
        return Sheet()
    return Sheet(notes=in_full(result, page).lines)


@in_full.register
def _(result: JobsResult, page: Page) -> Sheet:
    if not result.jobs:
        nothing = [line(f"{result.server} has no backup jobs yet")]
        return Sheet(notes=nothing if result.error is None else ())
    return Sheet([*_title(result, page), *jobs_table(result.jobs, page.width, page.zone)])


@in_brief.register
def _(result: JobsResult, _page: Page) -> Sheet:
    return Sheet([line(job.id) for job in result.jobs])


@in_full.register
def _(result: PartsResult, page: Page) -> Sheet:
    if not result.parts:
        nothing = [line(f"{result.server} offers no parts for a backup")]
        return Sheet(notes=nothing if result.error is None else ())
    header = [line((word, STRONG)) for word in ("PART", "SIZE", "INCLUDED", "NAME")]
    total = "-" if result.total_mb is None else size_of_megabytes(result.total_mb)
    footer = [line(("total", STRONG)), line((total, STRONG)), line(), line()]
    notes: list[Text] = []
    for part in result.parts:
        if part.size_mb == 0:
            text = f"the size of part {part.id} is estimated at 0 MB, which often means that it cannot be backed up"
            notes.extend(warning_lines(text, None))
    table = aligned([header, *map(_part_row, result.parts), footer], right=[1])
    return Sheet([*_title(result, page), *table], notes)


@in_brief.register
def _(result: PartsResult, _page: Page) -> Sheet:
    return Sheet([line(part.id) for part in result.parts])


@in_full.register
def _(result: ChecksResult, page: Page) -> Sheet:
    if not result.checks:
        return Sheet()
    return Sheet([*_title(result, page), *_checks(result.checks, page)])


@in_brief.register
def _(result: ChecksResult, page: Page) -> Sheet:
    failed = [check for check in result.checks if check.status not in {"OK", "WARNING"}]
    return Sheet(notes=_checks(failed, page) if failed else ())


@in_full.register
def _(result: RequestsResult, page: Page) -> Sheet:
    if not result.requests:
        return Sheet()
    lines: list[Text] = []
    for request in result.requests:
        lines.append(line((request.method, STRONG), f" {request.url}"))
        if request.body is not None:
            lines.extend(line(text) for text in _indented(request.body))
    notice = line(("dry run: nothing was sent.", ODD), f" This is what would be sent to {result.server}:")
    return Sheet([*_title(result, page), *lines], heading=[notice])


@in_brief.register
def _(result: RequestsResult, page: Page) -> Sheet:
    return in_full(result, page)


def _title(result: Result, page: Page) -> list[Text]:
    return [line((f"{result.server}:", STRONG))] if page.several else []


def _goes_on(result: JobResult) -> bool:
    """Return whether a job was started that nobody waits for: the one success without an end."""
    return result.exit_code == ExitCode.DONE and result.job is not None and not result.job.ended


def _watch_hint(result: JobResult) -> str:
    job_id = result.job.id if result.job else "latest"
    return f"to see how it ends: backupctl watch --server {result.server} {job_id}"


def _part_row(part: PartSize) -> list[Text]:
    estimate = "-" if part.size_mb is None else size_of_megabytes(part.size_mb)
    return [line(part.id), line((estimate, ODD if part.size_mb == 0 else "")), line(_included(part)), line(part.name)]


def _included(part: PartSize) -> str:
    if not part.optional:
        return "always"
    return "by default" if part.selected_by_default else "if named"


def _checks(checks: Sequence[Check], page: Page) -> list[Text]:
    looks = {"OK": (page.symbols.good, GOOD), "WARNING": (page.symbols.odd, ODD)}
    rows = []
    for check in checks:
        symbol, style = looks.get(check.status, (page.symbols.bad, BAD))
        rows.append([line((f"{symbol} {check.status}", style)), line(check.name), line(check.message)])
    return aligned(rows)


def _indented(body: object) -> list[str]:
    return json_text(body, pretty=True).splitlines()
