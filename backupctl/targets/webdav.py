"""WebDAV over HTTP and HTTPS (RFC 4918), with the Basic authentication of HTTP.

Requests go to the location's host only: the addresses in answers give names, and no redirect is followed.
"""

import base64
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Final
from urllib.parse import quote

import httpx

from backupctl import __version__
from backupctl.clock import Clock
from backupctl.errors import BackupctlError, NotFoundError, UsageError
from backupctl.network.http_transport import network_transport, reason_of
from backupctl.network.time_limit import time_limit
from backupctl.rules.hostport import HostPort
from backupctl.targets.access import TargetAccess
from backupctl.targets.multistatus import Resource, read_multistatus
from backupctl.targets.target import (
    ANSWER_SECONDS,
    CHUNK_BYTES,
    CONNECT_SECONDS,
    MAX_NAME,
    TargetEntry,
    TargetPath,
    bounded,
    target_entry,
)
from backupctl.targets.target_errors import TargetAnswerError, TargetLoginError, TargetUnreachableError
from backupctl.targets.tls_identity import TlsIdentity

_SUCCESS: Final = {"PROPFIND": {207}, "GET": {200}, "DELETE": {200, 204}}

_PROPERTIES: Final = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/></prop></propfind>'
)


def connect(access: TargetAccess, clock: Clock) -> "WebdavTarget":
    """Return the target after a first request, which shows what is wrong with the server or the login."""
    identity = TlsIdentity(access, clock)
    if access.kind == "http" and access.tls.fingerprint is not None:
        raise UsageError("a certificate is pinned, but the location has no TLS", hint="use an https:// location")
    transport = network_transport(
        tls=identity.context, proxy=None, clock=clock, verify=identity.check_pin, explain=identity.error_for
    )
    target = WebdavTarget(access, clock, transport)
    try:
        with suppress(NotFoundError):
            target.stat(access.folder)
    except BaseException:
        target.close()
        raise
    return target


