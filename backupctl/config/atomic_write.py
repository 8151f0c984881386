"""Write files whole or not at all, and read what they replace."""

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from backupctl.errors import ConfigError, OutputError

_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644


def make_folder(path: Path, mode: int) -> None:
    """Make the parent directory of a file; raise OutputError on failure."""
    try:
        path.parent.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create {path.parent}: {error.strerror or error}") from error


def content(path: Path) -> str | None:
    """Return the text of a file, None if there is no file; of one that cannot be read, an empty text."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") if os.path.lexists(path) else None
    except OSError:
        return ""


def check_absent(path: Path) -> None:
    """Raise ConfigError if the file exists; for a check before its content is ready."""
    if os.path.lexists(path):
        raise _exists(path)


def write_new(path: Path, text: str, mode: int) -> None:
    """Create a file.

    Raises ConfigError: if it exists. Raises OutputError: if it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise _exists(path) from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except BaseException as error:  # a signal too
        _remove(path)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def replace(path: Path, text: str, mode: int) -> None:
    """Create a file or replace it atomically; an existing file keeps its mode and owner, a symbolic link stays one.

    Raises OutputError: if it cannot be written.
    """
    with _staged({path: text}, mode, keep_mode=True):
        pass


def replace_public(path: Path, text: str) -> None:
    """Create or replace a file that every user may read, atomically; raise OutputError if it cannot be written."""
    with _staged({path: text}, _PUBLIC):
        pass


@contextlib.contextmanager
def private_files(texts: Mapping[Path, str]) -> Iterator[None]:
    """Create or replace files that only this user can read, after the block; if it fails, they stay as they are.

    Raises OutputError: if one cannot be written, mostly before the block.
    """
    with _staged(texts, _PRIVATE):
        yield


@contextlib.contextmanager
def _staged(texts: Mapping[Path, str], mode: int, *, keep_mode: bool = False) -> Iterator[None]:
    """Write temporary files, and rename them after the block; devices and pipes are not replaced."""
    with contextlib.ExitStack() as stack:
        renames = []
        for path, text in texts.items():
            target = Path(os.path.realpath(path))
            # The name is chosen before the file is created, so that it is removed after a signal at any moment.
            temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            stack.callback(_remove, temporary)
            with _output_errors(path):
                if target.exists() and not target.is_file():
                    raise OSError(errno.EINVAL, "not a regular file")
                kept = target.stat().st_mode & 0o7777 if keep_mode and target.exists() else mode
                _write(temporary, text, target, kept)
            renames.append((path, temporary, target))
        yield
        for path, temporary, target in renames:
            with _output_errors(path):
                temporary.replace(target)


def _write(temporary: Path, text: str, target: Path, mode: int) -> None:
    """Write the file that will replace ``target``."""
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    _keep_owner(target, temporary)
    temporary.chmod(mode)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


@contextlib.contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unwritable(path, error) from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a file against other runs of this program; its directory must exist.

    The directory is locked, because the file is replaced and may not exist yet. Where the file system cannot lock
    directories, as NFS, there is no lock.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder = os.open(Path(os.path.realpath(path)).parent, os.O_RDONLY)
            stack.callback(os.close, folder)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield


def _keep_owner(target: Path, temporary: Path) -> None:
    """Keep the owner of a file that root writes; others cannot change it anyway."""
    with contextlib.suppress(OSError):
        before = target.stat()
        os.chown(temporary, before.st_uid, before.st_gid)


def _exists(path: Path) -> ConfigError:
    return ConfigError(f"{path} already exists", hint="use another file, or --force to overwrite it")


def _unwritable(path: Path, error: OSError | ValueError) -> OutputError:
    return OutputError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")
