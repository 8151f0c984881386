"""The events of a run, as values that views show while a command runs."""

from datetime import UTC, datetime

import msgspec

from backupctl.errors import BackupctlError
from backupctl.results.job import Job


class RunEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base class of all events, each about one appliance; ``Appliance.emit`` sets its fields."""

    time: datetime = datetime.min.replace(tzinfo=UTC)
    server: str = ""


class Connected(RunEvent, frozen=True, kw_only=True, tag="connected"):
    """The login succeeded; ``api`` is the API family, such as ``rest``."""

    host: str
    api: str
    release: str | None


class PartsSelected(RunEvent, frozen=True, kw_only=True, tag="parts-selected"):
    """No parts were given, so the backup includes those that the appliance selects by default."""

    parts: tuple[str, ...]


class Waiting(RunEvent, frozen=True, kw_only=True, tag="waiting"):
    """Another backup or restore is running, and the command waits for its end; ``job`` is None if unknown."""

    job: Job | None


class Started(RunEvent, frozen=True, kw_only=True, tag="started"):
    """The appliance started the job of this command."""

    job: Job


class Adopted(RunEvent, frozen=True, kw_only=True, tag="adopted"):
    """The response to the start request was lost, but its job was found; ``reason`` says how certain that is."""

    job: Job
    reason: str


class Attached(RunEvent, frozen=True, kw_only=True, tag="attached"):
    """The command follows a job that was started before."""

    job: Job


class Progressed(RunEvent, frozen=True, kw_only=True, tag="progress"):
    """The status of the job changed, or some minutes passed since the last event."""

    job: Job


class Retrying(RunEvent, frozen=True, kw_only=True, tag="trouble"):
    """A request failed and is retried; emitted once for each kind of error."""

    error: BackupctlError


class Recovered(RunEvent, frozen=True, kw_only=True, tag="recovered"):
    """The appliance responds again after ``Retrying``."""


class Warned(RunEvent, frozen=True, kw_only=True, tag="warning"):
    """A warning to the user; the work continues."""

    message: str
    hint: str | None = None


class Cancelling(RunEvent, frozen=True, kw_only=True, tag="cancelling"):
    """The appliance accepted the cancellation, and the command waits for the job to end."""

    job: Job


class Queued(RunEvent, frozen=True, kw_only=True, tag="queued"):
    """The appliance waits for others of the run; nothing was sent to it yet."""


class Ended(RunEvent, frozen=True, kw_only=True, tag="ended"):
    """The work on one of several appliances has ended; its whole result follows at the end of the run."""

    exit_code: int
    error: BackupctlError | None = None


class Detached(RunEvent, frozen=True, kw_only=True, tag="left"):
    """The job was started and the command does not wait for it; ``attach`` is the command line that follows it."""

    job: Job
    attach: str | None
