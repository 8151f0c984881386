"""The results of the archive and restore commands."""

from datetime import datetime

import msgspec

from backupctl.results.job import Job, Message
from backupctl.results.result import Result


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
    """The result of archive list: archives, newest first, and how many more cannot be read."""

    archives: tuple[Archive, ...] = ()
    unreadable: int = 0


class ArchiveResult(Result, frozen=True, kw_only=True):
    """The result of archive show."""

    archive: Archive | None = None


class ArchiveMetadata(msgspec.Struct, frozen=True, kw_only=True):
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

    metadata: ArchiveMetadata | None = None
    job: Job | None = None
