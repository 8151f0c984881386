"""Each result as text: in full, and in brief for ``--quiet``."""

from collections.abc import Sequence
from datetime import tzinfo
from functools import singledispatch
from typing import Final, NamedTuple

from rich.text import Text

from backupctl.errors import ExitCode
from backupctl.output.formatting import size_of_megabytes
from backupctl.output.json_text import json_text
from backupctl.output.terminal.archive_text import archive_block, archives_table, metadata_block
from backupctl.output.terminal.certificate_text import authorities_page, certificate_page, fingerprints, pin_page
from backupctl.output.terminal.check_text import checks_of_one_of_several, checks_page, checks_summary, has_failed
from backupctl.output.terminal.config_text import file_lines, next_steps, settings_page
from backupctl.output.terminal.job_text import headline, job_block, jobs_table, simulated_words
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.schedule_text import deleted_headline, diff, schedule_facts, schedule_headline
from backupctl.output.terminal.styled_lines import ODD, STRONG, Symbols, aligned, line, warning_lines
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
from backupctl.results.trust_results import AuthoritiesResult, CertificateResult, PinResult

SHOW_SCHEDULE: Final = "schedule show"
"""The command whose point is the schedule; for the others, which change one, that nothing changed is news."""

CANCEL: Final = frozenset({"cancel", "restore cancel"})
"""Commands for which a job that did not succeed is what was asked for."""

CHECK_CONFIGURATION: Final = "config check"
"""The command whose first result is about the file itself, which is no server."""


