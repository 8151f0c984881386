"""The journal: JSON lines, one for each result of a run, in a file for each month of the state directory.

A line is only ever appended, and old months are removed as whole files. Several processes may write at once.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from backupctl.clock import Clock
from backupctl.errors import OutputError
from backupctl.results.journal_entry import Journal, JournalEntry

MONTHS: Final = 14
"""The months that are kept, which always hold a whole year."""

LOCK_ATTEMPTS: Final = 250
"""Attempts to get the lock, 20 ms apart; each writer needs it for one write."""

_FILES: Final = "journal-[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"


def append_journal(directory: Path, lines: Sequence[str], clock: Clock) -> None:
    """Append lines in one write, and remove the oldest month when a new one begins.

    The directory is created if needed. Raises OutputError: if the lines cannot be written; the journal stays as it was.
    """
    path = directory / _file_name(clock.now())
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            _lock(descriptor, clock)
            if _append(descriptor, "".join(f"{line}\n" for line in lines).encode()):
                with suppress(OSError):  # The lines are written; the rest can wait for the next month.
                    for old in sorted(directory.glob(_FILES))[:-MONTHS]:
                        old.unlink()
                    owner = directory.stat()  # A service that owns the directory continues what root has begun.
                    os.fchown(descriptor, owner.st_uid, owner.st_gid)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        where, why = getattr(error, "filename", None) or path, getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {where}: {why}") from error


def read_journal(directory: Path, since: datetime | None = None) -> Journal:
    """Return the entries of the journal since a time, or all; an empty journal if there is no file.

    Unknown keys are ignored. Lines that cannot be read are counted, such as one that a crash has cut.

    Raises OSError: if the directory or a file cannot be read.
    """
    entries, unreadable = list[JournalEntry](), 0
    decode = msgspec.json.Decoder(JournalEntry).decode
    for path in sorted(path for path in directory.iterdir() if path.match(_FILES)):
        if not path.is_file() or (since is not None and path.name < _file_name(since)):
            continue
        for line in filter(bytes.strip, path.read_bytes().split(b"\n")):
            try:
                entries.append(decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                unreadable += 1
    wanted = (entry for entry in entries if since is None or entry.time >= since)
    return Journal(entries=tuple(wanted), unreadable=unreadable)


def is_open_to_all(directory: Path) -> bool:
    """Whether every user of the machine can change the journal. Raises OSError: if that cannot be checked."""
    return any(path.stat().st_mode & stat.S_IWOTH for path in (directory, *directory.glob(_FILES)))


def _file_name(time: datetime) -> str:
    return f"journal-{time.astimezone(UTC):%Y-%m}.jsonl"


def _lock(descriptor: int, clock: Clock) -> None:
    for _ in range(LOCK_ATTEMPTS):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            clock.sleep(0.02)
    raise OSError(errno.EAGAIN, "another process holds its lock")


def _append(descriptor: int, data: bytes) -> bool:
    """Append lines, after the end of one that a crash has cut; return whether the file was empty."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data
    if os.write(descriptor, data) < len(data):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)
    return size == 0
