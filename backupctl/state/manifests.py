"""Manifests in the state directory, a file for each archive: what its files were when it was good.

An archive in which a verification has found damage has an empty file as a mark.
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import quote

import msgspec

from backupctl.errors import ConfigError, OutputError
from backupctl.results.target_archive import ArchiveFile

_MAX_NAME: Final = 240
"""Longer names are cut, as file systems take 255 bytes; an archive's name ends with its comment."""

_DAMAGED: Final = "damaged"

_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Manifest(msgspec.Struct, frozen=True):
    """The files of an archive when it was good; ``recorded_by`` is a command.

    All have checksums, or none: ``checksums_at`` is when they were read.
    """

    system: str
    archive: str
    recorded_at: _Time
    recorded_by: str
    encrypted: bool | None
    files: tuple[ArchiveFile, ...]
    checksums_at: _Time | None = None
    schema: Literal[1] = 1


class Manifests:
    """The manifests in a state ``directory``; a link in it is never followed."""

    def __init__(self, directory: Callable[[], Path]) -> None:
        self._directory = directory

    def read(self, system: str, archive: str) -> Manifest | None:
        """Return the manifest of an archive, None without one. Raises ConfigError: if it cannot be read."""
        path = self._path(system, archive)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                manifest = msgspec.json.decode(file.read(), type=Manifest)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, msgspec.DecodeError) as error:
            facts = str(path), getattr(error, "strerror", None) or str(error)
            hint = "check its permissions; move it away to have a new one recorded"
            raise ConfigError("cannot read the manifest $1: $2", texts=facts, hint=hint) from error
        return manifest if (manifest.system, manifest.archive) == (system, archive) else None

    def record(self, manifest: Manifest) -> None:
        """Write a manifest. Raises OutputError: if it cannot be written."""
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        self._write(self._path(manifest.system, manifest.archive), content)

    def is_damaged(self, system: str, archive: str) -> bool:
        """Return whether a verification has found damage in an archive. Raises ConfigError: as ``state_directory``."""
        return os.path.lexists(self._path(system, archive, _DAMAGED))

    def mark_damaged(self, system: str, archive: str) -> None:
        """Keep in mind that an archive is damaged. Raises OutputError: if that cannot be written."""
        self._write(self._path(system, archive, _DAMAGED), b"")

    def unmark_damaged(self, system: str, archive: str) -> None:
        """Forget that an archive was damaged; a mark that cannot be removed stays."""
        with suppress(OSError, ConfigError):
            self._path(system, archive, _DAMAGED).unlink()

    def remove(self, system: str, archive: str) -> None:
        """Remove what is known about an archive that is gone; a file that cannot be removed stays."""
        self.unmark_damaged(system, archive)
        with suppress(OSError, ConfigError):
            self._path(system, archive).unlink()

    def _path(self, system: str, archive: str, kind: str = "manifest") -> Path:
        name = quote(f"{kind}-{system}-{archive}", safe="=")
        return self._directory() / f"{name[:_MAX_NAME]}.json"

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        """Create or replace a file, whole or not at all."""
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    owner = path.parent.stat()  # A service that owns the directory continues what root has begun.
                    with suppress(PermissionError):
                        os.fchown(descriptor, owner.st_uid, owner.st_gid)
                    file.flush()
                    os.fsync(descriptor)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {path.parent}: {error.strerror or error}") from error
