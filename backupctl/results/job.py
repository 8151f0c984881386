"""A job and its messages."""

import re
from datetime import datetime
from typing import Final

import msgspec

from backupctl.error_facts import SINGULAR_JOBS, job_title
from backupctl.models import JobState

RESTORE_ID: Final = "restore"
RECONCILIATION_ID: Final = "reconciliation"
"""The ids of the restore and the reconciliation, which have none in the API; an appliance has at most one of each."""

TIME_ID: Final = re.compile(r"\d{8}-\d{6}-\d+", re.ASCII)
"""A job id that begins with the start time, such as 20260301-020000-20519528."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the appliance about a job or a check."""

    id: str
    default_message: str
    args: tuple[str, ...] = ()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A backup, restore or reconciliation: ``state`` is a ``JobState`` or a state of a newer release.

    ``progress`` is in percent; ``step`` is the current step of a running job, in the words of the appliance.
    ``expected_end`` and ``usual_duration_seconds`` are estimates for a job that is followed.
    """

    id: str
    state: str
    progress: int | None = None
    messages: tuple[Message, ...] = ()
    start_time: datetime | None = None
    end_time: datetime | None = None
    type: str | None = None
    size_bytes: int | None = None
    duration_seconds: int | None = None
    location: str | None = None
    location_user: str | None = None
    user: str | None = None
    build: str | None = None
    comment: str | None = None
    parts: tuple[str, ...] | None = None
    encrypted: bool | None = None
    step: str | None = None
    expected_end: datetime | None = None
    usual_duration_seconds: int | None = None

    @property
    def has_id(self) -> bool:
        """Whether the job has an id of its own, and not the name of its kind."""
        return self.id not in SINGULAR_JOBS

    @property
    def title(self) -> str:
        """The name of the job in a sentence."""
        return job_title(self.id)

    @property
    def succeeded(self) -> bool:
        """Whether the job is done; only the state counts, never the progress."""
        return self.state == JobState.SUCCEEDED

    @property
    def ended(self) -> bool:
        """Whether the job has ended; in NONE and states of a newer release, only if it has an end time."""
        return self.state in {JobState.SUCCEEDED, JobState.FAILED} or (
            self.state != JobState.INPROGRESS and self.end_time is not None
        )

    @property
    def ended_at(self) -> datetime | None:
        """When the job ended, or started if the appliance does not tell its end; None while it runs."""
        return (self.end_time or self.start_time) if self.ended else None
