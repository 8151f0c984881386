"""A location that is mounted on this host: NFS, or any other file system."""

import errno
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from backupctl.clock import Clock
from backupctl.errors import NotFoundError
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import CHUNK_BYTES, TargetEntry, TargetPath, bounded, target_entry
from backupctl.targets.target_errors import TargetAnswerError, TargetUnreachableError

_LOST = {errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT}
"""What a network file system that lost its server answers."""


def connect(access: TargetAccess, _clock: Clock) -> "PathTarget":
    """Return the target in the folder that the location is mounted on. Raises NotFoundError: if it does not exist."""
    assert access.path is not None  # noqa: S101 - the kind of the access says so
    with _errors(access.path):
        if not stat.S_ISDIR(access.path.stat().st_mode):
            raise TargetAnswerError("$1 is not a folder", texts=(str(access.path),))
    return PathTarget(access.path)


class PathTarget:
    """A folder of this host."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder."""
        with self._folder(folder) as descriptor, os.scandir(descriptor) as found:
            return bounded(_entry(each.name, each.stat(follow_symlinks=False)) for each in found)

    def stat(self, path: TargetPath) -> TargetEntry:
        """Return one entry."""
        with self._parent(path) as (descriptor, name):
            return _entry(name, os.stat(name, dir_fd=descriptor, follow_symlinks=False))

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        """Yield the content of a file."""
        with self._parent(path) as (parent, name):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        with self._errors(path), os.fdopen(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise TargetAnswerError("$1 is not a file", texts=("/".join(path),))
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def remove_file(self, path: TargetPath) -> None:
        """Remove one file."""
        with self._parent(path) as (descriptor, name):
            os.unlink(name, dir_fd=descriptor)

    def remove_empty_dir(self, path: TargetPath) -> None:
        """Remove a folder, which must be empty."""
        with self._parent(path) as (descriptor, name):
            os.rmdir(name, dir_fd=descriptor)

    def close(self) -> None:
        """Do nothing, as no file stays open."""

    @contextmanager
    def _parent(self, path: TargetPath) -> Iterator[tuple[int, str]]:
        with self._folder(path[:-1]) as descriptor:
            yield descriptor, path[-1]

    @contextmanager
    def _folder(self, path: TargetPath) -> Iterator[int]:
        """Open a folder below the root, following no link."""
        with self._errors(path):
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
            descriptor = os.open(self._root, flags)
            try:
                for name in path:
                    inner = os.open(name, flags | os.O_NOFOLLOW, dir_fd=descriptor)
                    os.close(descriptor)
                    descriptor = inner
                yield descriptor
            finally:
                os.close(descriptor)

    def _errors(self, path: TargetPath) -> AbstractContextManager[None]:
        return _errors(self._root.joinpath(*path))


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError("$1 does not exist", texts=(str(path),)) from error
    except OSError as error:
        kind = TargetUnreachableError if error.errno in _LOST else TargetAnswerError
        raise kind("$1: $2", texts=(str(path), error.strerror or str(error))) from error


def _entry(name: str, status: os.stat_result) -> TargetEntry:
    if stat.S_ISDIR(status.st_mode):
        return target_entry(name, "folder")
    return target_entry(name, "file" if stat.S_ISREG(status.st_mode) else "other", status.st_size)