class RenderOptions(NamedTuple):
    """What the results are laid out for: ``width`` is None where nothing has to fit, ``command`` what was asked for.

    ``number`` is that of the results, ``shared`` what is told once below them all and not with each.
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
    """What a result says: ``lines`` for standard output, ``heading`` and ``notes`` around them for standard error.

    A heading that several results share is shown once, above the first. Those that are ``close`` have no empty line
    between them.
    """

    lines: Sequence[Text] = ()
    notes: Sequence[Text] = ()
    heading: Sequence[Text] = ()
    close: bool = False


@singledispatch
def in_full(result: Result, page: RenderOptions) -> Rendered:
    """Return everything that people want to know about a result, but its error."""
    raise NotImplementedError(f"no words for {type(result).__name__}")


@singledispatch
def in_brief(result: Result, page: RenderOptions) -> Rendered:
    """Return what is left with ``--quiet``: what was asked for by that very command, and the evidence of a failure."""
    raise NotImplementedError(f"no words for {type(result).__name__}")


@in_full.register
def _(result: JobResult, page: RenderOptions) -> Rendered:
    return Rendered() if result.job is None else _job(result, result.job, page)


@in_brief.register
def _(result: JobResult, page: RenderOptions) -> Rendered:
    ids = [line(result.job.id)] if result.job is not None and is_left(result, result.job) else []
    if result.exit_code == ExitCode.DONE:
        return Rendered(ids, notes=success_warnings(result))
    return Rendered(ids, notes=in_full(result, page).lines)


@in_full.register
def _(result: JobsResult, page: RenderOptions) -> Rendered:
    if not result.jobs:
        none = f"{result.server} has no backup jobs yet"
        if result.remembers:
            none = f"{result.server}: no backup job matches (of {result.remembers})"
        return Rendered(notes=_nothing(result, none))
    return Rendered([*_title(result, page), *jobs_table(result.jobs, page.width, page.zone)])


@in_brief.register
def _(result: JobsResult, page: RenderOptions) -> Rendered:
    named = f"{result.server} " if page.several else ""  # the id is but a time and a build, which appliances share
    return Rendered([line(f"{named}{job.id}") for job in result.jobs])


@in_full.register
def _(result: PartsResult, page: RenderOptions) -> Rendered:
    if not result.parts:
        return Rendered(notes=_nothing(result, f"{result.server} offers no parts for a backup"))
    header = [line((word, STRONG)) for word in ("PART", "SIZE", "INCLUDED", "NAME")]
    total = "-" if result.total_mb is None else size_of_megabytes(result.total_mb)
    footer = [line(("total", STRONG)), line((total, STRONG)), line(), line()]
    notes: list[Text] = []
    for part in result.parts:
        if part.size_mb == 0:
            text = f"the size of part {part.id} is estimated at 0 MB, which often means that it cannot be backed up"
            notes.extend(warning_lines(text, None, before=f"{result.server}: " if page.several else ""))
    table = aligned([header, *map(_part_row, result.parts), footer], right=[1])
    return Rendered([*_title(result, page), *table], notes)


@in_brief.register
def _(result: PartsResult, _page: RenderOptions) -> Rendered:
    return Rendered([line(part.id) for part in result.parts])


@in_full.register
def _(result: ChecksResult, page: RenderOptions) -> Rendered:
    if not result.checks:
        return Rendered()
    servers = page.number - (page.command == CHECK_CONFIGURATION)
    if servers > 1 and result.server != DEFAULTS:
        block = checks_of_one_of_several(result.server, result.checks, page.symbols, page.width, page.shared)
        return Rendered(block, close=True)
    return Rendered(
        [*_title(result, page), *checks_page(result.checks, page.symbols, page.width), checks_summary(result.checks)]
    )


@in_brief.register
def _(result: ChecksResult, page: RenderOptions) -> Rendered:
    failed = [check for check in result.checks if has_failed(check)]
    title = _title(result, page) if failed else []
    return Rendered(notes=[*title, *checks_page(failed, page.symbols, page.width)])


@in_full.register
def _(result: SchedulesResult, page: RenderOptions) -> Rendered:
    if not result.schedules:
        return Rendered(notes=_nothing(result, f"{result.server} has no backup schedule yet"))
    lines: list[Text] = []
    for schedule in result.schedules:
        lines.extend([line()] if lines else [])
        lines.append(schedule_headline(f"{result.server}: ", schedule, page.symbols, simulated_words(result)))
        lines.extend(schedule_facts(schedule))
    return Rendered(lines)


@in_brief.register
def _(result: SchedulesResult, _page: RenderOptions) -> Rendered:
    return Rendered([line(schedule.name) for schedule in result.schedules])


@in_full.register
def _(result: ScheduleResult, page: RenderOptions) -> Rendered:
    if result.requests:
        changes = diff(result.changes, page.width)
        notice = _dry_run("This is what would be changed and sent", result, page)
        return Rendered([*_title(result, page), *changes, *_requests(result.requests)], heading=[notice])
    lines: list[Text] = []
    subject, after = f"{result.server}: ", simulated_words(result)
    if result.schedule is not None:
        lines.append(schedule_headline(subject, result.schedule, page.symbols, after))
        lines.extend(schedule_facts(result.schedule))
    elif _is_deleted(result):
        return Rendered([deleted_headline(subject, result.changes, page.symbols, after)])
    if result.changes:
        heading = "  changed" if result.error is None else "  to be changed"
        return Rendered([*lines, line(heading), *diff(result.changes, page.width, indent="    ")])
    unchanged = result.schedule is not None and page.command != SHOW_SCHEDULE
    return Rendered(
        lines, _nothing(result, f"{subject}unchanged: the schedule was like this before") if unchanged else ()
    )


@in_brief.register
def _(result: ScheduleResult, page: RenderOptions) -> Rendered:
    if result.requests or page.command == SHOW_SCHEDULE:
        return in_full(result, page)
    return Rendered() if result.exit_code == ExitCode.DONE else Rendered(notes=in_full(result, page).lines)


@in_full.register
def _(result: SystemsResult, page: RenderOptions) -> Rendered:
    if not result.systems:
        return Rendered(notes=_nothing(result, f"{result.server} finds no backups of any system at this location"))
    return Rendered([*_title(result, page), *map(line, result.systems)])


@in_brief.register
def _(result: SystemsResult, _page: RenderOptions) -> Rendered:
    return Rendered([line(system) for system in result.systems])


@in_full.register
def _(result: ArchivesResult, page: RenderOptions) -> Rendered:
    if not result.archives:
        return Rendered(notes=_nothing(result, f"{result.server} finds no such archives at this location"))
    return Rendered([*_title(result, page), *archives_table(result.archives, page.width, page.zone)])


@in_brief.register
def _(result: ArchivesResult, _page: RenderOptions) -> Rendered:
    return Rendered([line(archive.archive) for archive in result.archives])


@in_full.register
@in_brief.register
def _(result: ArchiveResult, page: RenderOptions) -> Rendered:
    if result.archive is None:
        return Rendered()
    return Rendered([*_title(result, page), *archive_block(result.archive, page.zone)])


@in_full.register
def _(result: RestoreResult, page: RenderOptions) -> Rendered:
    sheet = Rendered() if result.job is None else _job(result, result.job, page)
    if result.metadata is None:
        return sheet
    return Rendered([*metadata_block(result, result.metadata, page.symbols, page.zone), *sheet.lines], sheet.notes)


@in_brief.register
def _(result: RestoreResult, page: RenderOptions) -> Rendered:
    if result.exit_code == ExitCode.DONE:
        return Rendered(notes=success_warnings(result))
    return Rendered(notes=in_full(result, page).lines)


@in_full.register
def _(result: CertificateResult, page: RenderOptions) -> Rendered:
    return Rendered(certificate_page(result, page.symbols))


@in_brief.register
def _(result: CertificateResult, _page: RenderOptions) -> Rendered:
    return Rendered(fingerprints(result.chain[:1]))


@in_full.register
def _(result: PinResult, page: RenderOptions) -> Rendered:
    return Rendered(pin_page(result, page.symbols))


@in_full.register
def _(result: AuthoritiesResult, page: RenderOptions) -> Rendered:
    return Rendered(authorities_page(result, page.symbols))


@in_brief.register(PinResult)
@in_brief.register(AuthoritiesResult)
def _(result: Result, page: RenderOptions) -> Rendered:
    return Rendered() if result.exit_code == ExitCode.DONE else Rendered(notes=in_full(result, page).lines)


@in_full.register
@in_brief.register
def _(result: SettingsResult, page: RenderOptions) -> Rendered:
    if not result.settings:
        return Rendered()
    return Rendered([*_title(result, page), *settings_page(result, page.width)])


@in_full.register
def _(result: FileResult, page: RenderOptions) -> Rendered:
    return Rendered(file_lines(result, page.symbols), list(next_steps(result)))


@in_brief.register
def _(_result: FileResult, _page: RenderOptions) -> Rendered:
    return Rendered()


@in_full.register
@in_brief.register
def _(result: RequestsResult, page: RenderOptions) -> Rendered:
    if not result.requests:
        return Rendered()
    notice = _dry_run("This is what would be sent", result, page)
    return Rendered([*_title(result, page), *_requests(result.requests)], heading=[notice])


def success_warnings(result: JobResult | RestoreResult) -> list[Text]:
    """Return the messages of a job that succeeded as warnings: something may be missing from the backup."""
    if result.job is None or not result.job.succeeded:
        return []
    texts = map(message_text, result.job.messages)
    return [each for text in texts for each in warning_lines(f"{result.server}: {text}", None)]


def shown_messages(result: Result) -> list[Message]:
    """Return the appliance's messages that stand in the text of a result, so that its error need not repeat them."""
    messages: list[Message] = []
    if isinstance(result, JobResult | RestoreResult) and result.job is not None:
        messages.extend(result.job.messages)
    if isinstance(result, RestoreResult) and result.metadata is not None:
        messages.extend(result.metadata.messages)
    return messages


