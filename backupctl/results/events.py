"""What happens while a command works on an appliance, as values."""

from datetime import datetime

import msgspec

from backupctl.errors import BackupctlError
from backupctl.results.job import Job


class RunEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened on one appliance; base of all events."""

    time: datetime
    server: str


class Connected(RunEvent, frozen=True, kw_only=True, tag="connected"):
    """The appliance let us in; ``api`` is the family that it speaks, ``release`` what it runs."""

    host: str
    api: str
    release: str | None


class PartsSelected(RunEvent, frozen=True, kw_only=True, tag="parts-selected"):
    """No parts were named, so those that the appliance selects by default are taken."""

    parts: tuple[str, ...]


class Waiting(RunEvent, frozen=True, kw_only=True, tag="waiting"):
    """Another backup or restore runs; it is waited for. ``job`` is None where it cannot be seen."""

    job: Job | None


class Started(RunEvent, frozen=True, kw_only=True, tag="started"):
    """The appliance started our job."""

    job: Job


class Adopted(RunEvent, frozen=True, kw_only=True, tag="adopted"):
    """The answer to our request was lost, but the job that it started was found; ``reason`` says how sure that is."""

    job: Job
    reason: str


class Attached(RunEvent, frozen=True, kw_only=True, tag="attached"):
    """A job that was started before is followed from here."""

    job: Job


class Progressed(RunEvent, frozen=True, kw_only=True, tag="progress"):
    """The job was seen: something changed, or some minutes went by."""

    job: Job


class Retrying(RunEvent, frozen=True, kw_only=True, tag="trouble"):
    """The appliance cannot be asked at the moment; it is asked again. Once for each kind of trouble."""

    error: BackupctlError


class Recovered(RunEvent, frozen=True, kw_only=True, tag="recovered"):
    """The appliance answers again."""


class Warned(RunEvent, frozen=True, kw_only=True, tag="warning"):
    """Something that the user should know and that does not stop the work."""

    message: str
    hint: str | None = None


class Cancelling(RunEvent, frozen=True, kw_only=True, tag="cancelling"):
    """The appliance accepted the cancellation; the end of the job is waited for."""

    job: Job


class Queued(RunEvent, frozen=True, kw_only=True, tag="queued"):
    """Other appliances of the run have their turn first; nothing was sent to this one yet."""


class Ended(RunEvent, frozen=True, kw_only=True, tag="ended"):
    """The work on one appliance of several is over; its whole result comes with those of the others."""

    exit_code: int
    error: BackupctlError | None = None


class Detached(RunEvent, frozen=True, kw_only=True, tag="left"):
    """Our job was started and nobody waits for it; ``attach`` is the line that follows it, None where there is none."""

    job: Job
    attach: str | None
