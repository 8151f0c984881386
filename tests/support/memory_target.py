"""A backup location in memory, whose removals take time on the fake clock and can fail."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from backupctl.errors import NotFoundError
from backupctl.scheduler.task import Task, call
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target, TargetEntry, TargetPath
from backupctl.targets.target_errors import TargetAnswerError, TargetUnreachableError
from tests.support.archive_folders import METADATA
from tests.support.clock import FakeClock

T = TypeVar("T")

LINK = "a link"
Content = bytes | str | None
"""The content of a file, LINK, or None for a folder."""


@dataclass
class MemoryTarget:
    """``entries`` are files, folders and links by path; the ``fail_at``-th removal fails, with or without effect."""

    clock: FakeClock
    entries: dict[TargetPath, Content]
    fail_at: int | None = None
    takes_effect: bool = False
    removals: list[TargetPath] = field(default_factory=list)

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        if folder and self.entries.get(folder, LINK) is not None:
            raise NotFoundError(f"{folder} does not exist")
        return tuple(self.stat(path) for path in self.entries if path[:-1] == folder)

    def stat(self, path: TargetPath) -> TargetEntry:
        content = self._content(path)
        if isinstance(content, bytes):
            return TargetEntry(path[-1], "file", len(content))
        return TargetEntry(path[-1], "folder" if content is None else "other")

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        content = self._content(path)
        assert isinstance(content, bytes)
        yield content

    def remove_file(self, path: TargetPath) -> None:
        assert isinstance(self._content(path), bytes)
        self._remove(path)

    def remove_empty_dir(self, path: TargetPath) -> None:
        if self.list(path):
            raise TargetAnswerError(f"{path} is not empty")
        self._remove(path)

    def close(self) -> None:
        pass

    def _content(self, path: TargetPath) -> Content:
        if path not in self.entries:
            raise NotFoundError(f"{path} does not exist")
        return self.entries[path]

    def _remove(self, path: TargetPath) -> None:
        self.clock.sleep(1)
        fails = len(self.removals) == self.fail_at
        if not fails or self.takes_effect:
            self.removals.append(path)
            del self.entries[path]
        if fails:
            self.fail_at = None
            raise TargetUnreachableError("the connection was lost")


@dataclass
class MemoryConnections:
    """Lends the target to tasks, as ``TargetConnections`` does."""

    target: MemoryTarget

    def use(self, _access: TargetAccess, function: Callable[[Target], T], *, shielded: bool = False) -> Task[T]:
        return (yield from call(partial(function, self.target), shielded=shielded))


def looks_complete(entries: dict[TargetPath, Content], archive: TargetPath) -> bool:
    """Return whether a person would take an archive for complete: metadata that is JSON, and no empty file."""
    files = {path[-1]: content for path, content in entries.items() if path[:-1] == archive}
    metadata = files.get(METADATA)
    return (
        isinstance(metadata, bytes)
        and metadata.startswith(b"{")
        and metadata.endswith(b"}")
        and b"" not in files.values()
    )
