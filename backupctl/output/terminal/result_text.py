"""Render results: in full, and for ``--quiet``."""

from collections.abc import Sequence
from datetime import tzinfo
from functools import singledispatch
from typing import Final, NamedTuple

from backupctl.exit_codes import ExitCode
from backupctl.output.formatting import size_of_megabytes
from backupctl.output.json_text import json_text
from backupctl.output.terminal.archive_text import archive_block, archives_table, metadata_block
from backupctl.output.terminal.certificate_text import authorities_lines, certificate_lines, fingerprints, pin_lines
from backupctl.output.terminal.check_text import checks_lines, checks_of_one_of_several, checks_summary, has_failed
from backupctl.output.terminal.config_text import file_lines, next_steps, settings_lines
from backupctl.output.terminal.job_text import headline, job_block, jobs_table, simulated_note
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.schedule_text import deleted_headline, diff, schedule_facts, schedule_headline
from backupctl.output.terminal.styled_lines import ODD, STRONG, StyledLine, Symbols, aligned, line, warning_lines
from backupctl.results.archive_results import ArchiveResult, ArchivesResult, RestoreResult, SystemsResult
from backupctl.results.backup_results import (
    Check,
    ChecksResult,
    JobResult,
    JobsResult,
    PartSize,
    PartsResult,
    StartedResult,
)
from backupctl.results.config_results import DEFAULTS, FileResult, SettingsResult
from backupctl.results.job import Job, Message
from backupctl.results.result import PreparedRequest, RequestsResult, Result
from backupctl.results.schedule_results import ScheduleResult, SchedulesResult
from backupctl.results.trust_results import CaCertificatesResult, CertificateResult, PinResult

SHOW_SCHEDULE: Final = "schedule show"
"""The command that only shows a schedule; others report whether they changed it."""

CANCEL: Final = frozenset({"cancel", "restore cancel"})
"""Commands whose success is a job that did not succeed."""

CHECK_CONFIGURATION: Final = "config check"
"""The command whose first result is about the file and not about a server."""


class RenderOptions(NamedTuple):
    """How to render results.

    ``width`` is None if lines need not fit, ``number`` is the number of results, ``shared`` are checks that are shown
    once below all results.
    """

    width: int | None
    symbols: Symbols
    zone: tzinfo | None
    command: str | None = None
    number: int = 1
    shared: frozenset[Check] = frozenset()

    @property
    def several(self) -> bool:
        """Whether there is more than one result."""
        return self.number > 1


class Rendered(NamedTuple):
    """A result as text: ``lines`` for standard output, ``heading`` and ``notes`` around them for standard error.

    A heading that several results share is shown once, above the first. ``close`` ones have no empty line between them.
    """

    lines: Sequence[StyledLine] = ()
    notes: Sequence[StyledLine] = ()
    heading: Sequence[StyledLine] = ()
    close: bool = False


@singledispatch
def full_text(result: Result, options: RenderOptions) -> Rendered:
    """Render a result, without its error."""
    raise NotImplementedError(f"no words for {type(result).__name__}")


@singledispatch
def quiet_text(result: Result, options: RenderOptions) -> Rendered:
    """Render a result for ``--quiet``: what the command was asked for, and the evidence of a failure."""
    raise NotImplementedError(f"no words for {type(result).__name__}")


@full_text.register
def _(result: JobResult, options: RenderOptions) -> Rendered:
    return Rendered() if result.job is None else _job(result, result.job, options)


@quiet_text.register
def _(result: JobResult, options: RenderOptions) -> Rendered:
    ids = [line(result.job.id)] if result.job is not None and was_detached(result, result.job) else []
    if result.exit_code == ExitCode.DONE:
        return Rendered(ids, notes=success_warnings(result))
    return Rendered(ids, notes=full_text(result, options).lines)


@full_text.register
def _(result: JobsResult, options: RenderOptions) -> Rendered:
    if not result.jobs:
        none = f"{result.server} has no backup jobs yet"
        if result.remembers:
            none = f"{result.server}: no backup job matches (of {result.remembers})"
        return Rendered(notes=_nothing(result, none))
    return Rendered([*_title(result, options), *jobs_table(result.jobs, options.width, options.zone)])


@quiet_text.register
def _(result: JobsResult, options: RenderOptions) -> Rendered:
    named = f"{result.server} " if options.several else ""  # ids are a time and a build, which appliances may share
    return Rendered([line(f"{named}{job.id}") for job in result.jobs])


@full_text.register
def _(result: PartsResult, options: RenderOptions) -> Rendered:
    if not result.parts:
        return Rendered(notes=_nothing(result, f"{result.server} offers no parts for a backup"))
    header = [line((word, STRONG)) for word in ("PART", "SIZE", "INCLUDED", "NAME")]
    total = "-" if result.total_mb is None else size_of_megabytes(result.total_mb)
    footer = [line(("total", STRONG)), line((total, STRONG)), line(), line()]
    notes: list[StyledLine] = []
    for part in result.parts:
        if part.size_mb == 0:
            text = f"the size of part {part.id} is estimated at 0 MB, which often means that it cannot be backed up"
            notes.extend(warning_lines(text, None, before=f"{result.server}: " if options.several else ""))
    table = aligned([header, *map(_part_row, result.parts), footer], right=[1])
    return Rendered([*_title(result, options), *table], notes)


