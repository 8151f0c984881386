"""SFTP and SCP locations: OpenSSH serves SFTP on the port that SCP uses.

The login is the location's user and password: neither keys nor an agent of this user.
"""

import errno
import logging
import socket
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Timer
from typing import Final

import paramiko

from backupctl.clock import Clock
from backupctl.errors import BackupctlError, NotFoundError
from backupctl.location import Location
from backupctl.targets import target_errors as errors
from backupctl.targets.access import TargetAccess
from backupctl.targets.known_hosts import KnownKeys, known_keys
from backupctl.targets.target import ANSWER_SECONDS, CHUNK_BYTES, CONNECT_SECONDS, TargetEntry, bounded, target_entry
from backupctl.targets.target import TargetPath as Path

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # else Python prints its tracebacks

_PORT: Final = 22
_BLOCK_BYTES: Final = 32 * 1024
"""What every server sends in one answer (draft-ietf-secsh-filexfer-02, section 3)."""


def connect(access: TargetAccess, _clock: Clock) -> "SftpTarget":
    """Return the target of an SSH server, whose host key is checked before the login."""
    location, host = access.location, access.location.host
    known = KnownKeys() if access.host_key else known_keys(host, location.port or _PORT)
    transport = _exchange_keys(location, known.types)
    try:
        with _limited(transport, host, ANSWER_SECONDS):
            _check_host_key(access, transport.get_remote_server_key(), known)
            _log_in(transport, access)
            return SftpTarget(_open_sftp(transport, host), host)
    except BaseException:
        transport.close()
        raise


