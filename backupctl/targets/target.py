"""The protocol of a target: a backup location that is read from this host, without an appliance.

There is no recursive delete and no write. Names come from a server, so they are data: a name that could lead out of its
folder is never used as a path.
"""

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import Final, Literal, Protocol

import msgspec

from backupctl.targets.target_errors import TargetAnswerError

MAX_ENTRIES: Final = 20_000
"""Entries of one folder; the largest that a thousand systems with daily backups need is far smaller."""

MAX_NAME: Final = 255
"""Characters of a name; file systems have as many bytes or UTF-16 units at most."""

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0
"""How long an adapter waits to connect, and for each answer of the server."""

CHUNK_BYTES: Final = 256 * 1024

EntryKind = Literal["file", "folder", "other"]

TargetPath = tuple[str, ...]
"""The names of a path, from the root of the server (``SubTarget``: from its folder); ``()`` is that root."""


class TargetEntry(msgspec.Struct, frozen=True):
    """A file or folder. ``kind`` is ``other`` for links, devices and unusable names; nothing follows these.

    ``size`` is in bytes, None if the server does not tell.
    """

    name: str
    kind: EntryKind
    size: int | None = None


class Target(Protocol):
    """An open connection to a backup server; a path has the names of a location's URL, decoded.

    Its methods block, so tasks call them on worker threads, one at a time. All raise TargetUnreachableError, after
    which the connection is useless, TargetAnswerError for a refusal or an unusable answer, and NotFoundError for a
    missing path.
    """

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder, without ``.`` and ``..``, in any order.

        Raises TargetAnswerError: for more than ``MAX_ENTRIES``.
        """
        ...

    def stat(self, path: TargetPath) -> TargetEntry:
        """Return one entry; a link is not followed."""
        ...

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        """Yield the content of a file in chunks of about ``CHUNK_BYTES``; close the generator to stop early."""
        ...

    def remove_file(self, path: TargetPath) -> None:
        """Remove one file."""
        ...

    def remove_empty_dir(self, path: TargetPath) -> None:
        """Remove a folder, which must be empty."""
        ...

    def close(self) -> None:
        """Close the connection; raises nothing."""
        ...


def target_entry(name: str, kind: EntryKind, size: int | None = None) -> TargetEntry:
    """Return an entry for a name that a server sent.

    One that cannot be used as a path gets the kind ``other``, and is cut off if it is longer than any file system has.
    """
    return TargetEntry(name[:MAX_NAME], kind if is_plain_name(name) else "other", size)


def is_plain_name(name: str) -> bool:
    """Return whether a name stays in its folder and can be written to any server."""
    return name not in {"", ".", ".."} and len(name) <= MAX_NAME and name.isprintable() and not {"/", "\\"} & set(name)


def bounded(entries: Iterable[TargetEntry]) -> tuple[TargetEntry, ...]:
    """Return the entries of a listing. Raises TargetAnswerError: for more than ``MAX_ENTRIES``."""
    found: list[TargetEntry] = []
    for each in entries:
        found.append(each)
        if len(found) > MAX_ENTRIES:
            raise TargetAnswerError(f"a folder at the location has more than {MAX_ENTRIES} entries")
    return tuple(found)


def read_small(target: Target, path: TargetPath, limit: int) -> bytes:
    """Return the content of a file. Raises TargetAnswerError: for more than ``limit`` bytes."""
    content = bytearray()
    with closing(target.open_read(path)) as chunks:
        for chunk in chunks:
            content += chunk
            if len(content) > limit:
                raise TargetAnswerError("$1 is larger than expected", texts=(path[-1],))
    return bytes(content)


class SubTarget:
    """A folder of a target as a target of its own, so that locations on one server share its connections."""

    def __init__(self, target: Target, folder: TargetPath) -> None:
        self._target = target
        self._folder = folder

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder."""
        return self._target.list(self._folder + folder)

    def stat(self, path: TargetPath) -> TargetEntry:
        """Return one entry."""
        return self._target.stat(self._folder + path)

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        """Yield the content of a file."""
        return self._target.open_read(self._folder + path)

    def remove_file(self, path: TargetPath) -> None:
        """Remove one file."""
        self._target.remove_file(self._folder + path)

    def remove_empty_dir(self, path: TargetPath) -> None:
        """Remove a folder, which must be empty."""
        self._target.remove_empty_dir(self._folder + path)

    def close(self) -> None:
        """Close the connection."""
        self._target.close()
