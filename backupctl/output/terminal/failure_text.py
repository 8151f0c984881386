"""Render the failures of several appliances; what three or more of them share is shown once."""

import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from backupctl.error_facts import ErrorFacts, anonymized, error_on
from backupctl.errors import BackupctlError
from backupctl.output.formatting import plural
from backupctl.output.terminal.labels import MIN_SHARED, STOPPED_BY_OTHERS
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.result_text import RenderOptions, shown_messages
from backupctl.output.terminal.styled_lines import NOTE, StyledLine, error_lines, labelled
from backupctl.results.job import Job
from backupctl.results.result import Result


def failure_lines(results: Sequence[Result], options: RenderOptions) -> list[StyledLine]:
    """Return the failures: individual ones first, then shared ones, each hint once.

    Appliances that were stopped by another failure come last. Messages of a job are shown with its error, as the table
    has no room for them. A detail that repeats another error is omitted.
    """
    known = {error_on(result.server, result.error.facts) for result in results if result.error is not None}
    failed = [_Failure(result, result.error, known) for result in results if result.error is not None]
    shared = Counter(_hint(failure.anonymized) for failure in failed)
    told = set[_Hint]()
    lines: list[StyledLine] = []
    for group in sorted(_groups(failed), key=_weight):
        if len(group) == 1:
            subject, facts = group[0].server, _of_its_own(group[0], shared)
        else:
            subject, facts = plural(len(group), "appliance"), _in_common(group, options)
        lines += error_lines(facts._replace(hint=None) if _hint(facts) in told else facts, subject=subject)
        told.add(_hint(facts))
        lines += _attach_lines(group) if len(group) > 1 else []
    return lines


_Hint = tuple[str | None, tuple[str, ...], bool]


def _hint(facts: ErrorFacts) -> _Hint:
    """Return the facts that a hint is made of."""
    return facts.hint, facts.selector, facts.of_file


class _Failure:
    """What went wrong on one appliance, and what others can have in common with it."""

    def __init__(self, result: Result, error: BackupctlError, known: Collection[ErrorFacts | str]) -> None:
        messages = map(message_text, shown_messages(result))
        details = tuple(each for each in dict.fromkeys((*error.facts.details, *messages)) if each not in known)
        job: Job | None = getattr(result, "job", None)
        self.server, self.slug = result.server, error.slug
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


def _of_its_own(failure: _Failure, shared: Mapping[_Hint, int]) -> ErrorFacts:
    """Return the facts of one appliance, with the hint that others have as well."""
    general = failure.anonymized
    return failure.facts._replace(selector=general.selector) if shared[_hint(general)] > 1 else failure.facts


def _in_common(group: Sequence[_Failure], options: RenderOptions) -> ErrorFacts:
    """Return the facts of all of a group, with their names where no line to attach names them."""
    general = group[0].anonymized
    if all(each.facts.attach for each in group):
        return general
    names = ", ".join(each.server for each in group)
    width = None if options.width is None else max(options.width - 3, 20)
    wrapped = [names] if width is None else textwrap.wrap(names, width, break_long_words=False, break_on_hyphens=False)
    return general._replace(details=("\n".join(wrapped), *general.details))


def _attach_lines(group: Sequence[_Failure]) -> list[StyledLine]:
    attach = [each.facts.attach for each in group if each.facts.attach]
    return labelled("hint", NOTE, "\n".join(("follow them with:", *attach))) if attach else []
