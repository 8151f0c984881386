"""The archives that an appliance can reach."""

from backupctl.simulator.archive_directory import ArchiveDirectory
from backupctl.simulator.archive_names import (
    FolderPath,
    StoredArchive,
    archive_of,
    folder_of,
    system_name,
    systems_folder,
)
from backupctl.simulator.backup_runs import BackupRun


class ArchiveStore:
    """Archives in ``directory`` where there is one, otherwise in memory."""

    def __init__(self, directory: ArchiveDirectory | None) -> None:
        self._memory: dict[FolderPath, StoredArchive] = {}
        self._directory = directory

    def write(self, job: BackupRun, host: str, percent: int, *, complete: bool) -> None:
        """Save the archive of a job of the appliance ``host``, as far as it is at ``percent``.

        Memory holds complete archives only. Raises ``OSError``: when a file cannot be written.
        """
        if self._directory is not None:
            self._directory.write(job, host, percent, complete=complete)
        elif complete:
            archive = archive_of(job, host)
            self._memory[archive.folder] = archive

    def has_folder(self, folder: FolderPath) -> bool:
        """Return whether the folder exists."""
        in_memory = any(key[: len(folder)] == folder for key in self._memory)
        return in_memory or (self._directory is not None and self._directory.has_folder(folder))

    def list_archives(self, folder: FolderPath) -> list[StoredArchive]:
        """Return the archives of all systems at the location with this folder, newest first."""
        systems = systems_folder(folder)
        found = {key: archive for key, archive in self._memory.items() if key[:-2] == systems}
        if self._directory is not None:
            found |= {archive.folder: archive for archive in self._directory.list_archives(folder)}
        return sorted(found.values(), key=lambda archive: (archive.started, archive.name), reverse=True)

    def get(self, folder: FolderPath) -> StoredArchive | None:
        """Return the archive in exactly this folder."""
        archive = self._memory.get(folder)
        return archive or (self._directory.get(folder) if self._directory is not None else None)

    def delete_old(self, job: BackupRun, host: str, count: int) -> None:
        """Delete all but the newest ``count`` scheduled archives of ``host`` at the location of ``job``."""
        archives = self.list_archives(folder_of(job.spec.location))
        scheduled = [archive for archive in archives if archive.scheduled and archive.system == system_name(host)]
        for archive in scheduled[count:]:
            self._memory.pop(archive.folder, None)
            if self._directory is not None:
                self._directory.delete(archive)
