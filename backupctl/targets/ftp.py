"""FTP, and FTPS with explicit TLS (RFC 4217), in passive mode.

Paths are relative to the login folder, as curl reads FTP URLs (RFC 1738), or to ``/`` if their first name is not there.
"""

import ftplib
import re
import socket
import ssl
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final

from backupctl.clock import Clock
from backupctl.errors import BackupctlError, NotFoundError
from backupctl.secrets.redaction import Redactor
from backupctl.secrets.secret import Secret
from backupctl.targets import target_errors as errors
from backupctl.targets.access import TargetAccess
from backupctl.targets.ftp_listing import parse_list, parse_mlsd
from backupctl.targets.target import ANSWER_SECONDS, CHUNK_BYTES, CONNECT_SECONDS, TargetEntry, TargetPath, bounded
from backupctl.targets.tls_identity import TlsIdentity

_MAX_REPLY_BYTES: Final = 64 * 1024
_MAX_LISTING_BYTES: Final = 16 * 1024 * 1024
_MAX_SHOWN: Final = 200
_LOST_CODES: Final = {"421", "425", "426"}
_REPLY: Final = re.compile(rb"(?:(\d{3})(?:-(?s:.*?)\n\1(?!-)|(?!-))|\D).*\n")
_INCOMPLETE: Final = re.compile("fail|truncat", re.IGNORECASE)
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
        self._host = access.location.host
        self._identity = TlsIdentity(access, clock)
        self._client = _Client(self._identity, clock)
        self._redactor = Redactor()
        self._redactor.add(access.password or Secret(""))
        self._has_mlsd = False
        self._login_folder = "/"
        self._starts: dict[str, str] = {}

    def log_in(self) -> None:
        """Connect, start TLS, log in, and ask what the server offers."""
        client, access, host = self._client, self._access, self._host
        is_ftps = access.kind == "ftps"
        no_tls = errors.TargetIdentityError(
            "the server does not offer TLS: $1", server=host, hint="enable explicit TLS (AUTH TLS) on the server"
        )
        with self._errors():
            client.connect(host, access.location.port or ftplib.FTP_PORT, CONNECT_SECONDS)
        with self._errors(refusal=no_tls):
            if is_ftps:
                client.start_tls()
        with self._errors(refusal=errors.TargetLoginError("the server rejected the login: $1", server=host)):
            client.login(access.user or "", access.password.reveal() if access.password else "")
        with self._errors(refusal=no_tls):
            if is_ftps:
                client.voidcmd("PBSZ 0")
                client.voidcmd("PROT P")
        with self._errors():
            client.voidcmd("TYPE I")
            with suppress(ftplib.error_perm):
                features = client.sendcmd("FEAT").upper().split()
                self._has_mlsd = "MLST" in features
                if "UTF8" in features:
                    client.sendcmd("OPTS UTF8 ON")
            with suppress(ftplib.error_perm):
                self._login_folder = client.pwd()

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder."""
        content = bytearray()
        with self._errors(folder):
            self._client.voidcmd(f"CWD {self._absolute(folder)}")
            with closing(self._client.receive("MLSD" if self._has_mlsd else "LIST")) as chunks:
                for chunk in chunks:
                    content += chunk
                    if len(content) > _MAX_LISTING_BYTES:
                        raise errors.TargetAnswerError(f"a listing is larger than {_MAX_LISTING_BYTES >> 20} MiB")
        lines = content.decode(errors="backslashreplace").replace("\r\n", "\n").split("\n")
        return bounded((parse_mlsd if self._has_mlsd else parse_list)(lines))

    def stat(self, path: TargetPath) -> TargetEntry:
        """Return one entry from the listing of its folder, as SIZE and MLST may follow links."""
        for each in self.list(path[:-1]):
            if each.name == path[-1]:
                return each
        raise NotFoundError("$1 does not exist", server=self._host, texts=("/" + "/".join(path),))

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
        first = path[0] if path else ""
        for start in (self._login_folder, "/"):
            if first and first not in self._starts and self._login_folder != "/":
                with suppress(ftplib.error_perm):
                    self._client.voidcmd(f"CWD {start.rstrip('/')}/{first}")
                    self._starts[first] = start
        return "/".join((self._starts.get(first, self._login_folder).rstrip("/"), *path)) or "/"

    @contextmanager
    def _errors(self, path: TargetPath = (), *, refusal: BackupctlError | None = None) -> Iterator[None]:
        """Raise the errors of a target; ``refusal`` for a reply 4xx or 5xx, if given."""
        try:
            yield
        except (ftplib.Error, OSError, EOFError, ValueError, OverflowError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            text = " ".join(self._redactor.redact(reason).split())[:_MAX_SHOWN]
            if isinstance(error, ftplib.error_perm | ftplib.error_temp) and text[:3] not in _LOST_CODES:
                raise refusal.with_facts(texts=(text,)) if refusal else self._refused(text, path) from error
            self._client.close()
            raise self._identity.error_for(error) or errors.TargetUnreachableError(
                "connection failed: $1",
                server=self._host,
                texts=(text or "closed by the server",),
                hint="check that no firewall blocks the server's port or its passive ports",
            ) from error

    def _refused(self, reply: str, path: TargetPath) -> BackupctlError:
        """Return the error for a refusal; 550 has many reasons, so the listing of the folder decides."""
        try:
            if reply.startswith("550") and path:
                self.stat(path)
        except NotFoundError as missing:
            return missing
        return errors.TargetAnswerError("$1: $2", server=self._host, texts=("/" + "/".join(path), reply))


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
        self._received = b""  # whatever follows in clear is not the server's
        self.sock = self._with_tls(self._control)

    def putline(self, line: str) -> None:
        if not {"\r", "\n", "\0"}.isdisjoint(line):
            raise errors.TargetAnswerError("a name contains a line break")
        self._control.settimeout(ANSWER_SECONDS)
        self._control.sendall(line.encode(errors="surrogateescape") + b"\r\n")

    def getmultiline(self) -> str:
        deadline = self._clock.monotonic() + ANSWER_SECONDS
        while not (reply := _REPLY.match(self._received)):
            received = self._read(self._control, _MAX_REPLY_BYTES - len(self._received), deadline)
            if not received:
                raise EOFError
            self._received += received
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
        if _INCOMPLETE.search(self.voidresp()):
            raise errors.TargetAnswerError("the server sent a part only; check the permissions of the folder")

    def _with_tls(self, plain: socket.socket, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        """Return a verified TLS connection, which reports an end without close_notify, as an attacker can cause it."""
        tls = self._identity.context.wrap_socket(
            plain, server_hostname=self.host, session=session, suppress_ragged_eofs=False
        )
        try:
            self._identity.check_pin(tls)
        except errors.TargetIdentityError:
            tls.close()
            raise
        return tls

    def _chunk(self, data: socket.socket) -> bytes:
        deadline = self._clock.monotonic() + ANSWER_SECONDS
        chunk = bytearray()
        while len(chunk) < CHUNK_BYTES and (part := self._read(data, CHUNK_BYTES - len(chunk), deadline)):
            chunk += part
        return bytes(chunk)

    def _read(self, source: socket.socket, size: int, deadline: float) -> bytes:
        left = deadline - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        source.settimeout(left)
        return source.recv(size)
