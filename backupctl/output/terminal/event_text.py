"""Render events as sentences."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from backupctl.error_facts import render_message
from backupctl.errors import BackupctlError
from backupctl.formatting import percent, seconds_between, size, time_left
from backupctl.output.terminal.labels import RUNNING, job_name, kind, state_word
from backupctl.output.terminal.styled_lines import (
    BAD,
    GOOD,
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


def event_lines(event: RunEvent, before: str = "") -> list[StyledLine]:
    """Return the lines of an event, each after ``before``, such as time and server."""
    if isinstance(event, Warned):
        return warning_lines(event.message, event.hint, before=before)
    if isinstance(event, Ended) and event.error is not None:
        return labelled("error", BAD, _message(event, event.error), before=before)
    reason = [line(before, f"  {event.reason}")] if isinstance(event, Adopted) and event.reason else []
    return [line(before, *PIECES[type(event)](event)), *reason]


PIECES: Final[Mapping[type[RunEvent], Callable[[Any], Sequence[Piece]]]] = {
    Connected: lambda event: [f"connected to {event.host}{_release(event)} (/{event.api})"],
    PartsSelected: lambda event: [f"Parts: {', '.join(event.parts)} (default)"],
    Waiting: lambda event: [_waiting(event.job, event.time)],
    Started: lambda event: _started(event.job),
    Adopted: lambda event: [("warning:", ODD), " the response was lost, but the ", *_started(event.job)],
    Attached: lambda event: ["following ", *job_name(event.job)],
    Queued: lambda _: ["queued"],
    Ended: lambda _: ["done"],
    Progressed: lambda event: [progress(event.job, event.time)],
    Retrying: lambda event: [("warning:", ODD), f" {_message(event, event.error)}; retrying"],
    Recovered: lambda _: [("recovered:", GOOD), " connected again"],
    Cancelling: lambda event: ["cancelling ", *job_name(event.job), ", waiting for it to stop"],
}
"""The text of each event."""


def _release(event: Connected) -> str:
    return f", release {event.release}" if event.release else ""


def _waiting(job: Job | None, now: datetime) -> str:
    if job is None:
        return "another backup or restore is running: waiting for it to finish"
    if not job.has_id:
        return f"a {kind(job)} is running: waiting for it to finish, {progress(job, now)}"
    return f"another backup is running: waiting for {job.id} to finish, {progress(job, now)}"


def progress(job: Job, time: datetime, *, cancelled: bool = False) -> str:
    """Format the progress of a job as of ``time``: ``40 % (1.2 GB), about 14m left``, or ``succeeded (2.1 GB)``."""
    word = state_word(job, cancelled=cancelled)
    said = percent(job.progress) if word == RUNNING and job.progress is not None else word
    sized = said if job.size_bytes is None else f"{said} ({size(job.size_bytes)})"
    left = time_left(seconds_between(time, job.expected_end) or 0, job.usual_duration_seconds)
    return f"{sized}, {left}" if left else sized


def _message(event: RunEvent, error: BackupctlError) -> str:
    """Return the message of an error, without the server that stands in front of the event."""
    return render_message(error.facts, subject=event.server)


def _started(job: Job) -> list[Piece]:
    return ["backup started: ", (job.id, STRONG)] if job.has_id else [f"{kind(job)} started"]
