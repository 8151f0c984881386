"""Jobs as text: a block with what a restore needs, and a table."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from rich.text import Text

from backupctl.models import JobState
from backupctl.results import Job, JobResult
from backupctl.views.human.lines import BAD, GOOD, ODD, STRONG, Symbols, aligned, line
from backupctl.views.human.progress import message_text
from backupctl.views.printable import printable_lines
from backupctl.views.quantities import duration, moment, percent, seconds_between, size

UNKNOWN: Final = "-"
LEAST_COLUMNS: Final = 4
"""Job, state, start and size stay side by side, however narrow the terminal is."""


def headline(result: JobResult, job: Job, symbols: Symbols) -> Text:
    """Return what became of a job in one line."""
    subject = f"{result.server}: "
    simulated = " (simulated: no appliance was involved)" if result.simulated else ""
    if job.succeeded:
        return line((f"{symbols.good} ", GOOD), subject, ("backup succeeded", GOOD), simulated)
    if job.state == JobState.FAILED:
        return line((f"{symbols.bad} ", BAD), subject, ("backup failed", BAD), simulated)
    if job.ended:
        return line((f"{symbols.odd} ", ODD), subject, (f"backup ended in state {job.state}", ODD), simulated)
    far = "" if job.progress is None else f", {percent(job.progress)} done"
    return line((f"{symbols.running} ", "cyan"), subject, ("backup running", "cyan"), far, simulated)


def job_block(result: JobResult, job: Job, symbols: Symbols, zone: tzinfo | None) -> list[Text]:
    """Return the facts about a job that are known, a line each, and the appliance's messages."""
    took = took_seconds(job)
    facts: list[tuple[str, str | None]] = [
        ("job", job.id),
        ("state", job.state),
        ("type", job.type),
        ("started", None if job.start_time is None else moment(job.start_time, zone)),
        ("ended", None if job.end_time is None else moment(job.end_time, zone)),
        ("took" if job.ended else "running for", None if took is None else duration(took)),
        ("size", None if job.size_bytes is None else size(job.size_bytes)),
        ("location", job.location),
        ("location user", job.location_user),
        ("parts", ", ".join(job.parts or ())),
        ("comment", job.comment),
        ("started by", job.user),
        ("appliance", _appliance(result)),
        ("build", job.build),
    ]
    rows = [[line(f"  {label}"), line(text)] for label, text in facts if text]
    if job.encrypted is not None:
        secret = line("yes, with the backup password") if job.encrypted else line(("no: NOT ENCRYPTED", ODD))
        rows.append([line("  encrypted"), secret])
    return [*aligned(rows), *_messages(job, symbols)]


def jobs_table(jobs: Sequence[Job], width: int | None, zone: tzinfo | None) -> list[Text]:
    """Return a table of jobs; the columns that do not fit into ``width`` stand below. Nothing is cut."""
    header = [line((word, STRONG)) for word in ("JOB", "STATE", "START", "SIZE", "TOOK", "TYPE", "LOCATION")]
    rows = [header, *(_row(job, zone) for job in jobs)]
    for columns in range(len(header), LEAST_COLUMNS - 1, -1):
        table = aligned([row[:columns] for row in rows], right={3, 4})
        if width is None or max(text.cell_len for text in table) <= width:
            break
    lines = table[:1]
    for row, text in zip(rows[1:], table[1:], strict=True):
        rest = [cell.plain for cell in row[columns:] if cell.plain != UNKNOWN]
        lines.append(text)
        lines.extend([line("  ", ", ".join(rest))] if rest else [])
    return lines


def took_seconds(job: Job) -> float | None:
    """Return how long a job took or takes, as the appliance says."""
    return job.duration_seconds if job.duration_seconds is not None else seconds_between(job.start_time, job.end_time)


def _row(job: Job, zone: tzinfo | None) -> list[Text]:
    took = took_seconds(job)
    return [
        line(job.id),
        line((job.state, _state_style(job))),
        line(_moment(job.start_time, zone)),
        line(UNKNOWN if job.size_bytes is None else size(job.size_bytes)),
        line(UNKNOWN if took is None else duration(took)),
        line(job.type or UNKNOWN),
        line(job.location or UNKNOWN),
    ]


def _moment(time: datetime | None, zone: tzinfo | None) -> str:
    return UNKNOWN if time is None else moment(time, zone)


def _state_style(job: Job) -> str:
    if job.succeeded:
        return GOOD
    return BAD if job.state == JobState.FAILED else "cyan"


def _appliance(result: JobResult) -> str:
    known = [f"release {result.release}"] if result.release else []
    known += [f"/{result.api}"] if result.api else []
    return f"{result.host} ({', '.join(known)})" if known else result.host


def _messages(job: Job, symbols: Symbols) -> list[Text]:
    lines: list[Text] = []
    for message in job.messages:
        first, *others = printable_lines(message_text(message)) or [""]
        lines.append(line("    ", f"{symbols.bullet} {first}"))
        lines.extend(line("      ", other) for other in others)
    return [line("  messages"), *lines] if lines else []
