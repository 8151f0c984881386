"""FTP, and FTPS with explicit TLS (RFC 4217), in passive mode.

Paths are relative to the login folder, or to the root after two slashes, as curl reads FTP URLs (RFC 1738).
"""

import ftplib
import re
import socket
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final

from backupctl.clock import Clock
from backupctl.errors import BackupctlError, NotFoundError
from backupctl.targets.access import TargetAccess
from backupctl.targets.ftp_listing import parse_list
from backupctl.targets.server_errors import ServerErrors
from backupctl.targets.target import ANSWER_SECONDS, CHUNK_BYTES, CONNECT_SECONDS, TargetEntry, TargetPath, bounded
from backupctl.targets.target_errors import TargetAnswerError, TargetIdentityError
from backupctl.targets.tls_identity import TlsIdentity

_MAX_REPLY_BYTES: Final = 64 * 1024
_MAX_LISTING_BYTES: Final = 16 * 1024 * 1024
_LOST_CODES: Final = {"421", "425", "426"}
_REPLY: Final = re.compile(rb"(?:(\d{3})(?:-(?s:.*?)\n\1(?!-)|(?!-))|\D).*\n")
_PATH: Final = re.compile('"[^"]*"')
_INCOMPLETE: Final = re.compile("failed to open|truncated", re.IGNORECASE)
"""In a reply 226: "Transfer done (but failed to open directory)" of vsftpd, "Output truncated" of Pure-FTPd."""


def connect(access: TargetAccess, clock: Clock) -> "FtpTarget":
    """Connect and log in, without a user as ``anonymous``; to FTPS locations no password is sent without TLS."""
    target = FtpTarget(access, clock)
    try:
        target.log_in()
    except BackupctlError:
        target.close()
        raise
    return target


