"""A job and its messages, as values that operations return and views show."""

from datetime import datetime
from typing import Final

import msgspec

from backupctl.error_facts import job_title
from backupctl.models import JobState

RESTORE_ID: Final = "restore"
RECONCILIATION_ID: Final = "reconciliation"
"""What stands for the id of the one restore, and of the one reconciliation, that an appliance can make."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the appliance about a job or a check."""

    id: str
    default_message: str
    args: tuple[str, ...] = ()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A backup job as far as it is known; ``state`` is always in the job's own vocabulary.

    ``step`` is what a running job is doing, in words of the appliance.
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

    @property
    def title(self) -> str:
        """What to call it in a sentence."""
        return job_title(self.id)

    @property
    def succeeded(self) -> bool:
        """Whether the appliance says that the backup is done; the state decides, never the progress."""
        return self.state == JobState.SUCCEEDED

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen: NONE and states of a newer release end only with an end time."""
        return self.state in {JobState.SUCCEEDED, JobState.FAILED} or (
            self.state != JobState.INPROGRESS and self.end_time is not None
        )
