"""The words for the gaps that an audit found, in the terminal and in reports."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from backupctl.formatting import timestamp
from backupctl.results.audit_results import ExpectedRun, RunVerdict


def gap_texts(
    runs: Iterable[ExpectedRun], wanted: Callable[[ExpectedRun], bool] = lambda run: run.is_gap
) -> Iterator[tuple[RunVerdict, str]]:
    """Yield the verdict of each row of neighbouring gaps, or other ``wanted`` runs, and when they were due.

    ``runs`` are oldest first. A single run is shown with the backup that it made, or that kept it out.
    """
    for (verdict, is_wanted), group in groupby(runs, lambda run: (run.verdict, wanted(run))):
        if is_wanted:
            yield verdict, _span(list(group))


def _span(runs: Sequence[ExpectedRun]) -> str:
    first, last = (timestamp(run.due, run.due.tzinfo) for run in (runs[0], runs[-1]))
    if len(runs) > 1:
        return f"{first} to {last} ({len(runs)} runs)"
    return f"{first} (backup {runs[0].job})" if runs[0].job else first
