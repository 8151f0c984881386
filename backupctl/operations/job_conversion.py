"""Conversion of the API's structs into ``Job``: the status and the details of a job, and a request; no I/O."""

import math
from datetime import datetime
from typing import Final

import msgspec

from backupctl.location import Location
from backupctl.models import (
    DETAILS_STATUS_AS_JOB_STATE,
    BackupJobStatus,
    BackupRequest,
    JobDetails,
    JobState,
    LocalizableMessage,
    as_utc,
)
from backupctl.operations.failure_reasons import with_reasons
from backupctl.results.job import Job, Message
from backupctl.rules.placeholders import arguments

_INTEGER_LIMIT: Final = 2**63
"""From this number on, integers do not fit into the signed 64 bits that many JSON parsers use."""


def from_status(status: BackupJobStatus, known: Job) -> Job:
    """Return the known job updated from a new status; progress never decreases."""
    start, end = as_utc(status.start_time) or known.start_time, as_utc(status.end_time)
    return msgspec.structs.replace(
        known,
        id=status.id or known.id,
        state=status.state,
        progress=percent(status.progress, known.progress),
        messages=messages_of(status.messages) or known.messages,
        start_time=start,
        end_time=end or known.end_time,
        duration_seconds=_first_known(seconds_between(start, end), known.duration_seconds),
        step=None if _ended(status.state) else known.step,
    )


def from_details(details: JobDetails, known: Job) -> Job:
    """Return the known job updated from its details; a known state is kept."""
    job_state = DETAILS_STATUS_AS_JOB_STATE.get(details.status, details.status)
    progress = details.progress.percent if details.progress else None
    return msgspec.structs.replace(
        known,
        state=known.state or job_state,
        progress=percent(progress, known.progress),
        messages=with_reasons(known.messages or messages_of(details.messages), details.error),
        start_time=known.start_time or as_utc(details.start_time),
        end_time=known.end_time or (as_utc(details.end_time) if _ended(known.state or job_state) else None),
        type=details.type,
        size_bytes=whole_number(details.size),
        duration_seconds=_first_known(whole_number(details.duration), known.duration_seconds),
        location=Location.reported(details.location).masked if details.location else known.location,
        location_user=details.location_user or known.location_user,
        user=details.user,
        build=_build(details),
        step=None if _ended(known.state or job_state) else _step(details) or known.step,
    )


def from_request(request: BackupRequest) -> Job:
    """Return the job that a request will start, without an id and a state yet."""
    return Job(
        id="",
        state="",
        location=request.location.masked,
        location_user=request.location_user,
        comment=request.comment,
        parts=request.parts,
        encrypted=request.backup_password is not None,
    )


def messages_of(messages: list[LocalizableMessage] | None) -> tuple[Message, ...]:
    """Return the messages of the appliance without empty ones."""
    return tuple(
        Message(id=message.id or "", default_message=message.text, args=arguments(message.args))
        for message in messages or ()
        if message.text
    )


def percent(value: float | None, known: int | None = None) -> int | None:
    """Return a progress as an integer from 0 to 100, at least ``known``."""
    if value is None or not math.isfinite(value):
        return known
    return max(min(100, max(0, int(value))), known or 0)


def seconds_between(start: datetime | None, end: datetime | None) -> int | None:
    """Return how long a job ran, None if unknown: if it is negative, the clock was set back meanwhile."""
    return whole_number((end - start).total_seconds()) if start and end else None


def whole_number(number: float | None) -> int | None:
    """Return a size or a duration as an integer, None if it is negative, NaN, infinite or too large."""
    return int(number) if number is not None and 0 <= number < _INTEGER_LIMIT else None


def _ended(state: str) -> bool:
    return state in {JobState.SUCCEEDED, JobState.FAILED}


def _first_known(found: int | None, known: int | None) -> int | None:
    return known if found is None else found


def _step(details: JobDetails) -> str | None:
    message = details.progress.message if details.progress else None
    return (message.text.strip() or None) if message else None


def _build(details: JobDetails) -> str | None:
    if details.build is None:
        return None
    version, number = details.build.version or details.build.version_name, details.build.build_number
    return " build ".join(part for part in (version, number) if part) or None
