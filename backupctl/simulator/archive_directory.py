"""Finished backups as files: a folder that plays every backup server, read and written in the appliance's layout.

What the files are called comes from a listing of a 7.0.3 backup.
"""

import contextlib
import errno
import gzip
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backupctl.simulator import backup_parts
from backupctl.simulator.backup_runs import BackupRun
from backupctl.simulator.simulated_runs import timestamp
from backupctl.simulator.stored_archives import Place, StoredArchive, archive_of, systems_folder

_FILES: dict[str, tuple[str, ...]] = {
    "common": ("config_files.tar.gz", "lotus_backup.tar.gz", "vum.gz"),
    "seat": ("database_full_backup.tar.gz", "backup_label_file_data.tar.gz", "full_wal_backup_meta.tar.gz"),
    "supervisors": ("supervisors_backup.tar.gz",),
}
"""Files by part; which file belongs to which part is UNCONFIRMED, their names are real (the last one is not)."""

_METADATA = "backup-metadata.json"

_LEADS_OUT = "The backup location leads out of the folder of the simulator"


class DirectoryArchiveStore:
    """A folder in which each host is a folder; what does not look like a backup is passed over."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def save(self, job: BackupRun, host: str) -> None:
        """Write the files of one backup of the appliance ``host``; it appears whole or not at all.

        Raises ``OSError``, also for a location that would lead out of the root.
        """
        archive = archive_of(job, host)
        folder = self._folder(archive.place)
        folder.parent.mkdir(parents=True, exist_ok=True)
        growing = folder.with_name(f".{folder.name}.part")
        try:
            growing.mkdir()
            for name, content in _contents(job, archive).items():
                (growing / name).write_bytes(content)
            if folder.exists():
                folder.rmdir()
            growing.replace(folder)
        except OSError:
            shutil.rmtree(growing, ignore_errors=True)
            raise

    def knows(self, place: Place) -> bool:
        """Say whether there is such a folder."""
        with contextlib.suppress(OSError):
            return self._folder(place).is_dir()
        return False

    def below(self, place: Place) -> Iterator[StoredArchive]:
        """Yield the archives below a location."""
        systems = systems_folder(place)
        with contextlib.suppress(OSError):
            for path in sorted(self._folder(systems).glob(f"sn_*/[MS]_*/{_METADATA}")):
                archive = self.at((*systems, path.parent.parent.name, path.parent.name))
                if archive:
                    yield archive

    def at(self, place: Place) -> StoredArchive | None:
        """Return the archive in this folder; None too for one whose metadata is not the simulator's."""
        try:
            known = json.loads((self._folder(place) / _METADATA).read_bytes())
            return StoredArchive(
                name=place[-1],
                place=place,
                host=str(known["PNID"]),
                version=str(known["Version"]),
                started=_moment(known["StartTime"]),
                completed=_moment(known["EndTime"]),
                parts=tuple(str(part) for part in known["Parts"]),
                comment=str(known["Comment"]),
                encrypted=bool(known["Encrypted"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remove(self, archive: StoredArchive) -> None:
        """Delete the files of an archive."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self._folder(archive.place))

    def _folder(self, place: Place) -> Path:
        """Return the path of a folder; raises ``OSError`` for one outside of the root."""
        if any(name in {"", ".", ".."} or re.search(r"[/\\\0]", name) for name in place):
            raise PermissionError(errno.EPERM, _LEADS_OUT)
        folder = self.root.joinpath(*place)
        if not folder.resolve().is_relative_to(self.root.resolve()):  # a link inside may lead anywhere
            raise PermissionError(errno.EPERM, _LEADS_OUT)
        return folder


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _contents(job: BackupRun, archive: StoredArchive) -> dict[str, bytes]:
    files = {
        name: gzip.compress(f"{name} of {job.job_id}\n".encode(), mtime=0)
        for part_id in archive.parts
        for name in _FILES.get(part_id, ())
    }
    files[_METADATA] = json.dumps(_metadata(job, archive), indent=2).encode() + b"\n"
    return files


def _metadata(job: BackupRun, archive: StoredArchive) -> dict[str, Any]:
    """Return the content of backup-metadata.json; only the first two keys are confirmed."""
    return {
        "BackupSize": backup_parts.total_bytes(job.spec.parts),
        "PrimaryNetworkInfo": {"ipv4": {"prefix": 24, "defaultGateway": "192.0.2.1"}},
        "PNID": archive.host,
        "Version": archive.version,
        "Build": job.release.build,
        "JobId": job.job_id,
        "StartTime": timestamp(archive.started),
        "EndTime": timestamp(archive.completed),
        "Parts": list(archive.parts),
        "Comment": archive.comment,
        "Encrypted": archive.encrypted,
    }
