"""Render the failures of several appliances; what three or more of them share is shown once."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from rich.text import Text

from backupctl.output.formatting import plural
from backupctl.output.terminal.labels import MIN_SHARED, STOPPED_BY_OTHERS
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.result_text import RenderOptions, shown_messages
from backupctl.output.terminal.styled_lines import NOTE, error_lines, labelled
from backupctl.results.result import ErrorInfo, Result


def failure_lines(results: Sequence[Result], options: RenderOptions, *, hints: bool) -> list[Text]:
    """Return what went wrong, each hint once: what is an appliance's own first, then what many share.

    Last come those that were kept back, or left, because of something else. Messages that have no room in a table
    stand with the error; what another error says stands there only. Without ``hints``, the lines that follow what was
    left running stay.
    """
    failed = [(result, _with_messages(result.error, result)) for result in results if result.error is not None]
    known = [f"{result.server}: {error.message}" for result, error in failed]
    shared = Counter(_in_general(error, result).hint for result, error in failed)
    told = set[str | None]()
    lines: list[Text] = []
    for group in sorted(_groups(failed), key=_weight):
        result, error = group[0]
        if len(group) == 1:
            subject, error = f"{result.server}: ", _of_its_own(error, result, shared)
        else:
            subject, error = f"{plural(len(group), 'appliance')}: ", _in_common(group, options)
        news = error.hint not in told
        told.add(error.hint)
        lines += error_lines(error, hints=news and hints, known=known, subject=subject)
        lines += _attach_lines(group) if len(group) > 1 else []
    return lines


PLACEHOLDER: Final = "NAME"
"""What stands in a command for the name of each appliance."""

Failed = tuple[Result, ErrorInfo]


def _with_messages(error: ErrorInfo, result: Result) -> ErrorInfo:
    messages = map(message_text, shown_messages(result))
    return msgspec.structs.replace(error, details=tuple(dict.fromkeys((*error.details, *messages))))


def _groups(failed: Iterable[Failed]) -> Iterator[list[Failed]]:
    """Yield those who say the same of themselves, if they are many; else each alone."""
    alike: dict[ErrorInfo, list[Failed]] = {}
    for result, error in failed:
        alike.setdefault(_in_general(error, result), []).append((result, error))
    for group in alike.values():
        yield from [group] if len(group) >= MIN_SHARED else [[each] for each in group]


def _weight(group: Sequence[Failed]) -> tuple[bool, bool]:
    return group[0][1].slug in STOPPED_BY_OTHERS, len(group) > 1


def _in_general(error: ErrorInfo, result: Result) -> ErrorInfo:
    """Return an error without what is its appliance's own: names, the id of its job, the line to attach."""
    job = getattr(result, "job", None)
    own = "|".join(re.escape(name) for name in (result.server, result.host))
    whole = rf"(?<![\w.-])(?:{own})(?![\w-]|\.\w|:\d)"

    def general(text: str) -> str:
        text = text.replace(f"backup job {job.id}", "the backup job") if job is not None else text
        text = re.sub(rf"^{whole}: | on {whole}", "", text)
        text = re.sub(rf" -s ('?){whole}\1", f" -s {PLACEHOLDER}", text)
        return re.sub(whole, "the appliance", text)

    hint = None if error.hint is None or error.hint == error.to_follow else general(error.hint)
    details = tuple(map(general, error.details))
    return ErrorInfo(slug=error.slug, message=general(error.message), hint=hint, details=details)


def _of_its_own(error: ErrorInfo, result: Result, shared: Mapping[str | None, int]) -> ErrorInfo:
    """Return an error as it stands behind the name of its appliance, with the hint that others have as well."""
    hint = _in_general(error, result).hint
    message = error.message.removeprefix(f"{result.server}: ")
    return msgspec.structs.replace(error, message=message, hint=hint if shared[hint] > 1 and hint else error.hint)


def _in_common(group: Sequence[Failed], options: RenderOptions) -> ErrorInfo:
    """Return the error of all of a group, with their names where no line to attach names them."""
    result, first = group[0]
    error = _in_general(first, result)
    if all(each.attach for _, each in group):
        return error
    names = ", ".join(each.server for each, _ in group)
    width = None if options.width is None else max(options.width - 3, 20)
    wrapped = [names] if width is None else textwrap.wrap(names, width, break_long_words=False, break_on_hyphens=False)
    return msgspec.structs.replace(error, details=("\n".join(wrapped), *error.details))


def _attach_lines(group: Sequence[Failed]) -> list[Text]:
    attach = [error.attach for _, error in group if error.attach]
    return labelled("hint", NOTE, "\n".join(("follow them with:", *attach))) if attach else []
