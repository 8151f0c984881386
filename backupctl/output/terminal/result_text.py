"""Render results: in full, and for ``--quiet``."""

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from backupctl.errors import InterruptedRunError
from backupctl.exit_codes import ExitCode
from backupctl.output.json_text import json_text
from backupctl.output.terminal.archive_text import archive_block, archive_rows, direct_text, metadata_block, system_rows
from backupctl.output.terminal.audit_text import audit_block
from backupctl.output.terminal.certificate_text import (
    authorities_lines,
    certificate_lines,
    fingerprints,
    location_pin_lines,
    pin_lines,
)
from backupctl.output.terminal.check_text import checks_lines, checks_of_one_of_several, checks_summary
from backupctl.output.terminal.config_text import file_lines, next_steps, setting_rows, settings_heading
from backupctl.output.terminal.job_text import job_block, job_rows, simulated_note
from backupctl.output.terminal.parts_text import part_rows, part_warnings
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.prune_text import prune_headline, prune_rows
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
from backupctl.output.terminal.table import Rows, table_lines
from backupctl.output.terminal.verification_text import verification_block
from backupctl.results.archive_results import ArchiveResult, ArchivesResult, RestoreResult, SystemsResult
from backupctl.results.audit_results import AuditResult
from backupctl.results.backup_history import HistoryResult
from backupctl.results.backup_results import (
    ChecksResult,
    JobResult,
    JobsResult,
    PartsResult,
    StartedResult,
)
from backupctl.results.config_results import DEFAULTS, FileResult, SettingsResult
from backupctl.results.job import Job
from backupctl.results.prune_results import PruneResult
from backupctl.results.report_results import ReportResult
from backupctl.results.result import PreparedRequest, RequestsResult, Result
from backupctl.results.schedule_results import ScheduleResult, SchedulesResult
from backupctl.results.target_archive import DirectArchivesResult
from backupctl.results.trust_results import CaCertificatesResult, CertificateResult, LocationPinResult, PinResult
from backupctl.results.verdict_results import VerdictResult
from backupctl.results.verification_results import Verification, VerificationResult

SHOW_SCHEDULE: Final = "schedule show"
"""The command that only shows a schedule; others report whether they changed it."""

DISABLE_SCHEDULE: Final = "schedule disable"
"""The command whose success is a disabled schedule."""

NO_SCHEDULE: Final = "{} has no backup schedule yet"

CHECK_CONFIGURATION: Final = "config check"
"""The command whose first result is about the file and not about a server."""


@singledispatch
def full_text(result: Result, options: RenderOptions) -> Rendered:
    """Render a result, without its error."""
    raise NotImplementedError(f"no words for {type(result).__name__}")


@singledispatch
def quiet_text(_result: Result, _options: RenderOptions) -> Rendered:
    """Render the output that ``--quiet`` keeps: nothing for most results."""
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
    if result.job is None:
        return Rendered()
    block, found = _job(result, result.job, options), result.verification
    verified = verification_block(result, found, options) if isinstance(found, Verification) else ()
    pruned = () if result.remove is UNSET else [prune_headline(result, options)]
    return block._replace(lines=[*block.lines, *verified, *pruned])


@full_text.register
def _(result: VerificationResult, options: RenderOptions) -> Rendered:
    if result.verification is None:
        return Rendered()
    return Rendered(verification_block(result, result.verification, options), close=options.several)


@quiet_text.register(JobResult)
@quiet_text.register(RestoreResult)
@quiet_text.register(VerificationResult)
def _(result: JobResult | RestoreResult | VerificationResult, options: RenderOptions) -> Rendered:
    job = result.job if isinstance(result, JobResult) else None
    ids = [_name(result, job.id, options)] if job is not None and _was_detached(result, job) else []
    return Rendered(ids, notes=_success_warnings(result), close=True)


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
def _(result: ScheduleResult, options: RenderOptions) -> Rendered:
    if result.requests:
        changes = diff(result.changes, options.width)
        notice = _dry_run("This is what would be changed and sent", result, options)
        return Rendered([*_title(result, options), *changes, *_requests(result.requests)], heading=[notice])
    lines: list[StyledLine] = []
    subject, after = f"{result.server}: ", simulated_note(result)
    created = is_created(result.changes)
    if result.schedule is not None:
        disables = options.command == DISABLE_SCHEDULE
        head = schedule_headline(subject, result.schedule, options.symbols, after, created=created, disables=disables)
        lines.append(head)
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
def _(result: AuditResult, options: RenderOptions) -> Rendered:
    if result.schedule is None:
        return Rendered(notes=_nothing(result, NO_SCHEDULE.format(result.server)))
    return Rendered(audit_block(result, options), close=True)


@full_text.register
@quiet_text.register
def _(result: ArchiveResult, options: RenderOptions) -> Rendered:
    if result.archive is None:
        return Rendered()
    return Rendered([*_title(result, options), *archive_block(result.archive, options)])


_NO_SUCH_ARCHIVES: Final = "{}: no such archives at this location"


@full_text.register
def _(result: PruneResult, options: RenderOptions) -> Rendered:
    if not result.keep and not result.remove:
        return Rendered(notes=_nothing(result, _NO_SUCH_ARCHIVES.format(result.server)))
    return Rendered([prune_headline(result, options), *table_lines(prune_rows(result, options.now), options.width)])


@quiet_text.register
def _(result: PruneResult, options: RenderOptions) -> Rendered:
    planned = result.remove and not any(each.removed for each in result.remove)
    return full_text(result, options) if planned else Rendered()


