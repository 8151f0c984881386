"""Archives on disk: one directory for all backup servers, in the layout of the appliance."""

import contextlib
import errno
import json
import math
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from backupctl.simulator.archive_contents import METADATA_FILE, file_content, file_names
from backupctl.simulator.archive_names import FolderPath, StoredArchive, archive_of, systems_folder
from backupctl.simulator.backup_runs import BackupRun

_OUTSIDE_MESSAGE = "The backup location leads out of the folder of the simulator"


class ArchiveDirectory:
    """A directory with a folder for each backup server; ignores everything that is not an archive."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, job: BackupRun, host: str, percent: int, *, complete: bool) -> None:
        """Write the files that a job of the appliance ``host`` adds to its archive until it is at ``percent``.

        Only a complete archive has its metadata. That a failed or cancelled job leaves its files is UNCONFIRMED.

        Raises ``OSError``: when a file cannot be written, the folder is not empty, or the location is outside the root.
        """
        archive = archive_of(job, host)
        names = file_names(archive)
        due = len(names) if complete else math.ceil(percent * (len(names) - 1) / 100)
        if due <= job.files_written:
            return
        folder = self._path(archive.folder)
        folder.mkdir(parents=True, exist_ok=True)
        if not job.files_written and any(folder.iterdir()):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        for name in names[job.files_written : due]:
            content = file_content(job, archive, name)
            if content is not None:
                with (folder / name).open("xb") as file:  # follows no symbolic link
                    file.write(content)
        job.files_written = due

    def has_folder(self, folder: FolderPath) -> bool:
        """Return whether the folder exists."""
        with contextlib.suppress(OSError):
            return self._path(folder).is_dir()
        return False

    def list_archives(self, folder: FolderPath) -> Iterator[StoredArchive]:
        """Yield the archives at a location."""
        systems = systems_folder(folder)
        with contextlib.suppress(OSError):
            for path in sorted(self._path(systems).glob(f"sn_*/[MS]_*/{METADATA_FILE}")):
                archive = self.get((*systems, path.parent.parent.name, path.parent.name))
                if archive:
                    yield archive

    def get(self, folder: FolderPath) -> StoredArchive | None:
        """Return the archive in this folder; None if its metadata is not from the simulator."""
        try:
            known = json.loads((self._path(folder) / METADATA_FILE).read_bytes())
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
