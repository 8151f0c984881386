"""The results of the archive and restore commands."""

from datetime import datetime

import msgspec

from backupctl.results.job import Job, Message
from backupctl.results.result import Result


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """An archive at a location; a list has the ``start_time`` of its backup, a single archive the ``end_time``."""

    archive: str
    system_name: str
    start_time: datetime | None = None
    end_time: datetime | None = None
    version: str | None = None
    comment: str | None = None
    location: str | None = None
    parts: tuple[str, ...] | None = None


class SystemsResult(Result, frozen=True, kw_only=True):
    """The result of ``archive systems``: the names of systems with backups at a location."""

    systems: tuple[str, ...] = ()


class ArchivesResult(Result, frozen=True, kw_only=True):
    """The result of ``archive list``: archives, newest first, and the number of unreadable ones."""

    archives: tuple[Archive, ...] = ()
    unreadable: int = 0


class ArchiveResult(Result, frozen=True, kw_only=True):
    """The result of ``archive show``."""

    archive: Archive | None = None


class ArchiveMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of an archive, and whether this appliance can be restored from it (``applicable``)."""

    applicable: bool | None = None
    boxname: str | None = None
    version: str | None = None
    timestamp: datetime | None = None
    parts: tuple[str, ...] = ()
    comment: str | None = None
    sso_login_required: bool | None = None
    messages: tuple[Message, ...] = ()


class RestoreResult(Result, frozen=True, kw_only=True):
    """The result of the restore commands: ``metadata`` for ``validate``, ``job`` for the others.

    The API gives a restore and a reconciliation no id; the id of their job is ``restore`` or ``reconciliation``.
    """

    metadata: ArchiveMetadata | None = None
    job: Job | None = None