class FtpTarget:
    """The folders of an FTP server."""

    def __init__(self, access: TargetAccess, clock: Clock) -> None:
        self._access = access
        self._server_errors = ServerErrors(access)
        self._identity = TlsIdentity(access, clock)
        self._client = _Client(self._identity, clock)
        self._login_folder = "/"

    def log_in(self) -> None:
        """Connect, start TLS, log in, and ask for the login folder."""
        client, access, errors = self._client, self._access, self._server_errors
        with self._errors():
            client.connect(access.location.host, access.location.server_port, CONNECT_SECONDS)
        with self._errors(refusal=self._without_tls):
            if access.kind == "ftps":
                client.start_tls()
        with self._errors(refusal=errors.rejected):
            client.login(access.user or "", access.password.reveal() if access.password else "")
        with self._errors():
            if access.kind == "ftps":
                client.voidcmd("PBSZ 0")
                client.voidcmd("PROT P")
            client.voidcmd("TYPE I")
            with suppress(ftplib.error_perm, ftplib.error_temp):
                client.sendcmd("OPTS UTF8 ON")
            with suppress(ftplib.error_perm):
                self._login_folder = client.pwd()

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder."""
        with self._errors(folder):
            self._client.voidcmd(f"CWD {self._absolute(folder)}")
            content = b""
            with suppress(ftplib.error_perm):
                content = self._listing("LIST -a")
            # Servers that know "-a" list "." and ".." even in an empty folder.
            content = content or self._listing("LIST")
        return bounded(parse_list(content.decode(errors="backslashreplace").replace("\r\n", "\n").split("\n")))

    def _listing(self, command: str) -> bytes:
        content = bytearray()
        with closing(self._client.receive(command)) as chunks:
            for chunk in chunks:
                content += chunk
                if len(content) > _MAX_LISTING_BYTES:
                    raise TargetAnswerError(f"a listing is larger than {_MAX_LISTING_BYTES >> 20} MiB")
        return bytes(content)

    def stat(self, path: TargetPath) -> TargetEntry:
        """Return one entry from the listing of its folder, as SIZE and MLST may follow links."""
        for each in self.list(path[:-1]):
            if each.name == path[-1]:
                return each
        raise self._server_errors.missing(path)

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        """Yield the content of a file."""
        with self._errors(path):
            yield from self._client.receive(f"RETR {self._absolute(path)}")

    def remove_file(self, path: TargetPath) -> None:
        """Remove one file."""
        with self._errors(path):
            self._client.voidcmd(f"DELE {self._absolute(path)}")

    def remove_empty_dir(self, path: TargetPath) -> None:
        """Remove a folder, which must be empty."""
        with self._errors(path):
            self._client.voidcmd(f"RMD {self._absolute(path)}")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _absolute(self, path: TargetPath) -> str:
        start = () if path[:1] == ("",) else (self._login_folder.rstrip("/"),)
        return "/".join((*start, *path)) or "/"

    def _without_tls(self, reply: str) -> TargetIdentityError:
        hint = "enable explicit TLS (AUTH TLS) on the server"
        message, server = "$server does not offer TLS: $1", self._server_errors.name
        return self._server_errors.untrusted(TargetIdentityError(message, server=server, texts=(reply,), hint=hint))

    @contextmanager
    def _errors(
        self, path: TargetPath = (), *, refusal: Callable[[str], BackupctlError] | None = None
    ) -> Iterator[None]:
        """Raise the errors of a target; those of ``refusal`` for a reply 4xx or 5xx, if given."""
        try:
            yield
        except (ftplib.Error, OSError, EOFError, ValueError, OverflowError) as error:
            text = self._server_errors.text(getattr(error, "reason", None) or error)
            if isinstance(error, ftplib.error_perm | ftplib.error_temp) and text[:3] not in _LOST_CODES:
                raise refusal(text) if refusal else self._refused(text, path) from error
            self._client.close()
            raise self._identity.error_for(error) or self._server_errors.unreachable(text) from error

    def _refused(self, reply: str, path: TargetPath) -> BackupctlError:
        """Return the error for a refusal; 550 has many reasons, so the listing of the folder decides."""
        try:
            if reply.startswith("550") and path:
                self.stat(path)
        except NotFoundError as missing:
            return missing
        return self._server_errors.refused(path, reply)


class _Client(ftplib.FTP):
    """The library's client with TLS, and with limits of time and size.

    Data connections reuse the TLS session, as vsftpd requires (``require_ssl_reuse``); the library's own do not, see
    https://github.com/python/cpython/issues/63699.
    """

    def __init__(self, identity: TlsIdentity, clock: Clock) -> None:
        super().__init__()
        self._identity = identity
        self._clock = clock
        self._received = b""

    @property
    def _control(self) -> socket.socket:
        if self.sock is None:
            raise EOFError
        return self.sock

    def start_tls(self) -> None:
        self.voidcmd("AUTH TLS")
        self._received = b""  # bytes that arrived before TLS: anybody could have sent them
        self.sock = self._with_tls(self._control)

    def putline(self, line: str) -> None:
        if not {"\r", "\n", "\0"}.isdisjoint(line):
            raise TargetAnswerError("a name or the password contains a line break")
        self._control.settimeout(0)
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            self._received += self._control.recv(_MAX_REPLY_BYTES)
        if self._received:  # else it would be taken for the reply to this command
            raise ValueError(f"unexpected reply {self._received.decode(errors='backslashreplace')}")
        self._control.settimeout(ANSWER_SECONDS)
        self._control.sendall(line.encode(errors="surrogateescape") + b"\r\n")

    def getmultiline(self) -> str:
        deadline = self._clock.monotonic() + ANSWER_SECONDS
        while not (reply := _REPLY.match(self._received)):
            received = self._read(self._control, _MAX_REPLY_BYTES, deadline)
            if not received:
                raise EOFError
            self._received += received
            if len(self._received) > _MAX_REPLY_BYTES:
                raise ValueError(f"a reply is larger than {_MAX_REPLY_BYTES >> 10} KiB")
        self._received = self._received[reply.end() :]
        return reply[0].decode(errors="backslashreplace").replace("\r\n", "\n").rstrip("\n")

    def receive(self, command: str) -> Generator[bytes, None, None]:
        """Yield what a command sends; each chunk must arrive within ANSWER_SECONDS."""
        data = self.transfercmd(command)
        if isinstance(self.sock, ssl.SSLSocket):
            data = self._with_tls(data, self.sock.session)
        with data:
            try:
                while chunk := self._chunk(data):
                    yield chunk
            except GeneratorExit:
                data.close()
                try:
                    self.getmultiline()  # 426, or 226 if all was sent
                except (OSError, EOFError):
                    self.close()
                raise
            if isinstance(data, ssl.SSLSocket):
                with suppress(OSError):
                    data.unwrap()  # some servers wait for the end of TLS
        if _INCOMPLETE.search(_PATH.sub("", self.voidresp())):
            raise TargetAnswerError("the listing is incomplete; check the permissions of the folder")

    def _with_tls(self, plain: socket.socket, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        """Return a verified TLS connection, which reports an end without close_notify, as an attacker can cause it."""
        tls = self._identity.context.wrap_socket(
            plain, server_hostname=self.host, session=session, suppress_ragged_eofs=False
        )
        try:
            self._identity.check_pin(tls)
        except TargetIdentityError:
            tls.close()
            raise
        return tls

    def _chunk(self, data: socket.socket) -> bytes:
        deadline = self._clock.monotonic() + ANSWER_SECONDS
        chunk = bytearray()
        while len(chunk) < CHUNK_BYTES and (part := self._read(data, CHUNK_BYTES - len(chunk), deadline)):
            chunk += part
        return bytes(chunk)

    def close(self) -> None:
        """Close the connection; a thread that reads from it gets the end."""
        with suppress(OSError, EOFError):
            self._control.shutdown(socket.SHUT_RDWR)
        super().close()

    def _read(self, source: socket.socket, size: int, deadline: float) -> bytes:
        left = deadline - self._clock.monotonic()
        if left <= 0 or self.sock is None:
            raise TimeoutError("timed out")
        source.settimeout(left)
        return source.recv(size)
