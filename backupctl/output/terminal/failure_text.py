"""Render the failures of a run; what three or more appliances share is shown once."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from backupctl.error_facts import ErrorFacts, anonymized, error_on, render_details, render_hint, render_message
from backupctl.errors import (
    AuditGapError,
    AuthenticationError,
    BackupctlError,
    BackupFailedError,
    InterruptedRunError,
    StillRunningError,
)
from backupctl.formatting import plural
from backupctl.output.printable import printable_lines
from backupctl.output.terminal.job_text import has_timed_out, messages_of
from backupctl.output.terminal.labels import MIN_SHARED, STOPPED_BY_OTHERS, kind
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import BAD, NOTE, STRONG, StyledLine, line
from backupctl.output.terminal.table import wrapped
from backupctl.results.backup_results import ChecksResult
from backupctl.results.job import Job
from backupctl.results.result import Result

_LABEL_WIDTH = 7


def failures(results: Sequence[Result], options: RenderOptions) -> tuple[dict[str, list[StyledLine]], list[StyledLine]]:
    """Return the lines of each server for below its result, and lines for below all results.

    Appliances that were stopped by another failure come last. A hint is shown once, and a detail that repeats another
    error is omitted. Jobs that an interrupt leaves running are no failures.
    """
    known = {error_on(result.server, result.error.facts) for result in results if result.error is not None}
    failed = [_Failure(result, result.error, known) for result in results if result.error is not None]
    detached = [failure for failure in failed if failure.is_detached]
    failed = [failure for failure in failed if not failure.is_detached]
    hints = Counter(_hint(failure.anonymized) for failure in failed)
    hints_shown = set[_Hint]()
    own: dict[str, list[StyledLine]] = {}
    shared: list[StyledLine] = []
    for group in sorted(_groups(failed), key=_weight):
        first = group[0]
        facts = first.facts if len(group) == 1 else first.anonymized
        if hints[_hint(first.anonymized)] > 1:
            facts = facts._replace(selector=first.anonymized.selector)
        if _hint(facts) in hints_shown:
            facts = facts._replace(reason=None, hint=None)
        hints_shown.add(_hint(facts))
        if len(group) == 1:
            own[first.server] = _block(first, facts, first.server, options)
        else:
            facts = facts._replace(details=(", ".join(each.server for each in group), *facts.details))
            shared += _block(first, facts, plural(len(group), "appliance"), options)
    return own, shared + _detached_lines(detached, options)


_Hint = tuple[str | None, str | None, tuple[str, ...], bool]


def _hint(facts: ErrorFacts) -> _Hint:
    """Return the facts that a hint is made of."""
    return facts.reason, facts.hint, facts.selector, facts.of_file


class _Failure:
    """What went wrong on one appliance, and what others can have in common with it.

    ``is_shown``: the result itself says so, as a job or a check that failed.
    """

    def __init__(self, result: Result, error: BackupctlError, known: Collection[ErrorFacts | str]) -> None:
        job: Job | None = getattr(result, "job", None)
        ended = job is not None and job.ended and not job.succeeded
        shown = messages_of(result)
        self.server, self.slug, self.job = result.server, error.slug, job
        self.is_detached = isinstance(error, InterruptedRunError) and job is not None and not job.ended
        self.is_interrupted = isinstance(error, InterruptedRunError) and error.certain
        checked = (isinstance(result, ChecksResult) and bool(result.checks)) or isinstance(error, AuditGapError)
        self.is_shown = (
            checked
            or (isinstance(error, BackupFailedError) and ended)
            or (isinstance(error, InterruptedRunError) and ended)
            or (job is not None and (isinstance(error, StillRunningError) or has_timed_out(result)))
        )
        details = tuple(each for each in dict.fromkeys(error.facts.details) if each not in known and each not in shown)
        self.facts = error.facts._replace(details=details)
        self.anonymized = anonymized(self.facts, {result.server, result.host}, job.id if job else None)


def _groups(failed: Iterable[_Failure]) -> Iterator[list[_Failure]]:
    """Yield those with the same facts, if they are many; else each alone."""
    alike: dict[tuple[str, ErrorFacts], list[_Failure]] = {}
    for failure in failed:
        alike.setdefault((failure.slug, failure.anonymized), []).append(failure)
    for group in alike.values():
        yield from [group] if len(group) >= MIN_SHARED else [[each] for each in group]


def _weight(group: Sequence[_Failure]) -> tuple[bool, bool]:
    return group[0].slug in STOPPED_BY_OTHERS, len(group) > 1


def _block(failure: _Failure, facts: ErrorFacts, subject: str, options: RenderOptions) -> list[StyledLine]:
    """Return the error, its evidence, and what to do; below a result that shows the failure only the latter two."""
    if failure.is_shown:
        lines = _details(facts, options.width)
        return lines + _advice(facts, failure.slug, options.width) if lines or subject == failure.server else []
    if not options.several:
        label = None if failure.is_interrupted else "error"
        return error_lines(facts, options.width, label=label)
    names_itself = subject == facts.server and "$server" in facts.message
    text = ("" if names_itself else f"{subject}: ") + render_message(facts, subject=subject)
    head = line(("" if failure.is_interrupted else f"{options.symbols.bad} ", BAD))
    return [
        *_prose(head, text, options.width),
        *_details(facts, options.width),
        *_advice(facts, failure.slug, options.width),
    ]


def error_lines(facts: ErrorFacts, width: int | None, *, label: str | None = "error") -> list[StyledLine]:
    """Return an error, its details and a hint."""
    lines = _prose(line((f"{label}: " if label else "", BAD)), render_message(facts), width)
    lines += _details(facts, width)
    hint = render_hint(facts)
    return lines + (_prose(line(("hint: ", NOTE)), hint, width) if hint else [])


def _details(facts: ErrorFacts, width: int | None) -> list[StyledLine]:
    return [each for detail in render_details(facts) for each in _prose(line("  "), detail, width)]


def _advice(facts: ErrorFacts, slug: str, width: int | None) -> list[StyledLine]:
    """Return the cause and what to do, each behind its label; after a rejected login, why nothing more is tried."""
    label = "Note" if slug == AuthenticationError.slug else "Try"
    advice = {"Cause": facts.reason, label: render_hint(facts._replace(reason=None))}
    lines: list[StyledLine] = []
    for label, text in advice.items():
        head = line("  ", (label.ljust(_LABEL_WIDTH), STRONG))
        lines += _prose(head, text, width, indent=_LABEL_WIDTH + 2) if text else []
    return lines


def _prose(head: StyledLine, text: str, width: int | None, *, indent: int = 2) -> list[StyledLine]:
    """Return a text behind a head, its further lines indented."""
    room = None if width is None else width - max(head.width, indent)
    first, *others = [part for each in printable_lines(text) for part in wrapped(each, room)] or [""]
    return [line(head, first), *(line(" " * indent, other) for other in others)]


def _detached_lines(detached: Sequence[_Failure], options: RenderOptions) -> list[StyledLine]:
    """Return which jobs are still running: the message for one, one sentence for several."""
    if len(detached) < 2:
        return [each for one in detached for each in error_lines(one.facts, options.width, label=None)]
    names, jobs = ", ".join(each.server for each in detached), {kind(each.job) for each in detached if each.job}
    text = f"Detached. {plural(len(detached), jobs.pop())} are still running on {names}."
    return _prose(line(), text, options.width, indent=0)
