"""Render jobs: as a block with what a restore needs, and as a table."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from backupctl.models import JobState
from backupctl.output.formatting import duration, percent, seconds_between, size, timestamp
from backupctl.output.printable import printable_lines
from backupctl.output.terminal.labels import has_id, kind
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, StyledLine, Symbols, line
from backupctl.output.terminal.table import UNKNOWN, fact_lines, header_cells, table_lines
from backupctl.results.job import Job, Message
from backupctl.results.result import Result

MIN_COLUMNS: Final = 4
"""Job, state, start and size stay side by side on any terminal."""


def headline(result: Result, job: Job, symbols: Symbols, *, cancelled: bool = False) -> StyledLine:
    """Return the outcome of a job in one line; with ``cancelled``, its cancellation is a success."""
    subject = f"{result.server}: "
    what = kind(job)
    simulated = simulated_note(result)
    if job.succeeded:
        return line((f"{symbols.good} ", GOOD), subject, (f"{what} succeeded", GOOD), simulated)
    if cancelled and job.ended:
        return line((f"{symbols.good} ", GOOD), subject, (f"{what} cancelled", GOOD), simulated)
    if job.state == JobState.FAILED:
        return line((f"{symbols.bad} ", BAD), subject, (f"{what} failed", BAD), simulated)
    if job.ended:
        return line((f"{symbols.odd} ", ODD), subject, (f"{what} ended in state {job.state}", ODD), simulated)
    far = "" if job.progress is None else f", {percent(job.progress)} done"
    return line((f"{symbols.running} ", "cyan"), subject, (f"{what} running", "cyan"), far, simulated)


def job_block(result: Result, job: Job, symbols: Symbols, zone: tzinfo | None) -> list[StyledLine]:
    """Return the known facts of a job, a line each, and the appliance's messages."""
    took = took_seconds(job)
    encrypted = line("yes, with the backup password") if job.encrypted else line(("no: NOT ENCRYPTED", ODD))
    known: list[tuple[str, str | StyledLine | None]] = [
        ("job", job.id if has_id(job) else None),
        ("state", job.state),
        ("step", job.step),
        ("type", job.type),
        ("started", None if job.start_time is None else timestamp(job.start_time, zone)),
        ("ended", None if job.end_time is None else timestamp(job.end_time, zone)),
        ("took" if job.ended else "running for", None if took is None else duration(took)),
        ("size", None if job.size_bytes is None else size(job.size_bytes)),
        ("location", job.location),
        ("location user", job.location_user),
        ("parts", ", ".join(job.parts or ())),
        ("comment", job.comment),
        ("started by", job.user),
        ("appliance", _appliance(result)),
        ("build", job.build),
        ("encrypted", None if job.encrypted is None else encrypted),
    ]
    return [*fact_lines(known), *messages_block(job.messages, symbols)]


def jobs_table(jobs: Sequence[Job], width: int | None, zone: tzinfo | None) -> list[StyledLine]:
    """Return a table of jobs; columns that do not fit into ``width`` move below."""
    header = header_cells("JOB", "STATE", "START", "SIZE", "TOOK", "TYPE", "LOCATION")
    return table_lines([header, *(_row(job, zone) for job in jobs)], width, least=MIN_COLUMNS, right={3, 4})


def messages_block(messages: Sequence[Message], symbols: Symbols) -> list[StyledLine]:
    """Return the appliance's messages, to stand below facts."""
    lines: list[StyledLine] = []
    for message in messages:
        first, *others = printable_lines(message_text(message)) or [""]
        lines.append(line("    ", f"{symbols.bullet} {first}"))
        lines.extend(line("      ", other) for other in others)
    return [line("  messages"), *lines] if lines else []


def simulated_note(result: Result) -> str:
    """Return the note for a result of the simulator, empty for a real one."""
    return " (simulated: no appliance was involved)" if result.simulated else ""


def timestamp_or_unknown(time: datetime | None, zone: tzinfo | None) -> str:
    """Format a time for a table, ``-`` if unknown."""
    return UNKNOWN if time is None else timestamp(time, zone)


def took_seconds(job: Job) -> float | None:
    """Return the running time of a job in seconds, by the appliance's clock."""
    return job.duration_seconds if job.duration_seconds is not None else seconds_between(job.start_time, job.end_time)


def _row(job: Job, zone: tzinfo | None) -> list[StyledLine]:
    took = took_seconds(job)
    return [
        line(job.id),
        line((job.state, state_style(job))),
        line(timestamp_or_unknown(job.start_time, zone)),
        line(UNKNOWN if job.size_bytes is None else size(job.size_bytes)),
        line(UNKNOWN if took is None else duration(took)),
        line(job.type or UNKNOWN),
        line(job.location or UNKNOWN),
    ]


def state_style(job: Job) -> str:
    """Return the style of a job's state."""
    if job.succeeded:
        return GOOD
    return BAD if job.state == JobState.FAILED else "cyan"


def _appliance(result: Result) -> str:
    known = [f"release {result.release}"] if result.release else []
    known += [f"/{result.api}"] if result.api else []
    return f"{result.host} ({', '.join(known)})" if known else result.host
