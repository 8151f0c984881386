"""Render the results of several appliances: a row for each job, and one line that sums them up."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeGuard

from backupctl.exit_codes import ExitCode
from backupctl.output.formatting import duration, plural, size
from backupctl.output.terminal.job_text import state_style, timestamp_or_unknown, took_seconds
from backupctl.output.terminal.result_text import (
    Rendered,
    RenderOptions,
    is_running_detached,
    success_warnings,
    was_detached,
)
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, StyledLine, line
from backupctl.output.terminal.table import UNKNOWN, header_cells, table_lines
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import JobResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import Envelope, Result

MIN_COLUMNS = 4
"""Server, result, job and time stay side by side on any terminal."""

JobResults = Sequence[JobResult | RestoreResult]


def are_jobs(results: Sequence[Result]) -> TypeGuard[JobResults]:
    """Return whether each result is about one job, so that they fit into one table."""
    return all(isinstance(result, JobResult | RestoreResult) for result in results) and not any(
        isinstance(result, RestoreResult) and result.metadata for result in results
    )


def full_jobs(results: JobResults, options: RenderOptions) -> Rendered:
    """Return a table of the jobs: outcome, and what a restore needs."""
    header = header_cells("SERVER", "RESULT", "JOB", "TOOK", "SIZE", "STARTED", "ENCRYPTION", "BUILD", "LOCATION")
    rows = [_row(result, options) for result in results]
    if all(result.job is None for result in results):  # only server and result are known
        return Rendered(table_lines([each[:2] for each in (header, *rows)], options.width, least=2))
    return Rendered(table_lines([header, *rows], options.width, least=MIN_COLUMNS, right={3, 4}))


def quiet_jobs(results: JobResults, options: RenderOptions) -> Rendered:
    """Return what ``--quiet`` shows: detached jobs, failures, and messages of successes."""
    left = [line(f"{each.server} {each.job.id}") for each in results if each.job and was_detached(each, each.job)]
    failed = [each for each in results if each.exit_code != ExitCode.DONE]
    warnings = [each for result in results if result not in failed for each in success_warnings(result)]
    return Rendered(left, notes=[*warnings, *(full_jobs(failed, options).lines if failed else ())])


def summary(envelope: Envelope) -> StyledLine:
    """Return the number of appliances by outcome, failures by their slugs."""
    results = [result for result in envelope.results if result.server != DEFAULTS]
    successes = Counter(_success(result) for result in results if result.error is None) or Counter({"done": 0})
    errors = Counter(result.error.slug for result in results if result.error is not None)
    ends = [(f"{number} {kind}", _SUCCESSES[kind] if number else "") for kind, number in successes.items()]
    ends += [(f"{number} {slug}", BAD) for slug, number in errors.most_common()]
    commas = [piece for end in ends for piece in (", ", end)]
    return line((f"{plural(len(results), 'appliance')}: ", STRONG), *commas[1:])


def _success(result: Result) -> str:
    """Return the outcome of a result without an error: only an ended job is done."""
    if getattr(result, "requests", ()):
        return "shown, nothing was sent"
    job = getattr(result, "job", None)
    return "started" if job is not None and is_running_detached(result, job) else "done"


_SUCCESSES = {"done": GOOD, "started": "cyan", "shown, nothing was sent": ODD}
"""Outcomes of results without an error, and their styles."""


def _row(result: JobResult | RestoreResult, options: RenderOptions) -> list[StyledLine]:
    job = result.job
    symbol, style = (options.symbols.good, GOOD) if result.exit_code == ExitCode.DONE else (options.symbols.bad, BAD)
    words = result.error.slug if result.error else "done"
    if job is not None and is_running_detached(result, job):
        symbol, style, words = options.symbols.running, "cyan", "running"
    cells = [line((result.server, STRONG)), line((f"{symbol} {words}", style))]
    if job is None:
        return [*cells, *(line(UNKNOWN) for _ in range(7))]
    took = took_seconds(job)
    encrypted = {True: line("encrypted"), False: line(("NOT ENCRYPTED", ODD)), None: line(UNKNOWN)}
    return [
        *cells,
        line((job.id, "" if result.error is None else state_style(job))),
        line(UNKNOWN if took is None else duration(took)),
        line(UNKNOWN if job.size_bytes is None else size(job.size_bytes)),
        line(timestamp_or_unknown(job.start_time, options.zone)),
        encrypted[job.encrypted],
        line(job.build or UNKNOWN),
        line(job.location or UNKNOWN),
    ]
