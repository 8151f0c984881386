"""SFTP and SCP locations: OpenSSH serves SFTP on the port that SCP uses.

The login is the location's user and password: neither keys nor an agent of this user.
"""

import errno
import logging
import socket
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Timer
from typing import Any, Final

import paramiko
from paramiko.sftp import CMD_CLOSE, CMD_NAME, CMD_OPENDIR, CMD_READDIR

from backupctl.clock import Clock
from backupctl.errors import BackupctlError
from backupctl.location import Location
from backupctl.targets.access import TargetAccess
from backupctl.targets.known_hosts import KnownKeys, known_keys
from backupctl.targets.server_errors import ServerErrors
from backupctl.targets.target import (
    ANSWER_SECONDS,
    CHUNK_BYTES,
    CONNECT_SECONDS,
    TargetEntry,
    TargetPath,
    bounded,
    target_entry,
)
from backupctl.targets.target_errors import ServerIdentity, TargetIdentityError

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # else Python prints its tracebacks

_BLOCK_BYTES: Final = 32 * 1024
"""What every server sends in one answer (draft-ietf-secsh-filexfer-02, section 3)."""


def connect(access: TargetAccess, _clock: Clock) -> "SftpTarget":
    """Return the target of an SSH server, whose host key is checked before the login."""
    location, errors = access.location, ServerErrors(access)
    known = KnownKeys() if access.host_key else known_keys(location.host, location.server_port)
    transport = _exchange_keys(location, known.types, errors)
    try:
        with _limited(transport, errors, ANSWER_SECONDS):
            _check_host_key(access, transport, known, errors)
            _log_in(transport, access, errors)
            return SftpTarget(_open_sftp(transport, errors), errors)
    except BaseException:
        transport.close()
        raise


class _Transport(paramiko.Transport):  # type: ignore[misc]  # paramiko has no types
    """Keeps the host key algorithms that the server offers, which paramiko only logs."""

    host_key_algorithms: tuple[str, ...] = ()

    def _really_parse_kex_init(self, *args: Any) -> dict[str, Any]:  # noqa: ANN401 - paramiko has no types
        parsed: dict[str, Any] = super()._really_parse_kex_init(*args)
        self.host_key_algorithms = tuple(parsed["server_key_algo_list"])
        return parsed


