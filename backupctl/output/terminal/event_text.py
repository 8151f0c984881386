"""Render events as sentences."""

from datetime import datetime
from functools import singledispatch

from backupctl.error_facts import render_message
from backupctl.errors import BackupctlError
from backupctl.formatting import percent, seconds_between, size, time_left
from backupctl.output.terminal.labels import RUNNING, has_id, job_name, kind, state_word
from backupctl.output.terminal.styled_lines import (
    BAD,
    GOOD,
    NOTE,
    ODD,
    STRONG,
    Piece,
    StyledLine,
    labelled,
    line,
    warning_lines,
)
from backupctl.results.events import (
    Adopted,
    Attached,
    Cancelling,
    Connected,
    Detached,
    Ended,
    PartsSelected,
    Progressed,
    Queued,
    Recovered,
    Retrying,
    RunEvent,
    Started,
    Waiting,
    Warned,
)
from backupctl.results.job import Job


@singledispatch
def event_lines(event: RunEvent, before: str = "") -> list[StyledLine]:
    """Return the lines of an event, each after ``before``, such as time and server."""
    raise NotImplementedError(f"no words for {type(event).__name__}")


@event_lines.register
def _(event: Connected, before: str = "") -> list[StyledLine]:
    release = f", release {event.release}" if event.release else ""
    return [line(before, f"connected to {event.host}{release} (/{event.api})")]


@event_lines.register
def _(event: PartsSelected, before: str = "") -> list[StyledLine]:
    return [line(before, f"Parts: {', '.join(event.parts)} (default)")]


@event_lines.register
def _(event: Waiting, before: str = "") -> list[StyledLine]:
    if event.job is None:
        return [line(before, "another backup or restore is running: waiting for it to finish")]
    state = progress(event.job, event.time)
    if not has_id(event.job):
        return [line(before, f"a {kind(event.job)} is running: waiting for it to finish, {state}")]
    return [line(before, f"another backup is running: waiting for {event.job.id} to finish, {state}")]


@event_lines.register
def _(event: Started, before: str = "") -> list[StyledLine]:
    return [line(before, *_started(event.job))]


@event_lines.register
def _(event: Adopted, before: str = "") -> list[StyledLine]:
    found = line(before, ("warning:", ODD), " the response was lost, but the ", *_started(event.job))
    return [found, line(before, f"  {event.reason}")] if event.reason else [found]


@event_lines.register
def _(event: Attached, before: str = "") -> list[StyledLine]:
    return [line(before, "following ", *job_name(event.job))]


@event_lines.register
def _(_event: Queued, before: str = "") -> list[StyledLine]:
    return [line(before, "queued")]


@event_lines.register
def _(event: Ended, before: str = "") -> list[StyledLine]:
    return (
        [line(before, "done")]
        if event.error is None
        else labelled("error", BAD, _said(event, event.error), before=before)
    )


@event_lines.register
def _(event: Progressed, before: str = "") -> list[StyledLine]:
    return [line(before, progress(event.job, event.time))]


@event_lines.register
def _(event: Retrying, before: str = "") -> list[StyledLine]:
    return [line(before, ("warning:", ODD), f" {_said(event, event.error)}; retrying")]


@event_lines.register
def _(_event: Recovered, before: str = "") -> list[StyledLine]:
    return [line(before, ("recovered:", GOOD), " connected again")]


@event_lines.register
def _(event: Warned, before: str = "") -> list[StyledLine]:
    return warning_lines(event.message, event.hint, before=before)


@event_lines.register
def _(event: Cancelling, before: str = "") -> list[StyledLine]:
    return [line(before, "cancelling ", *job_name(event.job), ", waiting for it to stop")]


@event_lines.register
def _(event: Detached, before: str = "") -> list[StyledLine]:
    return [line(before, ("follow it with:", NOTE), f" {event.attach}")] if event.attach else []


def progress(job: Job, time: datetime, *, cancelled: bool = False) -> str:
    """Format the progress of a job as of ``time``: ``40 % (1.2 GB), about 14m left``, or ``succeeded (2.1 GB)``."""
    word = state_word(job, cancelled=cancelled)
    said = percent(job.progress) if word == RUNNING and job.progress is not None else word
    sized = said if job.size_bytes is None else f"{said} ({size(job.size_bytes)})"
    left = time_left(seconds_between(time, job.expected_end) or 0, job.usual_duration_seconds)
    return f"{sized}, {left}" if left else sized


def _said(event: RunEvent, error: BackupctlError) -> str:
    """Return the message of an error, without the server that stands in front of the event."""
    return render_message(error.facts, subject=event.server)


def _started(job: Job) -> list[Piece]:
    return ["backup started: ", (job.id, STRONG)] if has_id(job) else [f"{kind(job)} started"]
