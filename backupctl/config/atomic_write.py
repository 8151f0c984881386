"""Files that are written whole or not at all."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from backupctl.errors import ConfigError, OutputError

_FOLDER_MODE: Final = 0o700
_PRIVATE: Final = 0o600
_OTHER_FILE: Final = "name another file, or overwrite it with --force"


def make_folder(path: Path) -> None:
    """Make the folder that a file is to be in, for its owner alone; raise OutputError where that cannot be."""
    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {path.parent}: {error.strerror or error}") from error


def check_new(path: Path) -> None:
    """Raise ConfigError for a file that must not be there yet and is, before there is anything to write into it."""
    if os.path.lexists(path):
        raise _there_already(path)


def write_new(path: Path, text: str, mode: int, *, hint: str = _OTHER_FILE) -> None:
    """Write a file that must not be there yet; raise ConfigError if it is, OutputError if it cannot be written."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise _there_already(path, hint) from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except BaseException as error:  # a signal too
        with contextlib.suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def replace(path: Path, text: str, mode: int) -> None:
    """Write a file in place of the one that may be there, whose mode it keeps; nobody ever sees half of it.

    A symbolic link stays one. Raises OutputError.
    """
    target = Path(os.path.realpath(path))
    # The name is known before there is a file, so that a signal at any moment leaves none.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with contextlib.suppress(FileNotFoundError):
            mode = target.stat().st_mode & 0o7777
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner(target, temporary)
        temporary.chmod(mode)
        temporary.replace(target)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let no other run write the file meanwhile, if it locks it too; its folder must be there.

    What is locked is the folder, as the file is replaced and need not be there yet. Where the file system has no locks
    for folders, as NFS, there is none.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder = os.open(Path(os.path.realpath(path)).parent, os.O_RDONLY)
            stack.callback(os.close, folder)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield


def _keep_owner(target: Path, temporary: Path) -> None:
    """Leave a user's file with the user, when root writes it; nobody else can."""
    with contextlib.suppress(OSError):
        before = target.stat()
        os.chown(temporary, before.st_uid, before.st_gid)


def _there_already(path: Path, hint: str = _OTHER_FILE) -> ConfigError:
    return ConfigError(f"{path} is there already", hint=hint)


def _unwritable(path: Path, error: OSError | ValueError) -> OutputError:
    return OutputError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")
