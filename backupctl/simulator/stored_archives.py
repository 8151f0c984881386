"""Finished backups as an appliance finds them at a target: names, folders, and shelves that hold them.

Layout: ``<location>/vCenter/sn_<name>/M_<version>_<YYYYMMDD-HHMMSS>_<comment>/``, ``S_`` for a scheduled one, the
comment in base32. 6.5 writes straight into the folder it is given. Source: folder names in VMware Cloud Foundation's
recovery documentation and scripts. That the ids of the API are these folder names is UNCONFIRMED.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import unquote

from backupctl.simulator.backup_runs import BackupRun

Place = tuple[str, ...]
"""A folder at a target: its server, then one name for each folder on the way."""

_LEVEL = "vCenter"


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """One finished backup: ``place`` is its own folder, ``started`` and ``completed`` are in UTC."""

    name: str
    place: Place
    host: str
    version: str
    started: datetime
    completed: datetime
    parts: tuple[str, ...] = ("common",)
    comment: str = ""
    encrypted: bool = False

    @property
    def scheduled(self) -> bool:
        """Say whether a schedule made it, which its name tells."""
        return self.name.startswith("S_")


class ArchiveStore(Protocol):
    """What holds finished backups."""

    def save(self, job: BackupRun, host: str) -> None:
        """Keep the backup that a job of the appliance ``host`` made; raises ``OSError``."""
        ...

    def knows(self, place: Place) -> bool:
        """Say whether there is such a folder."""
        ...

    def below(self, place: Place) -> Iterator[StoredArchive]:
        """Yield the archives of all systems below a location, in any order."""
        ...

    def at(self, place: Place) -> StoredArchive | None:
        """Return the archive whose own folder this is."""
        ...

    def remove(self, archive: StoredArchive) -> None:
        """Forget an archive; one that is not there is no error."""
        ...


class MemoryArchiveStore:
    """Archives that live as long as the process."""

    def __init__(self) -> None:
        self._archives: dict[Place, StoredArchive] = {}

    def save(self, job: BackupRun, host: str) -> None:
        """Keep the backup of a job."""
        archive = archive_of(job, host)
        self._archives[archive.place] = archive

    def knows(self, place: Place) -> bool:
        """Say whether there is such a folder, or one below it."""
        return any(key[: len(place)] == place for key in self._archives)

    def below(self, place: Place) -> Iterator[StoredArchive]:
        """Yield the archives below a location."""
        for key, archive in self._archives.items():
            if key[:-2] == (*place, _LEVEL):
                yield archive

    def at(self, place: Place) -> StoredArchive | None:
        """Return the archive in this folder."""
        return self._archives.get(place)

    def remove(self, archive: StoredArchive) -> None:
        """Forget an archive."""
        self._archives.pop(archive.place, None)


class CombinedArchiveStore:
    """All archives that an appliance can reach: those of its past in memory, new ones on the last shelf."""

    def __init__(self, memory: ArchiveStore, *others: ArchiveStore) -> None:
        self._shelves: Sequence[ArchiveStore] = (memory, *others)

    def remember(self, job: BackupRun, host: str) -> None:
        """Keep the backup of a job of the past, which never was in a store."""
        self._shelves[0].save(job, host)

    def save(self, job: BackupRun, host: str) -> None:
        """Keep the backup of a job; raises ``OSError``."""
        self._shelves[-1].save(job, host)

    def knows(self, place: Place) -> bool:
        """Say whether any shelf has this folder."""
        return any(shelf.knows(place) for shelf in self._shelves)

    def below(self, place: Place) -> list[StoredArchive]:
        """Return the archives below a location, newest first."""
        found = {archive.place: archive for shelf in self._shelves for archive in shelf.below(place)}
        return sorted(found.values(), key=lambda archive: (archive.started, archive.name), reverse=True)

    def at(self, place: Place) -> StoredArchive | None:
        """Return the archive whose own folder this is."""
        return next((archive for shelf in self._shelves if (archive := shelf.at(place))), None)

    def retain(self, job: BackupRun, host: str, count: int) -> None:
        """Delete all but the newest ``count`` scheduled backups of ``host`` where this job went."""
        mine = [
            archive
            for archive in self.below(place_of(job.spec.location))
            if archive.scheduled and system_of(archive) == f"sn_{host}"
        ]
        for archive in mine[count:]:
            for shelf in self._shelves:
                shelf.remove(archive)


def archive_of(job: BackupRun, host: str) -> StoredArchive:
    """Return what a successful job leaves at its target."""
    end = job.planned_end()
    name, place = folder_name(job), place_of(job.spec.location)
    if "vcenter-folder" in job.release.features:
        place = (*place, _LEVEL, f"sn_{host}", name)
    return StoredArchive(
        name=name,
        place=place,
        host=host,
        version=job.release.version,
        started=job.start_time,
        completed=job.start_time + timedelta(seconds=end.seconds if end else job.duration),
        parts=tuple(sorted({"common", *job.spec.parts})),
        comment=job.spec.comment,
        encrypted=job.spec.encrypted,
    )


def archive_location(job: BackupRun, host: str) -> str:
    """Return the location of what a job writes, below the location that it was asked for."""
    return "/".join((job.spec.location.rstrip("/"), _LEVEL, f"sn_{host}", folder_name(job)))


def system_of(archive: StoredArchive) -> str:
    """Return the id of the system that an archive is of, which is the folder above it."""
    return archive.place[-2]


def systems_folder(place: Place) -> Place:
    """Return the folder that holds the systems of a location."""
    return (*place, _LEVEL)


def place_of(location: str) -> Place:
    """Return the folder that a location means, without scheme, user and port."""
    server, folders = split_location(location)
    return (server, *folders)


def split_location(location: str) -> tuple[str, list[str]]:
    """Return the server, without user and port, and the folders of a location.

    A port may be empty, as in ``sftp://10.0.0.250:/root/backups``, and the scheme missing.
    """
    rest = location.partition("://")[2] or location.lstrip("/\\")
    authority, _, path = rest.partition("/")
    server = authority.rpartition("@")[2]
    bracketed = re.match(r"\[([^\]]*)\]", server)
    name = bracketed[1] if bracketed else server.partition(":")[0]
    return name, [unquote(segment) for segment in path.split("/") if segment not in {"", "."}]


def folder_name(job: BackupRun) -> str:
    """Return ``M_<version>_<timestamp>_<comment>``: the time is that of the id, no comment leaves an underscore."""
    kind = "M" if job.job_type == "MANUAL" else "S"
    comment = base64.b32encode(job.spec.comment.encode()).decode()
    return f"{kind}_{job.release.version}_{job.job_id.rpartition('-')[0]}_{comment}"
