"""The messages about a run, for a monitor, a mail or a chat."""

from collections.abc import Sequence
from typing import Final

import msgspec

from backupctl.exit_codes import COMMAND_CODES, ExitCode
from backupctl.formatting import plural, size
from backupctl.results.result import Result

_MAX_NAMES: Final = 5


class Notification(msgspec.Struct, frozen=True):
    """A message: ``event`` is what a ping ends with in the protocol of healthchecks.io, an exit code for a failure."""

    event: str
    title: str
    body: str

    @property
    def failed(self) -> bool:
        """Whether it is about a failure."""
        return self.event.isdigit()


def notification(command: str, sender: str, results: Sequence[Result]) -> Notification:
    """Return the message about the results of a run of ``command`` on the host ``sender``."""
    failed = [result for result in results if result.exit_code]
    code = COMMAND_CODES.overall(result.exit_code for result in failed)
    paragraphs = ["\n".join(_failure_lines(result)) for result in failed]
    paragraphs += ["\n".join(_success_line(result) for result in results if not result.exit_code)]
    paragraphs += [f"backupctl {command} on {sender}, exit code {code:d}"]
    body = "\n\n".join(filter(None, paragraphs))
    return Notification(f"{code:d}" if code else "", _title(results, failed), body)


def _title(results: Sequence[Result], failed: Sequence[Result]) -> str:
    if len(results) == 1:
        return _headline(results[0])
    number, missing = plural(len(results), "backup"), [result for result in failed if not _is_done(result)]
    if missing:
        return f"{len(missing)} of {number} not done: {_names(missing)}"
    return f"{number} done" + (f", {len(failed)} with errors: {_names(failed)}" if failed else "")


def _names(results: Sequence[Result]) -> str:
    return ", ".join(result.server for result in results[:_MAX_NAMES]) + ", ..." * (len(results) > _MAX_NAMES)


def _headline(result: Result) -> str:
    failed = "" if result.error is None else f" ({result.error.slug})"
    return f"{result.server}: backup {'done' if _is_done(result) else 'not done'}{failed}"


def _is_done(result: Result) -> bool:
    """Return whether a backup is done, even if it could not be verified or pruned; a damaged one is not."""
    job = getattr(result, "job", None)
    return result.error is None or (job is not None and job.succeeded and result.exit_code != ExitCode.BACKUP_FAILED)


def _failure_lines(result: Result) -> list[str]:
    error, job = result.error, getattr(result, "job", None)
    lines = [_headline(result)]
    messages = [message.default_message for message in job.messages] if job else []
    if error is not None:
        lines += dict.fromkeys([error.message, *messages, *error.details])
        lines += [f"Try: {error.hint}"] if error.hint else []
        lines += [f"Follow it with: {error.attach}"] if error.attach else []
    return lines


def _success_line(result: Result) -> str:
    job = getattr(result, "job", None)
    of_size = "" if job is None or job.size_bytes is None else f" ({size(job.size_bytes)})"
    return f"{_headline(result)}: {job.id}{of_size}" if job else _headline(result)
