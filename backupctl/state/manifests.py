"""Manifests in the state directory, a file for each archive: what its files were when it was good."""

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
        """Return the manifest of an archive, None if there is none. Raises ConfigError: if it cannot be read."""
        path = self._path(system, archive)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                manifest = msgspec.json.decode(file.read(), type=Manifest)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            facts = str(path), getattr(error, "strerror", None) or str(error)
            hint = "check its permissions; move it away to have a new one recorded"
            raise ConfigError("cannot read the manifest $1: $2", texts=facts, hint=hint) from error
        return manifest if (manifest.system, manifest.archive) == (system, archive) else None

    def record(self, manifest: Manifest) -> None:
        """Write a manifest, whole or not at all. Raises OutputError: if it cannot be written."""
        path = self._path(manifest.system, manifest.archive)
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
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

    def remove(self, system: str, archive: str) -> None:
        """Remove the manifest of an archive that is gone; one that cannot be removed stays."""
        with suppress(OSError, ConfigError):
            self._path(system, archive).unlink()

    def _path(self, system: str, archive: str) -> Path:
        name = quote(f"manifest-{system}-{archive}", safe="=")
        return self._directory() / f"{name[:_MAX_NAME]}.json"
