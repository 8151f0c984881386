"""Archives on disk: one directory for all backup servers, in the layout of the appliance.

Source of the file names: a listing of a 7.0.3 backup.
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

from backupctl.simulator.archive_names import FolderPath, StoredArchive, archive_of, systems_folder
from backupctl.simulator.backup_parts import total_bytes
from backupctl.simulator.backup_runs import BackupRun
from backupctl.simulator.simulated_runs import timestamp

_FILES: dict[str, tuple[str, ...]] = {
    "common": ("config_files.tar.gz", "lotus_backup.tar.gz", "vum.gz"),
    "seat": ("database_full_backup.tar.gz", "backup_label_file_data.tar.gz", "full_wal_backup_meta.tar.gz"),
    "supervisors": ("supervisors_backup.tar.gz",),
}
"""Files of each part. Which file belongs to which part is UNCONFIRMED; all names but the last are real."""

_METADATA_FILE = "backup-metadata.json"

_OUTSIDE_MESSAGE = "The backup location leads out of the folder of the simulator"


class ArchiveDirectory:
    """A directory with a folder for each backup server; ignores everything that is not an archive."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def save(self, job: BackupRun, host: str) -> None:
        """Write the files of an archive of the appliance ``host``, all or none.

        Raises ``OSError``: when a file cannot be written, or the location is outside the root.
        """
        archive = archive_of(job, host)
        folder = self._path(archive.folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder.with_name(f".{folder.name}.part")
        try:
            temporary.mkdir()
            for name, content in _contents(job, archive).items():
                (temporary / name).write_bytes(content)
            if folder.exists():
                folder.rmdir()
            temporary.replace(folder)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def has_folder(self, folder: FolderPath) -> bool:
        """Return whether the folder exists."""
        with contextlib.suppress(OSError):
            return self._path(folder).is_dir()
        return False

    def list_archives(self, folder: FolderPath) -> Iterator[StoredArchive]:
        """Yield the archives at a location."""
        systems = systems_folder(folder)
        with contextlib.suppress(OSError):
            for path in sorted(self._path(systems).glob(f"sn_*/[MS]_*/{_METADATA_FILE}")):
                archive = self.get((*systems, path.parent.parent.name, path.parent.name))
                if archive:
                    yield archive

    def get(self, folder: FolderPath) -> StoredArchive | None:
        """Return the archive in this folder; None if its metadata is not from the simulator."""
        try:
            known = json.loads((self._path(folder) / _METADATA_FILE).read_bytes())
            return StoredArchive(
                name=folder[-1],
                folder=folder,
                host=str(known["PNID"]),
                version=str(known["Version"]),
                started=_parse_time(known["StartTime"]),
                completed=_parse_time(known["EndTime"]),
                parts=tuple(str(part) for part in known["Parts"]),
                comment=str(known["Comment"]),
                encrypted=bool(known["Encrypted"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def delete(self, archive: StoredArchive) -> None:
        """Delete the files of an archive."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self._path(archive.folder))

    def _path(self, folder: FolderPath) -> Path:
        """Return the path of a folder. Raises ``OSError``: when it is outside the root."""
        if any(name in {"", ".", ".."} or re.search(r"[/\\\0]", name) for name in folder):
            raise PermissionError(errno.EPERM, _OUTSIDE_MESSAGE)
        path = self.root.joinpath(*folder)
        # A symbolic link below the root may point outside.
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise PermissionError(errno.EPERM, _OUTSIDE_MESSAGE)
        return path


def _parse_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _contents(job: BackupRun, archive: StoredArchive) -> dict[str, bytes]:
    files = {
        name: gzip.compress(f"{name} of {job.job_id}\n".encode(), mtime=0)
        for part_id in archive.parts
        for name in _FILES.get(part_id, ())
    }
    files[_METADATA_FILE] = json.dumps(_metadata(job, archive), indent=2).encode() + b"\n"
    return files


def _metadata(job: BackupRun, archive: StoredArchive) -> dict[str, Any]:
    """Return the content of backup-metadata.json; the keys after the first two are UNCONFIRMED."""
    return {
        "BackupSize": total_bytes(job.spec.parts),
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
