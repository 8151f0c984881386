"""Render jobs: one line with the outcome, what a restore needs below it, and a table."""

from collections.abc import Sequence
from typing import Final

from backupctl.errors import TimedOutError
from backupctl.formatting import duration, percent, seconds_between, size
from backupctl.output.printable import printable_lines
from backupctl.output.terminal.labels import CANCELLED, FAILED, RUNNING, SUCCEEDED, kind, state_word
from backupctl.output.terminal.progress_log import message_text
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, Piece, StyledLine, line, with_commas
from backupctl.output.terminal.table import Cell, Column, Rows, fact_lines
from backupctl.results.backup_results import StartedResult
from backupctl.results.job import Job, Message
from backupctl.results.result import Result

JOBS: Final = (
    Column("JOB"),
    Column("STATE"),
    Column("STARTED", 2),
    Column("", 6),
    Column("TOOK", 4, right=True),
    Column("SIZE", 3, right=True),
    Column("TYPE", 5),
    Column("LOCATION", 7),
    Column("COMMENT", 1, cut=True),
)

_STYLES: Final = {SUCCEEDED: GOOD, CANCELLED: ODD, FAILED: BAD, RUNNING: "cyan"}


def headline(result: Result, job: Job, options: RenderOptions) -> StyledLine:
    """Return the outcome of a job: ``✓ vc01: backup ID succeeded in 21m (2.1 GB, encrypted)``."""
    word = state_word(job, cancelled=result.server in options.cancelled)
    said, facts = _outcome(result, job, word, options)
    if job.succeeded or not job.ended:
        facts += [] if job.size_bytes is None else [size(job.size_bytes)]
        facts += _encryption(job)
    facts += ["simulated"] if result.simulated else []
    symbol, style = _symbol_and_style(result, word, options)
    name = line(f"{kind(job)} ", (job.id, STRONG), " ") if job.has_id else line(f"{kind(job)} ")
    brackets = [" (", *with_commas(facts), ")"] if facts else []
    return line((f"{symbol} ", style), f"{result.server}: ", name, (said, style), *brackets)


def _outcome(result: Result, job: Job, word: str, options: RenderOptions) -> tuple[str, list[Piece]]:
    """Return the outcome of a job in words, and its progress."""
    took = took_seconds(job, options)
    lasted = None if took is None else duration(took)
    progress: list[Piece] = [] if job.progress is None else [percent(job.progress)]
    if word == SUCCEEDED:
        return (f"{word} in {lasted}" if lasted else word), []
    if job.ended:
        verb = {FAILED: FAILED, CANCELLED: "was cancelled"}.get(word, f"ended as {word}")
        return "".join((verb, *(f" at {each}" for each in progress), f" after {lasted}" if lasted else "")), []
    if isinstance(result, StartedResult):
        return "started", []
    if has_timed_out(result):
        return f"is still running after {lasted}", progress
    return f"is {word.lower()}", [*progress, *([f"{lasted} so far"] if lasted else [])]


def _encryption(job: Job) -> list[Piece]:
    if job.encrypted is None:
        return []
    return ["encrypted"] if job.encrypted else [("NOT ENCRYPTED", ODD)]


def has_timed_out(result: Result) -> bool:
    """Return whether the job still runs at the end of the time that it was given."""
    return type(result.error) is TimedOutError


def _symbol_and_style(result: Result, word: str, options: RenderOptions) -> tuple[str, str]:
    """Return how an outcome looks; a success that an error contradicts is odd, and so is a cancelled backup."""
    symbols, style = options.symbols, _STYLES.get(word, ODD)
    if has_timed_out(result):
        return symbols.bad, BAD
    if word in {SUCCEEDED, CANCELLED}:
        return (symbols.good, GOOD) if result.error is None else (symbols.odd, ODD)
    return {FAILED: symbols.bad, RUNNING: symbols.running}.get(word, symbols.odd), style


def job_block(result: Result, job: Job, options: RenderOptions) -> list[StyledLine]:
    """Return the outcome of a job, the appliance's messages, its location, and for one job alone its other facts."""
    lines = [headline(result, job, options), *messages_block(job.messages)]
    lines += [line(f"  {job.location}")] if job.location else []
    if options.several:
        return lines
    known: list[tuple[str, str | None]] = [
        ("release", job.build if job.succeeded else None),
        ("parts", ", ".join(job.parts or ()) if job.succeeded else None),
        ("step", job.step),
        ("started", options.when(job.start_time)),
        ("started by", _starter(job)),
        ("location user", job.location_user),
        ("comment", job.comment),
    ]
    return [*lines, *fact_lines(known)]


def job_rows(jobs: Sequence[Job], options: RenderOptions) -> Rows:
    """Return jobs as rows of a table."""
    return Rows(JOBS, [_row(job, options) for job in jobs])


def messages_of(result: Result) -> set[str]:
    """Return the texts of the messages that a result shows, so that its error does not repeat them."""
    sources = (getattr(result, "job", None), getattr(result, "metadata", None))
    return {message_text(message) for source in sources if source for message in source.messages}


def messages_block(messages: Sequence[Message]) -> list[StyledLine]:
    """Return the appliance's messages, to stand below a headline."""
    return [line(f"  {text}") for message in messages for text in printable_lines(message_text(message))]


def simulated_note(result: Result) -> str:
    """Return the note for a result of the simulator, empty for a real one."""
    return " (simulated)" if result.simulated else ""


def took_seconds(job: Job, options: RenderOptions) -> float | None:
    """Return the running time of a job in seconds, by the appliance's clock where that is known."""
    if job.duration_seconds is not None:
        return job.duration_seconds
    return seconds_between(job.start_time, job.end_time or (None if job.ended else options.now))


def _starter(job: Job) -> str | None:
    how = _plain(job.type) if job.type else None
    return f"{job.user} ({how})" if job.user and how else job.user or how


def _row(job: Job, options: RenderOptions) -> list[Cell]:
    took, word = took_seconds(job, options), state_word(job)
    return [
        job.id,
        (word, _STYLES.get(word, ODD)),
        *options.when_cells(job.start_time),
        None if took is None else duration(took),
        None if job.size_bytes is None else size(job.size_bytes),
        None if job.type is None else _plain(job.type),
        job.location,
        job.comment,
    ]


def _plain(word: str) -> str:
    """Return a word of the API as people write it."""
    return word.replace("_", " ").lower()