def _exchange_keys(location: Location, key_types: frozenset[str]) -> paramiko.Transport:
    """Connect without a login, and return the transport; host keys of ``key_types`` are asked for first."""
    try:
        connected = socket.create_connection((location.host, location.port or _PORT), CONNECT_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or many answers arrive 40 ms late
    except (OSError, UnicodeError) as error:
        texts = (getattr(error, "strerror", None) or str(error),)
        raise errors.TargetUnreachableError("connection failed: $1", server=location.host, texts=texts) from error
    transport = paramiko.Transport(connected)
    transport.auth_timeout = None  # _limited ends each wait
    options = transport.get_security_options()
    options.key_types = sorted(
        options.key_types, key=lambda name: ("ssh-rsa" if name.startswith("rsa-") else name) not in key_types
    )
    with _limited(transport, location.host, CONNECT_SECONDS):
        transport.start_client()
    return transport


def _check_host_key(access: TargetAccess, key: paramiko.PKey, known: KnownKeys) -> None:
    """Raise TargetIdentityError unless the host key is the pinned one or, without a pin, a known one."""
    text, pin = key.get_base64(), access.host_key
    if key.fingerprint == pin or (pin is None and text in known.trusted - known.revoked):
        return
    state = "has changed" if known.trusted else "is unknown"
    if pin or text in known.revoked:
        state = "is not the pinned one" if pin else "is revoked"
    expected = [f"expected   {pin}"] if pin else []
    raise errors.TargetIdentityError(
        "the host key of $server $1",
        server=access.location.host,
        texts=(state,),
        details=(*expected, f"presented  {key.fingerprint} ({key.algorithm_name})"),
        hint="compare it on the server: `ls /etc/ssh/*.pub | xargs -n 1 ssh-keygen -lf`; "
        "if it is the same: `backupctl trust pin $selector`",
        selector=access.pin_selector,
    )


def _log_in(transport: paramiko.Transport, access: TargetAccess) -> None:
    host = access.location.host
    if not access.user or access.password is None:
        raise errors.TargetLoginError("needs a user and a password", server=host)
    try:  # keyboard-interactive, if the server wants that
        missing = transport.auth_password(access.user, access.password.reveal())
    except paramiko.AuthenticationException as error:
        if not transport.is_active():
            raise EOFError("during the login") from error
        missing = getattr(error, "allowed_types", None) or ["password"]
    if {"password", "keyboard-interactive"} & set(missing):
        raise errors.TargetLoginError("wrong user name or password", server=host)
    if missing:
        texts = (", ".join(missing),)
        raise errors.TargetLoginError("the server wants more than a password: $1", server=host, texts=texts)


def _open_sftp(transport: paramiko.Transport, host: str) -> paramiko.SFTPClient:
    try:
        return paramiko.SFTPClient.from_transport(transport)
    except paramiko.SSHException as error:
        if not transport.is_active():
            raise
        raise errors.TargetAnswerError("the server does not offer SFTP to this user", server=host) from error


@contextmanager
def _limited(transport: paramiko.Transport, host: str, seconds: float) -> Iterator[None]:
    """Raise TargetUnreachableError if the connection is lost in the block, or if the block takes too long.

    paramiko has waits without a limit; all of them end with the connection.
    """
    timer = Timer(seconds, transport.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    except BackupctlError:
        raise
    except Exception as error:  # paramiko raises what its parser does, of any class
        reason, hint = str(error) or "closed by the server", None
        if timer.finished.is_set():
            reason = f"no answer within {seconds:g} s"
        elif isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            hint = "the server is too old: update it, or add an Ed25519 or ECDSA host key"
        transport.close()
        raise errors.TargetUnreachableError("connection failed: $1", server=host, texts=(reason,), hint=hint) from error
    finally:
        timer.cancel()


def _request_blocks(file: paramiko.SFTPFile, blocks: Sequence[tuple[int, int]], limit: int | None) -> None:
    """Do what paramiko does in a thread, which prints a traceback if the connection is lost."""
    file._prefetching, file._prefetch_done = True, False  # noqa: SLF001
    file._prefetch_thread(blocks, limit)  # noqa: SLF001


class SftpTarget:
    """The files of an SSH server. A path starts at its root; if the first folder is not there, at the login folder."""

    def __init__(self, client: paramiko.SFTPClient, host: str) -> None:
        self._client, self._host = client, host
        self._roots: dict[str, str] = {}

    def list(self, folder: Path) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder."""
        with self._errors(folder):
            found = self._client.listdir_iter(self._name(folder), read_aheads=2)
            return bounded(_entry(each.filename, each) for each in found)

    def stat(self, path: Path) -> TargetEntry:
        """Return one entry."""
        with self._errors(path):
            return _entry(path[-1], self._client.lstat(self._name(path)))

    def open_read(self, path: Path) -> Generator[bytes, None, None]:
        """Yield the content of a file."""
        with self._errors(path):
            file = self._client.open(self._name(path), "rb", 0)
        try:
            with self._errors(path):
                size = file.stat().st_size
            if size is None:
                raise errors.TargetAnswerError("$1 has no size", server=self._host, texts=(f"/{'/'.join(path)}",))
            file._start_prefetch = partial(_request_blocks, file)  # noqa: SLF001
            for start in range(0, size, CHUNK_BYTES):
                end = min(start + CHUNK_BYTES, size)
                blocks = [(offset, min(_BLOCK_BYTES, end - offset)) for offset in range(start, end, _BLOCK_BYTES)]
                with self._errors(path):
                    chunk = b"".join(file.readv(blocks))  # requests all of them at once
                yield chunk
        finally:
            file._close(async_=True)  # noqa: SLF001 - without waiting for the server

    def remove_file(self, path: Path) -> None:
        """Remove one file."""
        with self._errors(path):
            self._client.remove(self._name(path))

    def remove_empty_dir(self, path: Path) -> None:
        """Remove a folder, which must be empty."""
        with self._errors(path):
            self._client.rmdir(self._name(path))

    def close(self) -> None:
        """Close the connection."""
        self._client.get_channel().get_transport().close()

    def _name(self, path: Path) -> str:
        first = "".join(path[:1])
        if first not in self._roots:
            self._roots[first] = "/"
            try:
                self._client.lstat(f"/{first}")
            except OSError as error:
                if error.errno == errno.ENOENT:
                    self._roots[first] = ""
        return self._roots[first] + "/".join(path)

    @contextmanager
    def _errors(self, path: Path) -> Iterator[None]:
        channel = self._client.get_channel()
        with _limited(channel.get_transport(), self._host, ANSWER_SECONDS):
            try:
                yield
            except (OSError, UnicodeError) as error:
                if channel.closed:
                    raise EOFError("the server closed it") from error
                texts = (f"/{'/'.join(path)}", getattr(error, "strerror", None) or str(error))
                if getattr(error, "errno", None) == errno.ENOENT:
                    raise NotFoundError("$1 does not exist", server=self._host, texts=texts[:1]) from error
                raise errors.TargetAnswerError("$1: $2", server=self._host, texts=texts) from error


def _entry(name: str, attributes: paramiko.SFTPAttributes) -> TargetEntry:
    mode = attributes.st_mode or 0
    if stat.S_ISDIR(mode):
        return target_entry(name, "folder")
    return target_entry(name, "file" if stat.S_ISREG(mode) else "other", attributes.st_size)