@quiet_text.register
def _(result: PartsResult, _options: RenderOptions) -> Rendered:
    return Rendered([line(part.id) for part in result.parts])


@full_text.register
def _(result: ChecksResult, options: RenderOptions) -> Rendered:
    if not result.checks:
        return Rendered()
    servers = options.number - (options.command == CHECK_CONFIGURATION)
    if servers > 1 and result.server != DEFAULTS:
        block = checks_of_one_of_several(result.server, result.checks, options.symbols, options.width, options.shared)
        return Rendered(block, close=True)
    return Rendered(
        [
            *_title(result, options),
            *checks_lines(result.checks, options.symbols, options.width),
            checks_summary(result.checks),
        ]
    )


@quiet_text.register
def _(result: ChecksResult, options: RenderOptions) -> Rendered:
    failed = [check for check in result.checks if has_failed(check)]
    title = _title(result, options) if failed else []
    return Rendered(notes=[*title, *checks_lines(failed, options.symbols, options.width)])


@full_text.register
def _(result: SchedulesResult, options: RenderOptions) -> Rendered:
    if not result.schedules:
        return Rendered(notes=_nothing(result, f"{result.server} has no backup schedule yet"))
    lines: list[StyledLine] = []
    for schedule in result.schedules:
        lines.extend([line()] if lines else [])
        lines.append(schedule_headline(f"{result.server}: ", schedule, options.symbols, simulated_note(result)))
        lines.extend(schedule_facts(schedule))
    return Rendered(lines)


@quiet_text.register
def _(result: SchedulesResult, _options: RenderOptions) -> Rendered:
    return Rendered([line(schedule.name) for schedule in result.schedules])


@full_text.register
def _(result: ScheduleResult, options: RenderOptions) -> Rendered:
    if result.requests:
        changes = diff(result.changes, options.width)
        notice = _dry_run("This is what would be changed and sent", result, options)
        return Rendered([*_title(result, options), *changes, *_requests(result.requests)], heading=[notice])
    lines: list[StyledLine] = []
    subject, after = f"{result.server}: ", simulated_note(result)
    if result.schedule is not None:
        lines.append(schedule_headline(subject, result.schedule, options.symbols, after))
        lines.extend(schedule_facts(result.schedule))
    elif _is_deleted(result):
        return Rendered([deleted_headline(subject, result.changes, options.symbols, after)])
    if result.changes:
        heading = "  changed" if result.error is None else "  to be changed"
        return Rendered([*lines, line(heading), *diff(result.changes, options.width, indent="    ")])
    unchanged = result.schedule is not None and options.command != SHOW_SCHEDULE
    return Rendered(
        lines, _nothing(result, f"{subject}unchanged: the schedule was like this before") if unchanged else ()
    )


@quiet_text.register
def _(result: ScheduleResult, options: RenderOptions) -> Rendered:
    if result.requests or options.command == SHOW_SCHEDULE:
        return full_text(result, options)
    return Rendered() if result.exit_code == ExitCode.DONE else Rendered(notes=full_text(result, options).lines)


@full_text.register
def _(result: SystemsResult, options: RenderOptions) -> Rendered:
    if not result.systems:
        return Rendered(notes=_nothing(result, f"{result.server} finds no backups of any system at this location"))
    return Rendered([*_title(result, options), *map(line, result.systems)])


@quiet_text.register
def _(result: SystemsResult, _options: RenderOptions) -> Rendered:
    return Rendered([line(system) for system in result.systems])


@full_text.register
def _(result: ArchivesResult, options: RenderOptions) -> Rendered:
    if not result.archives:
        return Rendered(notes=_nothing(result, f"{result.server} finds no such archives at this location"))
    return Rendered([*_title(result, options), *archives_table(result.archives, options.width, options.zone)])


@quiet_text.register
def _(result: ArchivesResult, _options: RenderOptions) -> Rendered:
    return Rendered([line(archive.archive) for archive in result.archives])


@full_text.register
@quiet_text.register
def _(result: ArchiveResult, options: RenderOptions) -> Rendered:
    if result.archive is None:
        return Rendered()
    return Rendered([*_title(result, options), *archive_block(result.archive, options.zone)])


@full_text.register
def _(result: RestoreResult, options: RenderOptions) -> Rendered:
    sheet = Rendered() if result.job is None else _job(result, result.job, options)
    if result.metadata is None:
        return sheet
    return Rendered(
        [*metadata_block(result, result.metadata, options.symbols, options.zone), *sheet.lines], sheet.notes
    )


