"""Archive stores: where an appliance keeps archives and finds them."""

from collections.abc import Iterator
from typing import Protocol

from backupctl.simulator.backup_runs import BackupRun
from backupctl.simulator.stored_archives import (
    FolderPath,
    StoredArchive,
    archive_of,
    folder_of,
    system_name,
    systems_folder,
)


class ArchiveStore(Protocol):
    """Holds archives by their folders."""

    def save(self, job: BackupRun, host: str) -> None:
        """Save the archive of a job of the appliance ``host``. Raises ``OSError``: when it cannot be written."""
        ...

    def has_folder(self, folder: FolderPath) -> bool:
        """Return whether the folder exists."""
        ...

    def list_archives(self, folder: FolderPath) -> Iterator[StoredArchive]:
        """Yield the archives of all systems at the location with this folder, in any order."""
        ...

    def get(self, folder: FolderPath) -> StoredArchive | None:
        """Return the archive in exactly this folder."""
        ...

    def delete(self, archive: StoredArchive) -> None:
        """Delete an archive, if it exists."""
        ...


class MemoryArchiveStore:
    """Archives that live as long as the process."""

    def __init__(self) -> None:
        self._archives: dict[FolderPath, StoredArchive] = {}

    def save(self, job: BackupRun, host: str) -> None:
        """Save the archive of a job."""
        archive = archive_of(job, host)
        self._archives[archive.folder] = archive

    def has_folder(self, folder: FolderPath) -> bool:
        """Return whether an archive is in this folder or below."""
        return any(key[: len(folder)] == folder for key in self._archives)

    def list_archives(self, folder: FolderPath) -> Iterator[StoredArchive]:
        """Yield the archives at a location."""
        systems = systems_folder(folder)
        return (archive for key, archive in self._archives.items() if key[:-2] == systems)

    def get(self, folder: FolderPath) -> StoredArchive | None:
        """Return the archive in this folder."""
        return self._archives.get(folder)

    def delete(self, archive: StoredArchive) -> None:
        """Delete an archive."""
        self._archives.pop(archive.folder, None)


class CombinedArchiveStore:
    """All archives that an appliance can reach: those of its past in memory, new ones in ``store`` if there is one."""

    def __init__(self, store: ArchiveStore | None = None) -> None:
        self._memory: ArchiveStore = MemoryArchiveStore()
        self._new: ArchiveStore = store or self._memory
        self._stores = dict.fromkeys((self._memory, self._new))

    def save_past(self, job: BackupRun, host: str) -> None:
        """Save the archive of a past job in memory."""
        self._memory.save(job, host)

    def save(self, job: BackupRun, host: str) -> None:
        """Save the archive of a job. Raises ``OSError``: when it cannot be written."""
        self._new.save(job, host)

    def has_folder(self, folder: FolderPath) -> bool:
        """Return whether any store has this folder."""
        return any(store.has_folder(folder) for store in self._stores)

    def list_archives(self, folder: FolderPath) -> list[StoredArchive]:
        """Return the archives at a location, newest first."""
        found = {archive.folder: archive for store in self._stores for archive in store.list_archives(folder)}
        return sorted(found.values(), key=lambda archive: (archive.started, archive.name), reverse=True)

    def get(self, folder: FolderPath) -> StoredArchive | None:
        """Return the archive in exactly this folder."""
        return next((archive for store in self._stores if (archive := store.get(folder))), None)

    def delete_old(self, job: BackupRun, host: str, count: int) -> None:
        """Delete all but the newest ``count`` scheduled archives of ``host`` at the location of ``job``."""
        scheduled = [
            archive
            for archive in self.list_archives(folder_of(job.spec.location))
            if archive.scheduled and archive.system == system_name(host)
        ]
        for archive in scheduled[count:]:
            for store in self._stores:
                store.delete(archive)
