"""Render the audit of a schedule: a summary, and each gap; runs that made their backup are only counted."""

from collections.abc import Collection, Iterator
from typing import Final

from backupctl.formatting import plural, timestamp
from backupctl.monitoring.run_spans import run_spans
from backupctl.output.terminal.job_text import simulated_note
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, StyledLine, line
from backupctl.output.terminal.table import wrapped_table
from backupctl.results.audit_results import AuditResult, RunVerdict

MAX_NAMED: Final = 3
"""How many unexplained jobs are named."""


def audit_block(result: AuditResult, options: RenderOptions) -> list[StyledLine]:
    """Return the expected runs, the gaps, and what cannot be judged."""
    facts = list(_facts(result, options))
    rows = [(line("  ", (label, style)), line(), text) for label, style, text in facts]
    return [_headline(result, options, {style for _, style, _ in facts}), *wrapped_table(rows, options.width)]


def _headline(result: AuditResult, options: RenderOptions, styles: Collection[str]) -> StyledLine:
    """Return the summary; without a tick if any fact has the style of something odd."""
    symbols, runs = options.symbols, plural(result.judged_runs, "scheduled run")
    words = f"no gap in {runs}"
    symbol, style = (symbols.odd, ODD) if ODD in styles or not result.runs else (symbols.good, GOOD)
    if not result.runs:
        words = "no scheduled run can be judged" if result.judged_since is None else "no scheduled run was due"
    elif result.gaps:
        symbol, style, words = symbols.bad, BAD, f"{plural(len(result.gaps), 'gap')} in {runs}"
    since = result.runs[0].due if result.runs else result.since
    after = f" since {timestamp(since, since.tzinfo)}" if since else ""
    return line((f"{symbol} ", style), f"{result.server}: ", (words, style), after, simulated_note(result))


def _facts(result: AuditResult, options: RenderOptions) -> Iterator[tuple[str, str, str]]:
    """Yield the label of each fact, its style and its text; of one of several appliances only the problems."""
    schedule, off = result.schedule, result.schedule is not None and result.schedule.enable is False
    if (off or not options.several) and schedule and schedule.recurrence:
        when = f"{schedule.recurrence} ({schedule.time_zone or 'UTC'}){', disabled' if off else ''}"
        yield "schedule", ODD if off else "", f"{schedule.name}, {when}"
    counts = [f"{count} {_word(verdict)}" for verdict, count in result.counts.items() if count]
    not_judged = bool(result.counts.get(RunVerdict.NOT_JUDGED))
    if counts and (not_judged or not options.several):
        yield "runs", ODD if not_judged else "", ", ".join(counts)
    for verdict, is_gap, when in run_spans(result.runs):
        if is_gap or verdict == RunVerdict.LATE:
            yield _word(verdict), BAD if is_gap else ODD, when
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
