"""The words for the runs that an audit judged, in the terminal and in reports."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from backupctl.formatting import duration, timestamp
from backupctl.results.audit_results import ExpectedRun, RunVerdict


def run_spans(runs: Iterable[ExpectedRun]) -> Iterator[tuple[RunVerdict, bool, str]]:
    """Yield the verdict of each row of neighbouring runs, whether they are gaps, and when they were due.

    ``runs`` are oldest first. A single run is shown with the backup that it made, or that kept it out.
    """
    for (verdict, is_gap), group in groupby(runs, lambda run: (run.verdict, run.is_gap)):
        yield verdict, is_gap, _span(list(group))


def _span(runs: Sequence[ExpectedRun]) -> str:
    several = len(runs) > 1
    notes = [f"{len(runs)} runs"] if several else []
    delays = [(run.start_time - run.due).total_seconds() for run in runs if run.start_time]
    if delays and runs[0].verdict == RunVerdict.LATE:
        notes.append(f"{'up to ' if several else ''}{duration(max(delays))} late")
    if runs[0].job and not several:
        notes.append(f"backup {runs[0].job}")
    due = " to ".join(timestamp(run.due, run.due.tzinfo) for run in (runs[0], *runs[1:][-1:]))
    return f"{due} ({', '.join(notes)})" if notes else due
