"""Render results: in full, and for ``--quiet``."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Final

from backupctl.errors import InterruptedRunError
from backupctl.exit_codes import ExitCode
from backupctl.formatting import size_of_megabytes
from backupctl.output.json_text import json_text
from backupctl.output.terminal.archive_text import archive_block, archive_rows, metadata_block
from backupctl.output.terminal.certificate_text import authorities_lines, certificate_lines, fingerprints, pin_lines
from backupctl.output.terminal.check_text import checks_lines, checks_of_one_of_several, checks_summary
from backupctl.output.terminal.config_text import file_lines, next_steps, setting_rows, settings_heading
from backupctl.output.terminal.job_text import job_block, job_rows, simulated_note
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.rendered import Rendered, RenderOptions
from backupctl.output.terminal.schedule_text import (
    deleted_headline,
    diff,
    is_created,
    schedule_facts,
    schedule_headline,
    schedule_rows,
)
from backupctl.output.terminal.styled_lines import ODD, STRONG, StyledLine, line, warning_lines
from backupctl.output.terminal.table import Cell, Column, Rows, table_lines
from backupctl.results.archive_results import ArchiveResult, ArchivesResult, RestoreResult, SystemsResult
from backupctl.results.backup_results import (
    ChecksResult,
    JobResult,
    JobsResult,
    PartSize,
    PartsResult,
    StartedResult,
)
from backupctl.results.config_results import DEFAULTS, FileResult, SettingsResult
from backupctl.results.job import Job
from backupctl.results.result import PreparedRequest, RequestsResult, Result
from backupctl.results.schedule_results import ScheduleResult, SchedulesResult
from backupctl.results.trust_results import CaCertificatesResult, CertificateResult, PinResult

PARTS: Final = (Column("PART"), Column("SIZE", right=True), Column("INCLUDED", 1), Column("NAME", 2))
SYSTEMS: Final = (Column("SYSTEM"),)

SHOW_SCHEDULE: Final = "schedule show"
"""The command that only shows a schedule; others report whether they changed it."""

CHECK_CONFIGURATION: Final = "config check"
"""The command whose first result is about the file and not about a server."""


@singledispatch
def full_text(result: Result, options: RenderOptions) -> Rendered:
    """Render a result, without its error."""
    raise NotImplementedError(f"no words for {type(result).__name__}")


@singledispatch
def quiet_text(_result: Result, _options: RenderOptions) -> Rendered:
    """Render what a command was asked for, for ``--quiet``: nothing for most of them."""
    return Rendered()


def render(result: Result, options: RenderOptions, *, quiet: bool) -> Rendered:
    """Render a result; with ``quiet`` a failure goes to standard error, where it is as long as without."""
    if not quiet:
        return full_text(result, options)
    asked = quiet_text(result, options)
    if result.exit_code == ExitCode.DONE:
        return asked
    full = full_text(result, options)
    return Rendered(asked.lines, notes=[*full.lines, *full.notes], close=full.close)


@full_text.register
def _(result: JobResult, options: RenderOptions) -> Rendered:
    return Rendered() if result.job is None else _job(result, result.job, options)


@quiet_text.register
def _(result: JobResult, options: RenderOptions) -> Rendered:
    named = f"{result.server} " if options.several else ""
    ids = [line(f"{named}{result.job.id}")] if result.job is not None and was_detached(result, result.job) else []
    return Rendered(ids, notes=_success_warnings(result), close=True)


@full_text.register
def _(result: JobsResult, options: RenderOptions) -> Rendered:
    if not result.jobs:
        none = f"{result.server} has no backup jobs yet"
        if result.remembers:
            none = f"{result.server}: no backup job matches (of {result.remembers})"
        return Rendered(notes=_nothing(result, none))
    return Rendered(table=job_rows(result.jobs, options))


@quiet_text.register
def _(result: JobsResult, options: RenderOptions) -> Rendered:
    named = f"{result.server} " if options.several else ""  # ids are a time and a build, which appliances may share
    return Rendered([line(f"{named}{job.id}") for job in result.jobs])


@full_text.register
def _(result: PartsResult, options: RenderOptions) -> Rendered:
    if not result.parts:
        return Rendered(notes=_nothing(result, f"{result.server} offers no parts for a backup"))
    total = None if result.total_mb is None else (size_of_megabytes(result.total_mb), STRONG)
    rows: list[list[Cell]] = [*map(_part_row, result.parts), [("total", STRONG), total, "", ""]]
    notes: list[StyledLine] = []
    for part in result.parts:
        if part.size_mb == 0:
            text = f"the size of part {part.id} is estimated at 0 MB, which often means that it cannot be backed up"
            notes.extend(warning_lines(text, None, before=f"{result.server}: " if options.several else ""))
    return Rendered(table=Rows(PARTS, rows), notes=notes)


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


@full_text.register
def _(result: SchedulesResult, options: RenderOptions) -> Rendered:
    if not result.schedules:
        return Rendered(notes=_nothing(result, f"{result.server} has no backup schedule yet"))
    return Rendered(table=schedule_rows(result.schedules, options))


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
    created = is_created(result.changes)
    if result.schedule is not None:
        lines.append(schedule_headline(subject, result.schedule, options.symbols, after, created=created))
        lines.extend(schedule_facts(result.schedule, options))
    elif _is_deleted(result):
        return Rendered([deleted_headline(subject, result.changes, options.symbols, after)])
    if result.changes and not (created and result.schedule):
        heading = "  changed" if result.error is None else "  to be changed"
        return Rendered([*lines, line(heading), *diff(result.changes, options.width, indent="    ")])
    unchanged = result.schedule is not None and not created and options.command != SHOW_SCHEDULE
    return Rendered(lines, _nothing(result, f"{subject}already up to date") if unchanged else ())


@quiet_text.register
def _(result: ScheduleResult, options: RenderOptions) -> Rendered:
    return full_text(result, options) if result.requests or options.command == SHOW_SCHEDULE else Rendered()


@full_text.register
def _(result: SystemsResult, _options: RenderOptions) -> Rendered:
    if not result.systems:
        return Rendered(notes=_nothing(result, f"{result.server} finds no backups of any system at this location"))
    return Rendered(table=Rows(SYSTEMS, [[system] for system in result.systems]))


@quiet_text.register
def _(result: SystemsResult, _options: RenderOptions) -> Rendered:
    return Rendered([line(system) for system in result.systems])


@full_text.register
def _(result: ArchivesResult, options: RenderOptions) -> Rendered:
    if not result.archives:
        return Rendered(notes=_nothing(result, f"{result.server} finds no such archives at this location"))
    return Rendered(table=archive_rows(result.archives, options))


@quiet_text.register
def _(result: ArchivesResult, _options: RenderOptions) -> Rendered:
    return Rendered([line(archive.archive) for archive in result.archives])


@full_text.register
@quiet_text.register
def _(result: ArchiveResult, options: RenderOptions) -> Rendered:
    if result.archive is None:
        return Rendered()
    return Rendered([*_title(result, options), *archive_block(result.archive, options)])


@full_text.register
def _(result: RestoreResult, options: RenderOptions) -> Rendered:
    sheet = Rendered() if result.job is None else _job(result, result.job, options)
    if result.metadata is None:
        return sheet
    return Rendered([*metadata_block(result, result.metadata, options), *sheet.lines], sheet.notes)


@quiet_text.register
def _(result: RestoreResult, _options: RenderOptions) -> Rendered:
    return Rendered(notes=_success_warnings(result))


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


@quiet_text.register
def _(_result: PinResult, _options: RenderOptions) -> Rendered:
    return Rendered()


@full_text.register
@quiet_text.register
def _(result: SettingsResult, options: RenderOptions) -> Rendered:
    if not result.settings:
        return Rendered()
    table = table_lines(setting_rows(result.settings), options.width)
    return Rendered([*_title(result, options), *settings_heading(result), *table])


@full_text.register
def _(result: FileResult, options: RenderOptions) -> Rendered:
    return Rendered(file_lines(result, options.symbols), list(next_steps(result)))


@full_text.register
@quiet_text.register
def _(result: RequestsResult, options: RenderOptions) -> Rendered:
    if not result.requests:
        return Rendered()
    notice = _dry_run("This is what would be sent", result, options)
    return Rendered([*_title(result, options), *_requests(result.requests)], heading=[notice])


def _success_warnings(result: JobResult | RestoreResult) -> list[StyledLine]:
    """Return the messages of a successful job as warnings, as something may be missing from the backup."""
    if result.job is None or not result.job.succeeded:
        return []
    texts = map(message_text, result.job.messages)
    return [each for text in texts for each in warning_lines(f"{result.server}: {text}", None)]


def _title(result: Result, options: RenderOptions) -> list[StyledLine]:
    return [line((f"{result.server}:", STRONG))] if options.several else []


def _nothing(result: Result, words: str) -> list[StyledLine]:
    """Return a note for an empty result, nothing if there is an error."""
    return [line(words)] if result.error is None else []


def _job(result: Result, job: Job, options: RenderOptions) -> Rendered:
    """Render a job; one that this run leaves running by an interrupt has only the line that says so."""
    detached = isinstance(result.error, InterruptedRunError) and not job.ended
    return Rendered([] if detached else job_block(result, job, options), close=options.several)


def was_detached(result: Result, job: Job) -> bool:
    """Return whether a job was started without waiting, even if it has ended since."""
    started = isinstance(result, StartedResult) and result.exit_code in {ExitCode.DONE, ExitCode.BACKUP_FAILED}
    return started or (result.exit_code == ExitCode.DONE and not job.ended)


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


def _part_row(part: PartSize) -> list[Cell]:
    estimate = None if part.size_mb is None else (size_of_megabytes(part.size_mb), ODD if part.size_mb == 0 else "")
    return [part.id, estimate, _included(part), part.name]


def _included(part: PartSize) -> str:
    if not part.optional:
        return "always"
    return "by default" if part.selected_by_default else "if named"


def _indented(body: object) -> list[str]:
    return json_text(body, pretty=True).splitlines()