@full_text.register
def _(result: DirectArchivesResult, options: RenderOptions) -> Rendered:
    others = [line(f"other entries at the location: {result.other_entries}")] if result.other_entries else []
    if not result.archives:
        return Rendered(notes=[*_nothing(result, _NO_SUCH_ARCHIVES.format(result.server)), *others])
    return Rendered([*_title(result, options), *direct_text(result.archives, options)], others)


@full_text.register
def _(result: RestoreResult, options: RenderOptions) -> Rendered:
    sheet = Rendered() if result.job is None else _job(result, result.job, options)
    if result.metadata is None:
        return sheet
    return Rendered([*metadata_block(result, result.metadata, options), *sheet.lines], sheet.notes)


@full_text.register
@quiet_text.register
def _(result: SettingsResult, options: RenderOptions) -> Rendered:
    if not result.settings:
        return Rendered()
    table = table_lines(setting_rows(result.settings), options.width)
    return Rendered([*_title(result, options), *settings_heading(result), *table])


@full_text.register
@quiet_text.register
def _(result: RequestsResult, options: RenderOptions) -> Rendered:
    if not result.requests:
        return Rendered()
    if len(result.requests) == 1:
        notice = _dry_run("This is what would be sent", result, options)
    else:
        notice = _dry_run("One of these would be sent", result, options, " (/api where it exists, else /rest)")
    return Rendered([*_title(result, options), *_requests(result.requests)], heading=[notice])


def _success_warnings(result: Result) -> list[StyledLine]:
    """Return the messages of a successful job and the warnings about its archive, as something may be missing."""
    job, found = getattr(result, "job", None), getattr(result, "verification", None)
    texts = [message_text(each) for each in job.messages] if job is not None and job.succeeded else []
    texts += found.warnings if isinstance(found, Verification) else ()
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


def _was_detached(result: Result, job: Job) -> bool:
    """Return whether a job was started without waiting, even if it has ended since."""
    started = isinstance(result, StartedResult) and result.exit_code in {ExitCode.DONE, ExitCode.BACKUP_FAILED}
    return started or (result.exit_code == ExitCode.DONE and not job.ended)


def _is_deleted(result: ScheduleResult) -> bool:
    gone = bool(result.changes) and all(change.after is None for change in result.changes)
    return result.schedule is None and result.error is None and gone


def _dry_run(words: str, result: Result, options: RenderOptions, which: str = "") -> StyledLine:
    """Return the notice above the requests; for several appliances it names none, so that it is shown once."""
    target = "" if options.several else f" to {result.server}"
    return line(("dry run: nothing was sent.", ODD), f" {words}{target}{which}:")


def _requests(requests: Sequence[PreparedRequest]) -> list[StyledLine]:
    lines: list[StyledLine] = []
    for request in requests:
        lines.append(line((request.method, STRONG), f" {request.url}"))
        if request.body is not None:
            lines.extend(map(line, json_text(request.body, pretty=True).splitlines()))
    return lines


class _Listing(NamedTuple):
    """How a list is shown: its entries as a table or ``none``, and under ``--quiet`` their names, for scripts."""

    entries: str
    name: str
    rows: Callable[[Any, RenderOptions], Rows]
    none: str


_LISTS: Final[Mapping[type[Result], _Listing]] = {
    JobsResult: _Listing("jobs", "id", job_rows, "{} has no backup jobs yet"),
    PartsResult: _Listing("parts", "id", part_rows, "{} offers no parts for a backup"),
    SchedulesResult: _Listing("schedules", "name", schedule_rows, NO_SCHEDULE),
    SystemsResult: _Listing("systems", "", system_rows, "{} finds no backups of any system at this location"),
    ArchivesResult: _Listing("archives", "archive", archive_rows, "{} finds no such archives at this location"),
}


def _list_in_full(result: Result, options: RenderOptions) -> Rendered:
    shown = _LISTS[type(result)]
    if entries := getattr(result, shown.entries):
        warnings = part_warnings(result, options) if isinstance(result, PartsResult) else ()
        return Rendered(table=shown.rows(entries, options), notes=warnings)
    known = getattr(result, "remembers", 0)
    none = f"{result.server}: no backup job matches (of {known})" if known else shown.none.format(result.server)
    return Rendered(notes=_nothing(result, none))


def _list_of_names(result: Result, options: RenderOptions) -> Rendered:
    shown = next(_LISTS[each] for each in type(result).__mro__ if each in _LISTS)
    names = [getattr(each, shown.name) if shown.name else each for each in getattr(result, shown.entries)]
    return Rendered([_name(result, name, options) for name in names])


def _name(result: Result, name: str, options: RenderOptions) -> StyledLine:
    """Return a name for scripts, behind the server of several, as appliances may share names."""
    return line(f"{result.server} {name}" if options.several else name)


for kind in _LISTS:
    full_text.register(kind, _list_in_full)
    quiet_text.register(kind, _list_of_names)
for silent in (HistoryResult, ReportResult, VerdictResult):  # one text about all appliances
    full_text.register(silent, lambda *_: Rendered())
full_text.register(CertificateResult, lambda result, options: Rendered(certificate_lines(result, options.symbols)))
full_text.register(PinResult, lambda result, options: Rendered(pin_lines(result, options.symbols)))
full_text.register(LocationPinResult, lambda result, options: Rendered(location_pin_lines(result, options.symbols)))
full_text.register(CaCertificatesResult, lambda result, options: Rendered(authorities_lines(result, options.symbols)))
full_text.register(
    FileResult, lambda result, options: Rendered(file_lines(result, options.symbols), next_steps(result))
)
quiet_text.register(CertificateResult, lambda result, _: Rendered(fingerprints(result.chain[:1])))
quiet_text.register(PinResult, lambda *_: Rendered())
quiet_text.register(
    LocationPinResult,
    lambda result, _: Rendered([line(result.fingerprint)] if result.fingerprint and not result.file else []),
)
