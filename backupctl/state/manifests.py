"""Manifests in the state directory: what the files of an archive were when it was good."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec

from backupctl.errors import ConfigError
from backupctl.results.target_archive import ArchiveFile


class Manifest(msgspec.Struct, frozen=True):
    """The files of an archive when it was good, all with checksums or none; ``recorded_by`` is a command."""

    system: str
    archive: str
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)]
    recorded_by: str
    encrypted: bool | None
    files: tuple[ArchiveFile, ...]
    schema: Literal[1] = 1

    @property
    def has_checksums(self) -> bool:
        """Whether contents can be compared with it."""
        return all(each.sha256 for each in self.files)


class Manifests:
    """The manifests below a state ``directory``, a file for each archive; none is ever changed."""

    def __init__(self, directory: Callable[[], Path]) -> None:
        self._directory = directory

    def read(self, system: str, archive: str) -> Manifest | None:
        """Return the manifest of an archive, None if there is none. Raises ConfigError: if it cannot be read."""
        path = self._path(system, archive)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Manifest)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            facts = str(path), getattr(error, "strerror", None) or str(error)
            hint = "check its permissions; move it away to have a new one recorded"
            raise ConfigError("cannot read the manifest $1: $2", texts=facts, hint=hint) from error

    def record(self, manifest: Manifest) -> None:
        """Write a manifest whole or not at all; an earlier one stays. Raises OSError: if it cannot be written."""
        path = self._path(manifest.system, manifest.archive)
        for folder in path.parents[2::-1]:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                path.hardlink_to(temporary)  # which, unlike a rename, replaces nothing
        finally:
            temporary.unlink(missing_ok=True)
        with suppress(OSError):  # A service that owns the directory continues what root has begun.
            owner = self._directory().stat()
            for each in (path, path.parent, path.parent.parent):
                os.chown(each, owner.st_uid, owner.st_gid)

    def remove(self, system: str, archive: str) -> None:
        """Remove the manifest of an archive that is gone; one that cannot be removed stays."""
        with suppress(OSError, ConfigError):
            self._path(system, archive).unlink()

    def _path(self, system: str, archive: str) -> Path:
        return self._directory().joinpath("manifests", quote(system, safe=""), quote(f"{archive}.json", safe="="))
