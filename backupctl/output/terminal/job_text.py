"""Jobs as text: a block with what a restore needs, and a table."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from rich.text import Text

from backupctl.models import JobState
from backupctl.output.formatting import duration, moment, percent, seconds_between, size
from backupctl.output.printable import printable_lines
from backupctl.output.terminal.labels import has_id, kind
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, Symbols, line
from backupctl.output.terminal.table import UNKNOWN, facts, fitted, heads
from backupctl.results.job import Job, Message
from backupctl.results.result import Result

LEAST_COLUMNS: Final = 4
"""Job, state, start and size stay side by side, however narrow the terminal is."""


def headline(result: Result, job: Job, symbols: Symbols, *, cancelled: bool = False) -> Text:
    """Return what became of a job in one line; ``cancelled`` says that its end was asked for, and so is a success."""
    subject = f"{result.server}: "
    what = kind(job)
    simulated = simulated_words(result)
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


def job_block(result: Result, job: Job, symbols: Symbols, zone: tzinfo | None) -> list[Text]:
    """Return the facts about a job that are known, a line each, and the appliance's messages."""
    took = took_seconds(job)
    encrypted = line("yes, with the backup password") if job.encrypted else line(("no: NOT ENCRYPTED", ODD))
    known: list[tuple[str, str | Text | None]] = [
        ("job", job.id if has_id(job) else None),
        ("state", job.state),
        ("step", job.step),
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
        ("encrypted", None if job.encrypted is None else encrypted),
    ]
    return [*facts(known), *messages_block(job.messages, symbols)]


def jobs_table(jobs: Sequence[Job], width: int | None, zone: tzinfo | None) -> list[Text]:
    """Return a table of jobs; the columns that do not fit into ``width`` stand below. Nothing is cut."""
    header = heads("JOB", "STATE", "START", "SIZE", "TOOK", "TYPE", "LOCATION")
    return fitted([header, *(_row(job, zone) for job in jobs)], width, least=LEAST_COLUMNS, right={3, 4})


def messages_block(messages: Sequence[Message], symbols: Symbols) -> list[Text]:
    """Return what the appliance has to say about something, below its facts."""
    lines: list[Text] = []
    for message in messages:
        first, *others = printable_lines(message_text(message)) or [""]
        lines.append(line("    ", f"{symbols.bullet} {first}"))
        lines.extend(line("      ", other) for other in others)
    return [line("  messages"), *lines] if lines else []


def simulated_words(result: Result) -> str:
    """Return what must be said of a result that no appliance stands behind."""
    return " (simulated: no appliance was involved)" if result.simulated else ""


def moment_or_unknown(time: datetime | None, zone: tzinfo | None) -> str:
    """Return a time for a table."""
    return UNKNOWN if time is None else moment(time, zone)


def took_seconds(job: Job) -> float | None:
    """Return how long a job took or takes, as the appliance says."""
    return job.duration_seconds if job.duration_seconds is not None else seconds_between(job.start_time, job.end_time)


def _row(job: Job, zone: tzinfo | None) -> list[Text]:
    took = took_seconds(job)
    return [
        line(job.id),
        line((job.state, state_style(job))),
        line(moment_or_unknown(job.start_time, zone)),
        line(UNKNOWN if job.size_bytes is None else size(job.size_bytes)),
        line(UNKNOWN if took is None else duration(took)),
        line(job.type or UNKNOWN),
        line(job.location or UNKNOWN),
    ]


def state_style(job: Job) -> str:
    """Return the style of what stands for a job's state."""
    if job.succeeded:
        return GOOD
    return BAD if job.state == JobState.FAILED else "cyan"


def _appliance(result: Result) -> str:
    known = [f"release {result.release}"] if result.release else []
    known += [f"/{result.api}"] if result.api else []
    return f"{result.host} ({', '.join(known)})" if known else result.host