class WebdavTarget:
    """A WebDAV server, over a transport that keeps one connection open."""

    def __init__(self, access: TargetAccess, clock: Clock, transport: httpx.BaseTransport) -> None:
        place = access.location
        try:
            self._root = httpx.URL(f"{access.kind}://{HostPort(place.host, place.port)}")
        except httpx.InvalidURL as error:
            raise UsageError("the location has an invalid host name") from error
        self._server = place.host
        self._clock = clock
        self._transport = transport
        self._headers = {"User-Agent": f"backupctl/{__version__}", "Accept-Encoding": "identity"}
        if access.user is not None:
            login = f"{access.user}:{access.password.reveal() if access.password else ''}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder."""
        found = self._propfind(folder, depth="1", slash="/")
        own = [each for each in found if each.path == folder]
        if not own or own[0].kind != "folder":
            raise self._unusable(folder, "not a folder" if own else "the server listed another folder")
        return bounded(_entry(each, folder) for each in found if each.path != folder)

    def stat(self, path: TargetPath) -> TargetEntry:
        """Return one entry."""
        try:
            resources = self._propfind(path, depth="0")
        except TargetAnswerError as error:
            if error.facts.status != 301:  # Apache's mod_dir wants a slash behind the name of a folder
                raise
            resources = self._propfind(path, depth="0", slash="/")
        found = [each for each in resources if each.path == path]
        if not found:
            raise self._unusable(path, "the server described something else")
        return TargetEntry("".join(path[-1:]), found[0].kind, found[0].size)

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        """Yield the content of a file."""
        with self._answer("GET", path) as response:
            yield from self._chunks(response)

    def remove_file(self, path: TargetPath) -> None:
        """Remove one file; DELETE would remove a folder with all that is in it."""
        if self.stat(path).kind != "file":
            raise self._unusable(path, "not a file")
        self._delete(path, depth="0")

    def remove_empty_dir(self, path: TargetPath) -> None:
        """Remove a folder, which must be empty; DELETE would remove what is in it."""
        if self.list(path):
            raise self._unusable(path, "the folder is not empty")
        self._delete(path, depth="infinity", slash="/")

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _propfind(self, path: TargetPath, *, depth: str, slash: str = "") -> tuple[Resource, ...]:
        headers = {"Depth": depth, "Content-Type": "application/xml"}
        with self._answer("PROPFIND", path, headers, slash=slash, content=_PROPERTIES) as response:
            try:
                return read_multistatus(self._chunks(response))
            except (SyntaxError, LookupError, ValueError) as error:
                raise self._unusable(path, "the list of files is not valid WebDAV") from error

    def _delete(self, path: TargetPath, *, depth: str, slash: str = "") -> None:
        with self._answer("DELETE", path, {"Depth": depth}, slash=slash) as response:
            self._skip(response)

    @contextmanager
    def _answer(
        self, method: str, path: TargetPath, headers: Mapping[str, str] = {}, *, slash: str = "", content: bytes = b""
    ) -> Iterator[httpx.Response]:
        """Send a request, and yield its response if it has the right status."""
        target = "/" + "/".join(quote(name, safe="") for name in path) + (slash if path else "")
        url = self._root.copy_with(raw_path=target.encode())
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS).as_dict()
        request = httpx.Request(
            method, url, headers={**self._headers, **headers}, content=content, extensions={"timeout": timeout}
        )
        try:
            with time_limit(self._clock, ANSWER_SECONDS):
                response = self._transport.handle_request(request)
            try:
                if response.status_code not in _SUCCESS[method]:
                    self._skip(response)
                    raise self._refusal(response, method, path)
                yield response
            finally:
                response.close()
        except httpx.TransportError as error:
            message = next(text for kind, text in _LOST.items() if isinstance(error, kind))
            raise TargetUnreachableError(message, server=self._server, texts=(reason_of(error),)) from error

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield the body in chunks, each within the time limit; one without a length cannot be told from half of it."""
        if not {"content-length", "transfer-encoding"} & response.headers.keys():
            raise TargetAnswerError("the response has no length", server=self._server)
        pieces = response.iter_raw()
        while True:
            chunk = bytearray()
            with time_limit(self._clock, ANSWER_SECONDS):
                while len(chunk) < CHUNK_BYTES and (piece := next(pieces, None)) is not None:
                    chunk += piece
            if not chunk:
                return
            yield bytes(chunk)

    def _skip(self, response: httpx.Response) -> None:
        """Read a body that does not matter, so that the connection stays usable; a long one closes it."""
        with time_limit(self._clock, ANSWER_SECONDS):
            deque(islice(response.iter_raw(), 8), maxlen=0)

    def _refusal(self, response: httpx.Response, method: str, path: TargetPath) -> BackupctlError:
        """Return the error for a status that is not accepted."""
        status, headers = response.status_code, response.headers
        kind, message = _REFUSALS.get(status, (TargetAnswerError, "the server refused $2 $1 ($status)"))
        if status == 401 and "basic" not in headers.get("www-authenticate", "").lower():
            message = "the server does not accept Basic authentication, and backupctl has no other"
        target = headers.get("location", "")
        texts = ("/" + "/".join(path), method, target if len(target) <= MAX_NAME else "another address")
        return kind(message, server=self._server, texts=texts, status=status)

    def _unusable(self, path: TargetPath, why: str) -> TargetAnswerError:
        return TargetAnswerError("$1: $2", server=self._server, texts=("/" + "/".join(path), why))


def _entry(found: Resource, folder: TargetPath) -> TargetEntry:
    if found.path and found.path[:-1] == folder:
        return target_entry(found.path[-1], found.kind, found.size)
    return target_entry(found.href, "other")


_LOST: Final[Mapping[type[Exception], str]] = {
    httpx.ConnectError: "connection failed: $1",
    httpx.TimeoutException: f"no answer within {ANSWER_SECONDS:g} s",
    httpx.TransportError: "connection lost",
}

_REDIRECT: Final = "the server redirects $1 to $3 ($status); backupctl does not follow redirects"
_NO_WEBDAV: Final = "the server does not offer WebDAV at $1 ($status)"
_REFUSALS: Final[Mapping[int, tuple[type[BackupctlError], str]]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), (TargetAnswerError, _REDIRECT)),
    **dict.fromkeys((200, 400, 405, 501), (TargetAnswerError, _NO_WEBDAV)),
    401: (TargetLoginError, "wrong user name or password"),
    403: (TargetAnswerError, "$1: permission denied"),
    404: (NotFoundError, "$1 does not exist"),
}