@quiet_text.register
def _(result: RestoreResult, options: RenderOptions) -> Rendered:
    if result.exit_code == ExitCode.DONE:
        return Rendered(notes=success_warnings(result))
    return Rendered(notes=full_text(result, options).lines)


@full_text.register
def _(result: CertificateResult, options: RenderOptions) -> Rendered:
    return Rendered(certificate_lines(result, options.symbols))


@quiet_text.register
def _(result: CertificateResult, _options: RenderOptions) -> Rendered:
    return Rendered(fingerprints(result.chain[:1]))


@full_text.register
def _(result: PinResult, options: RenderOptions) -> Rendered:
    return Rendered(pin_lines(result, options.symbols))


@full_text.register
def _(result: CaCertificatesResult, options: RenderOptions) -> Rendered:
    return Rendered(authorities_lines(result, options.symbols))


@quiet_text.register(PinResult)
@quiet_text.register(CaCertificatesResult)
def _(result: Result, options: RenderOptions) -> Rendered:
    return Rendered() if result.exit_code == ExitCode.DONE else Rendered(notes=full_text(result, options).lines)


@full_text.register
@quiet_text.register
def _(result: SettingsResult, options: RenderOptions) -> Rendered:
    if not result.settings:
        return Rendered()
    return Rendered([*_title(result, options), *settings_lines(result, options.width)])


@full_text.register
def _(result: FileResult, options: RenderOptions) -> Rendered:
    return Rendered(file_lines(result, options.symbols), list(next_steps(result)))


@quiet_text.register
def _(_result: FileResult, _options: RenderOptions) -> Rendered:
    return Rendered()


@full_text.register
@quiet_text.register
def _(result: RequestsResult, options: RenderOptions) -> Rendered:
    if not result.requests:
        return Rendered()
    notice = _dry_run("This is what would be sent", result, options)
    return Rendered([*_title(result, options), *_requests(result.requests)], heading=[notice])


def success_warnings(result: JobResult | RestoreResult) -> list[StyledLine]:
    """Return the messages of a successful job as warnings, as something may be missing from the backup."""
    if result.job is None or not result.job.succeeded:
        return []
    texts = map(message_text, result.job.messages)
    return [each for text in texts for each in warning_lines(f"{result.server}: {text}", None)]


def shown_messages(result: Result) -> list[Message]:
    """Return the messages that the text of a result shows, so that its error does not repeat them."""
    messages: list[Message] = []
    if isinstance(result, JobResult | RestoreResult) and result.job is not None:
        messages.extend(result.job.messages)
    if isinstance(result, RestoreResult) and result.metadata is not None:
        messages.extend(result.metadata.messages)
    return messages


def _title(result: Result, options: RenderOptions) -> list[StyledLine]:
    return [line((f"{result.server}:", STRONG))] if options.several else []


def _nothing(result: Result, words: str) -> list[StyledLine]:
    """Return a note for an empty result, nothing if there is an error."""
    return [line(words)] if result.error is None else []


def _job(result: Result, job: Job, options: RenderOptions) -> Rendered:
    cancelled = options.command in CANCEL and result.exit_code == ExitCode.DONE
    headings = headline(result, job, options.symbols, cancelled=cancelled)
    return Rendered([headings, *job_block(result, job, options.symbols, options.zone)])


def is_running_detached(result: Result, job: Job) -> bool:
    """Return whether a job was started without waiting and is still running."""
    return result.exit_code == ExitCode.DONE and not job.ended


def was_detached(result: Result, job: Job) -> bool:
    """Return whether a job was started without waiting, even if it has ended since."""
    started = isinstance(result, StartedResult) and result.exit_code in {ExitCode.DONE, ExitCode.BACKUP_FAILED}
    return started or is_running_detached(result, job)


def _is_deleted(result: ScheduleResult) -> bool:
    gone = bool(result.changes) and all(change.after is None for change in result.changes)
    return result.schedule is None and result.error is None and gone


def _dry_run(words: str, result: Result, options: RenderOptions) -> StyledLine:
    """Return the notice above the requests; for several appliances it names none, so that it is shown once."""
    return line(("dry run: nothing was sent.", ODD), f" {words}{'' if options.several else f' to {result.server}'}:")


def _requests(requests: Sequence[PreparedRequest]) -> list[StyledLine]:
    lines: list[StyledLine] = []
    for request in requests:
        lines.append(line((request.method, STRONG), f" {request.url}"))
        if request.body is not None:
            lines.extend(line(text) for text in _indented(request.body))
    return lines


def _part_row(part: PartSize) -> list[StyledLine]:
    estimate = "-" if part.size_mb is None else size_of_megabytes(part.size_mb)
    return [line(part.id), line((estimate, ODD if part.size_mb == 0 else "")), line(_included(part)), line(part.name)]


def _included(part: PartSize) -> str:
    if not part.optional:
        return "always"
    return "by default" if part.selected_by_default else "if named"


def _indented(body: object) -> list[str]:
    return json_text(body, pretty=True).splitlines()
