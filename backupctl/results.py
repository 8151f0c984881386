"""What the program says: jobs, events and results as values that operations return and views show.

The JSON output is these structures, field by field, so their names are a promise to scripts: they change only with a
major release. Times are aware; durations are seconds, sizes bytes; None is "unknown".
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from backupctl.errors import BackupctlError, ExitCode, verdict
from backupctl.models import Certificate, JobState

SCHEMA: Final = 1
"""The version of the JSON output."""

RESTORE: Final = "restore"
RECONCILIATION: Final = "reconciliation"
"""What stands for the id of the one restore, and of the one reconciliation, that an appliance can make."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the appliance about a job or a check."""

    id: str
    default_message: str
    args: tuple[str, ...] = ()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A backup job as far as it is known; ``state`` is always in the job's own vocabulary."""

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

    @property
    def title(self) -> str:
        """What to call it in a sentence."""
        return f"the {self.id}" if self.id in {RESTORE, RECONCILIATION} else f"backup job {self.id}"

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


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An error as data: a stable ``slug``, a sentence, what to do next, lines of evidence."""

    slug: str
    message: str
    hint: str | None = None
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: BackupctlError) -> "ErrorInfo":
        """Return what an exception says."""
        return cls(slug=error.slug, message=error.message, hint=error.hint, details=error.details)


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened on one appliance; base of all events."""

    time: datetime
    server: str


class Connected(Event, frozen=True, kw_only=True, tag="connected"):
    """The appliance let us in; ``api`` is the family that it speaks, ``release`` what it runs."""

    host: str
    api: str
    release: str | None


class PartsSelected(Event, frozen=True, kw_only=True, tag="parts-selected"):
    """No parts were named, so those that the appliance selects by default are taken."""

    parts: tuple[str, ...]


class Waiting(Event, frozen=True, kw_only=True, tag="waiting"):
    """Another backup or restore runs; it is waited for. ``job`` is None where it cannot be seen."""

    job: Job | None


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """The appliance started our job."""

    job: Job


class Adopted(Event, frozen=True, kw_only=True, tag="adopted"):
    """The answer to our request was lost, but the job that it started was found; ``reason`` says how sure that is."""

    job: Job
    reason: str


class Attached(Event, frozen=True, kw_only=True, tag="attached"):
    """A job that was started before is followed from here."""

    job: Job


class Progressed(Event, frozen=True, kw_only=True, tag="progress"):
    """The job was seen: something changed, or some minutes went by."""

    job: Job


class Troubled(Event, frozen=True, kw_only=True, tag="trouble"):
    """The appliance cannot be asked at the moment; it is asked again. Once for each kind of trouble."""

    error: ErrorInfo


class Recovered(Event, frozen=True, kw_only=True, tag="recovered"):
    """The appliance answers again."""


class Warned(Event, frozen=True, kw_only=True, tag="warning"):
    """Something that the user should know and that does not stop the work."""

    message: str
    hint: str | None = None


class Cancelling(Event, frozen=True, kw_only=True, tag="cancelling"):
    """The appliance accepted the cancellation; the end of the job is waited for."""

    job: Job


class Queued(Event, frozen=True, kw_only=True, tag="queued"):
    """Other appliances of the run have their turn first; nothing was sent to this one yet."""


class Ended(Event, frozen=True, kw_only=True, tag="ended"):
    """The work on one appliance of several is over; its whole result comes with those of the others."""

    exit_code: int
    error: ErrorInfo | None = None


class Left(Event, frozen=True, kw_only=True, tag="left"):
    """Our job was started and nobody waits for it; ``attach`` is the line that follows it, None where there is none."""

    job: Job
    attach: str | None


class PreparedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it would be sent, secrets masked."""

    method: str
    url: str
    body: Any = None


class PartSize(msgspec.Struct, frozen=True, kw_only=True):
    """A part that a backup can include, with its estimated size."""

    id: str
    name: str
    description: str
    selected_by_default: bool
    optional: bool
    size_mb: int | None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was checked before a backup: ``status`` is OK, WARNING or FAIL."""

    name: str
    status: str
    message: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came out for one appliance; base of the results of all commands.

    ``server`` is the name it was asked for by, ``host`` where it is, ``api`` the family that was spoken.
    """

    server: str
    host: str
    api: str | None = None
    release: str | None = None
    simulated: bool = False
    exit_code: int = ExitCode.DONE
    error: ErrorInfo | None = None


class JobResult(Result, frozen=True, kw_only=True):
    """The result of create, watch, status and cancel."""

    job: Job | None = None


class JobsResult(Result, frozen=True, kw_only=True):
    """The result of list: jobs, newest first."""

    jobs: tuple[Job, ...] = ()


class PartsResult(Result, frozen=True, kw_only=True):
    """The result of parts; ``total_mb`` counts the known sizes."""

    parts: tuple[PartSize, ...] = ()
    total_mb: int | None = None


class ChecksResult(Result, frozen=True, kw_only=True):
    """The result of validate."""

    checks: tuple[Check, ...] = ()


class ScheduleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule in the API's own words; ``hour`` and ``minute`` are in the appliance's time zone, no days is every."""

    name: str
    location: str | None = None
    location_user: str | None = None
    parts: tuple[str, ...] = ()
    enable: bool | None = None
    hour: int | None = None
    minute: int | None = None
    days: tuple[str, ...] = ()
    max_count: int | None = None
    fast_backup: bool | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field that is changed, or would be; a secret is never told, ``before`` is None where it was unset."""

    field: str
    before: Any
    after: Any


class SchedulesResult(Result, frozen=True, kw_only=True):
    """The result of schedule list."""

    schedules: tuple[ScheduleInfo, ...] = ()


class ScheduleResult(Result, frozen=True, kw_only=True):
    """The result of schedule show, set, enable, disable and delete: as it is now, and what was changed.

    After a dry run, ``schedule`` is as it is, ``changes`` what would be changed and ``requests`` what would be sent.
    A schedule that was deleted is None.
    """

    schedule: ScheduleInfo | None = None
    changes: tuple[Change, ...] = ()
    requests: tuple[PreparedRequest, ...] = ()


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """An archive at a location; ``start_time`` of its backup is known from a list, ``end_time`` from looking at it."""

    archive: str
    system_name: str
    start_time: datetime | None = None
    end_time: datetime | None = None
    version: str | None = None
    comment: str | None = None
    location: str | None = None
    parts: tuple[str, ...] | None = None


class SystemsResult(Result, frozen=True, kw_only=True):
    """The result of archive systems: the names of systems that have backups at a location."""

    systems: tuple[str, ...] = ()


class ArchivesResult(Result, frozen=True, kw_only=True):
    """The result of archive list: archives, newest first."""

    archives: tuple[Archive, ...] = ()


class ArchiveResult(Result, frozen=True, kw_only=True):
    """The result of archive show."""

    archive: Archive | None = None


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive is, and whether it can be restored on this appliance."""

    applicable: bool | None = None
    boxname: str | None = None
    version: str | None = None
    timestamp: datetime | None = None
    parts: tuple[str, ...] = ()
    comment: str | None = None
    sso_login_required: bool | None = None
    messages: tuple[Message, ...] = ()


class RestoreResult(Result, frozen=True, kw_only=True):
    """The result of the restore commands: what the archive is (validate), how the job stands (the others).

    A restore and a reconciliation have no id of their own; here they are called ``restore`` and ``reconciliation``.
    """

    metadata: Metadata | None = None
    job: Job | None = None


class CertificateResult(Result, frozen=True, kw_only=True):
    """The result of trust show: the certificate of the appliance, and what it presents with it, its own first.

    ``chain_complete`` is False where Python tells no more than the first. ``trusted`` says whether ``store`` vouches
    for it under this host's name, ``reason`` why not; ``pinned`` is the fingerprint that was asked for.
    """

    certificate: Certificate | None = None
    chain: tuple[Certificate, ...] = ()
    chain_complete: bool | None = None
    trusted: bool | None = None
    store: str | None = None
    reason: str | None = None
    pinned: str | None = None


class PinResult(CertificateResult, frozen=True, kw_only=True):
    """The result of trust pin: in which ``file``, under which name of the server, and in place of what it stands."""

    file: str | None = None
    profile: str | None = None
    replaced: str | None = None


class AuthoritiesResult(Result, frozen=True, kw_only=True):
    """The result of trust fetch: the appliance's own CA certificates, and the file that they were written to.

    ``verified``: they came over a trusted connection; ``vouches``: they vouch for what is presented, else ``reason``.
    """

    authorities: tuple[Certificate, ...] = ()
    file: str | None = None
    verified: bool | None = None
    vouches: bool | None = None
    reason: str | None = None


class RequestsResult(Result, frozen=True, kw_only=True):
    """The result of ``--dry-run``: what would be sent; nothing was."""

    requests: tuple[PreparedRequest, ...] = ()


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The one document that every command ends with: the same shape for one appliance as for many."""

    schema: int = SCHEMA
    command: str | None
    exit_code: int
    error: ErrorInfo | None = None
    results: tuple[Result, ...] = ()

    @classmethod
    def of(cls, command: str, results: Sequence[Result]) -> "Envelope":
        """Return the envelope of finished results; its exit code is their verdict."""
        code = verdict(result.exit_code for result in results)
        return cls(command=command, exit_code=code, results=tuple(results))

    @classmethod
    def of_error(cls, command: str | None, error: BackupctlError) -> "Envelope":
        """Return the envelope of a failure before any appliance was known."""
        return cls(command=command, exit_code=error.exit_code, error=ErrorInfo.of(error))