def _title(result: Result, page: RenderOptions) -> list[Text]:
    return [line((f"{result.server}:", STRONG))] if page.several else []


def _nothing(result: Result, words: str) -> list[Text]:
    """Return friendly words for an empty result; the error is enough where there is one."""
    return [line(words)] if result.error is None else []


def _job(result: Result, job: Job, page: RenderOptions) -> Rendered:
    cancelled = page.command in CANCEL and result.exit_code == ExitCode.DONE
    headings = headline(result, job, page.symbols, cancelled=cancelled)
    return Rendered([headings, *job_block(result, job, page.symbols, page.zone)])


def goes_on(result: Result, job: Job) -> bool:
    """Return whether a job was started that nobody waits for: the one success without an end."""
    return result.exit_code == ExitCode.DONE and not job.ended


def is_left(result: Result, job: Job) -> bool:
    """Return whether a job was started that nobody waits for, even if it has ended by itself since."""
    started = isinstance(result, StartedResult) and result.exit_code in {ExitCode.DONE, ExitCode.BACKUP_FAILED}
    return started or goes_on(result, job)


def _is_deleted(result: ScheduleResult) -> bool:
    gone = bool(result.changes) and all(change.after is None for change in result.changes)
    return result.schedule is None and result.error is None and gone


def _dry_run(words: str, result: Result, page: RenderOptions) -> Text:
    """Return the same words for each of several, whose names stand as titles below them."""
    return line(("dry run: nothing was sent.", ODD), f" {words}{'' if page.several else f' to {result.server}'}:")


def _requests(requests: Sequence[PreparedRequest]) -> list[Text]:
    lines: list[Text] = []
    for request in requests:
        lines.append(line((request.method, STRONG), f" {request.url}"))
        if request.body is not None:
            lines.extend(line(text) for text in _indented(request.body))
    return lines


def _part_row(part: PartSize) -> list[Text]:
    estimate = "-" if part.size_mb is None else size_of_megabytes(part.size_mb)
    return [line(part.id), line((estimate, ODD if part.size_mb == 0 else "")), line(_included(part)), line(part.name)]


def _included(part: PartSize) -> str:
    if not part.optional:
        return "always"
    return "by default" if part.selected_by_default else "if named"


def _indented(body: object) -> list[str]:
    return json_text(body, pretty=True).splitlines()