def _exchange_keys(location: Location, key_types: frozenset[str], errors: ServerErrors) -> _Transport:
    """Connect without a login, and return the transport; host keys of ``key_types`` are preferred."""
    try:
        connected = socket.create_connection((location.host, location.server_port), CONNECT_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or many answers arrive 40 ms late
    except (OSError, UnicodeError) as error:
        raise errors.unreachable(error) from error
    transport = _Transport(connected)
    transport.auth_timeout = None  # _limited ends each wait
    options = transport.get_security_options()
    options.key_types = sorted(
        options.key_types, key=lambda name: ("ssh-rsa" if name.startswith("rsa-") else name) not in key_types
    )
    with _limited(transport, errors, CONNECT_SECONDS):
        transport.start_client()
    return transport


def _check_host_key(access: TargetAccess, transport: _Transport, known: KnownKeys, errors: ServerErrors) -> None:
    """Raise TargetIdentityError unless the host key is the pinned one or, without a pin, a known one."""
    key, pin = transport.get_remote_server_key(), access.host_key
    text = key.get_base64()
    if key.fingerprint == pin or (pin is None and text in known.trusted - known.revoked):
        return
    state = "has changed" if known.trusted else "is unknown"
    if pin or text in known.revoked:
        state = "is not the pinned one" if pin else "is revoked"
    presented = f"presented  {key.fingerprint} ({key.algorithm_name})"
    refused = TargetIdentityError(
        "the host key of $server $1",
        server=errors.name,
        texts=(state,),
        details=(f"expected   {pin}", presented) if pin else (presented,),
        hint="compare it on the server: `ls /etc/ssh/*.pub | xargs -n 1 ssh-keygen -lf`; if it is one of these, pin it "
        "(of several, only the presented one can be pinned): `backupctl trust pin $selector`",
    )
    raise errors.untrusted(refused, ServerIdentity(key.fingerprint, algorithms=transport.host_key_algorithms))


def _log_in(transport: paramiko.Transport, access: TargetAccess, errors: ServerErrors) -> None:
    if not access.user or access.password is None:
        raise errors.without_login()
    try:  # keyboard-interactive, if the server wants that
        missing = transport.auth_password(access.user, access.password.reveal())
    except paramiko.AuthenticationException as error:
        if not transport.is_active():
            raise EOFError("closed during the login") from error
        missing = getattr(error, "allowed_types", None) or ["password"]
    if {"password", "keyboard-interactive"} & set(missing):
        raise errors.rejected("wrong user name or password")
    if missing:
        raise errors.rejected(f"it requires another login method: {', '.join(missing)}")


def _open_sftp(transport: paramiko.Transport, errors: ServerErrors) -> paramiko.SFTPClient:
    try:
        return paramiko.SFTPClient.from_transport(transport)
    except paramiko.SSHException as error:
        if not transport.is_active():
            raise
        raise errors.refused((), "it does not offer SFTP to this user") from error


@contextmanager
def _limited(transport: paramiko.Transport, errors: ServerErrors, seconds: float) -> Iterator[None]:
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
        transport.close()
        if timer.finished.is_set():
            raise errors.unreachable(f"no answer within {seconds:g} s") from error
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            raise errors.unreachable(error, "update the server, or add an Ed25519 or ECDSA host key to it") from error
        raise errors.unreachable(error) from error
    finally:
        timer.cancel()


def _request_blocks(file: paramiko.SFTPFile, blocks: Sequence[tuple[int, int]], limit: int | None) -> None:
    """Do what paramiko does in a thread, which prints a traceback if the connection is lost."""
    file._prefetching, file._prefetch_done = True, False  # noqa: SLF001
    file._prefetch_thread(blocks, limit)  # noqa: SLF001


class SftpTarget:
    """The files of an SSH server. A path starts at its root; if the first folder is not there, at the login folder."""

    def __init__(self, client: paramiko.SFTPClient, errors: ServerErrors) -> None:
        self._client, self._server_errors = client, errors
        self._roots: dict[str, str] = {}

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder."""
        with self._errors(folder):
            return bounded(each for each in self._entries(self._name(folder)) if each.name not in {".", ".."})

    def stat(self, path: TargetPath) -> TargetEntry:
        """Return one entry."""
        with self._errors(path):
            return _entry(path[-1], self._client.lstat(self._name(path)))

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        """Yield the content of a file."""
        with self._errors(path):
            file = self._client.open(self._name(path), "rb", 0)
        try:
            with self._errors(path):
                size = file.stat().st_size
            if size is None:
                raise self._server_errors.refused(path, "no size")
            file._start_prefetch = partial(_request_blocks, file)  # noqa: SLF001
            for start in range(0, size, CHUNK_BYTES):
                end = min(start + CHUNK_BYTES, size)
                blocks = [(offset, min(_BLOCK_BYTES, end - offset)) for offset in range(start, end, _BLOCK_BYTES)]
                with self._errors(path):
                    chunk = b"".join(file.readv(blocks))  # requests all of them at once
                if len(chunk) != end - start:
                    raise self._server_errors.refused(path, "the file is shorter than its size")
                yield chunk
        finally:
            file._close(async_=True)  # noqa: SLF001 - without waiting for the server

    def remove_file(self, path: TargetPath) -> None:
        """Remove one file, if its folder is not a link to another one."""
        if path[1:] and self.stat(path[:-1]).kind != "folder":
            raise self._server_errors.refused(path[:-1], "not a folder")
        with self._errors(path):
            self._client.remove(self._name(path))

    def remove_empty_dir(self, path: TargetPath) -> None:
        """Remove a folder, which must be empty."""
        with self._errors(path):
            self._client.rmdir(self._name(path))

    def close(self) -> None:
        """Close the connection."""
        self._client.get_channel().get_transport().close()

    def _name(self, path: TargetPath) -> str:
        first = "".join(path[:1])
        if first not in self._roots:
            self._roots[first] = "/"
            try:
                self._client.lstat(f"/{first}")
            except OSError as error:
                if error.errno == errno.ENOENT:
                    self._roots[first] = ""
        return self._roots[first] + "/".join(path)

    def _entries(self, folder: str) -> Iterator[TargetEntry]:
        """List a folder, as paramiko does except for names that are not UTF-8; two requests are under way at once."""
        client = self._client
        handle = client._request(CMD_OPENDIR, folder)[1].get_string()  # noqa: SLF001
        asked = [client._async_request(type(None), CMD_READDIR, handle) for _ in range(2)]  # noqa: SLF001
        with suppress(EOFError):  # of the status that ends the list
            while True:
                kind, message = client._read_response(asked.pop(0))  # noqa: SLF001
                if kind != CMD_NAME:
                    raise paramiko.SFTPError("unexpected answer to READDIR")
                asked.append(client._async_request(type(None), CMD_READDIR, handle))  # noqa: SLF001
                for _ in range(message.get_int()):
                    name, _long = (message.get_string().decode(errors="backslashreplace") for _ in range(2))
                    yield _entry(name, paramiko.SFTPAttributes._from_msg(message))  # noqa: SLF001
        client._async_request(type(None), CMD_CLOSE, handle)  # noqa: SLF001

    @contextmanager
    def _errors(self, path: TargetPath) -> Iterator[None]:
        channel = self._client.get_channel()
        with _limited(channel.get_transport(), self._server_errors, ANSWER_SECONDS):
            try:
                yield
            except (OSError, UnicodeError) as error:
                if channel.closed:
                    raise EOFError("closed by the server") from error
                if getattr(error, "errno", None) == errno.ENOENT:
                    raise self._server_errors.missing(path) from error
                raise self._server_errors.refused(path, error) from error


def _entry(name: str, attributes: paramiko.SFTPAttributes) -> TargetEntry:
    mode = attributes.st_mode or 0
    if stat.S_ISDIR(mode):
        return target_entry(name, "folder")
    return target_entry(name, "file" if stat.S_ISREG(mode) else "other", attributes.st_size)
