"""Render the audit of a schedule: a summary, and each gap; runs that made their backup are only counted."""

from collections.abc import Iterator
from typing import Final

from backupctl.formatting import plural, timestamp
from backupctl.monitoring.gap_texts import gap_texts
from backupctl.output.terminal.job_text import simulated_note
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, StyledLine, line
from backupctl.output.terminal.table import wrapped_table
from backupctl.results.audit_results import AuditResult
from backupctl.results.schedule_results import recurrence_text

MAX_NAMED: Final = 3
"""How many unexplained jobs are named."""


def audit_block(result: AuditResult, options: RenderOptions) -> list[StyledLine]:
    """Return what became of the expected runs, the gaps and what cannot be judged."""
    rows = [(line("  ", (label, style)), line(), text) for label, style, text in _rows(result, options)]
    return [_headline(result, options), *wrapped_table(rows, options.width)]


def _headline(result: AuditResult, options: RenderOptions) -> StyledLine:
    symbols, gaps, runs = options.symbols, len(result.gaps), plural(len(result.runs), "scheduled run")
    symbol, style, words = symbols.good, GOOD, f"no gap in {runs}"
    if not result.runs:
        words = "no scheduled run can be judged" if result.judged_since is None else "no scheduled run was due"
        symbol, style = symbols.odd, ODD
    elif gaps:
        symbol, style, words = symbols.bad, BAD, f"{plural(gaps, 'gap')} in {runs}"
    since = result.runs[0].due if result.runs else result.since
    after = f" since {timestamp(since, since.tzinfo)}" if since else ""
    return line((f"{symbol} ", style), f"{result.server}: ", (words, style), after, simulated_note(result))


def _rows(result: AuditResult, options: RenderOptions) -> Iterator[tuple[str, str, str]]:
    """Yield the label of each fact, its style and its text; of one of several appliances only the problems."""
    schedule = result.schedule
    if not options.several and schedule is not None and schedule.hour is not None and schedule.minute is not None:
        when = recurrence_text(schedule.hour, schedule.minute, schedule.days)
        yield "schedule", "", f"{schedule.name}, {when} ({schedule.time_zone or 'UTC'})"
    counts = [f"{count} {_word(verdict)}" for verdict, count in result.counts.items() if count]
    if counts and not options.several:
        yield "runs", "", ", ".join(counts)
    for verdict, when in gap_texts(result.runs):
        yield _word(verdict), BAD, when
    for run in result.runs:
        if run.made_up_by:
            yield "made up", ODD, f"{timestamp(run.due, run.due.tzinfo)} ({_word(run.verdict)}) by {run.made_up_by}"
    ids = [job.id for job in result.unexplained]
    if ids:
        more = [f"{len(ids) - MAX_NAMED} more"] if len(ids) > MAX_NAMED else []
        yield "unexplained", ODD, f"{plural(len(ids), 'scheduled job')}: {', '.join([*ids[:MAX_NAMED], *more])}"
    for note in result.notes:
        yield "note", "", note


def _word(verdict: str) -> str:
    return verdict.replace("-", " ")
