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
from backupctl.network.http_transport import network_transport
from backupctl.network.time_limit import time_limit
from backupctl.rules.hostport import HostPort
from backupctl.targets.access import TargetAccess
from backupctl.targets.multistatus import Resource, read_multistatus
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
from backupctl.targets.target_errors import TargetAnswerError
from backupctl.targets.tls_identity import TlsIdentity

_SUCCESS: Final = {"PROPFIND": {207}, "GET": {200}, "DELETE": {200, 204}}

_PROPERTIES: Final = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/></prop></propfind>'
)


def connect(access: TargetAccess, clock: Clock) -> "WebdavTarget":
    """Return the target after a first request, which shows what is wrong with the server or the login."""
    identity = TlsIdentity(access, clock)
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
        self._errors = ServerErrors(access)
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
            raise self._errors.refused(folder, "not a folder" if own else _UNEXPECTED)
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
            raise self._errors.refused(path, _UNEXPECTED)
        return TargetEntry("".join(path[-1:]), found[0].kind, found[0].size)

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        """Yield the content of a file."""
        with self._answer("GET", path) as response:
            yield from self._chunks(response)

    def remove_file(self, path: TargetPath) -> None:
        """Remove one file; DELETE would remove a folder with all that is in it."""
        if self.stat(path).kind != "file":
            raise self._errors.refused(path, "not a file")
        self._delete(path, depth="0")

    def remove_empty_dir(self, path: TargetPath) -> None:
        """Remove a folder, which must be empty; DELETE would remove what is in it."""
        if self.list(path):
            raise self._errors.refused(path, "the folder is not empty")
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
                raise self._errors.refused(path, f"{_UNEXPECTED}: {error}") from error

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
            no_answer = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
            raise self._errors.unreachable(f"no answer within {ANSWER_SECONDS:g} s" if no_answer else error) from error

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield the body in chunks, each within the time limit; without a length, half a body would look whole."""
        if not {"content-length", "transfer-encoding"} & response.headers.keys():
            raise self._errors.refused((), "the response has no length")
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
        if status == 404:
            return self._errors.missing(path)
        if status == 401:
            has_basic = "basic" in headers.get("www-authenticate", "").lower()
            return self._errors.rejected("wrong user name or password" if has_basic else _NO_BASIC)
        reason = _REASONS.get(status, f"{method} was refused") + f" (status {status})"
        if "location" in headers:
            reason += f", redirected to {headers['location']}"
        return self._errors.refused(path, reason, status)


def _entry(found: Resource, folder: TargetPath) -> TargetEntry:
    if found.path and found.path[:-1] == folder:
        return target_entry(found.path[-1], found.kind, found.size)
    return target_entry(found.href, "other")


_NO_BASIC: Final = "it does not accept Basic authentication, and backupctl has no other"
_UNEXPECTED: Final = "unexpected answer to PROPFIND"
_REASONS: Final[Mapping[int, str]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), "backupctl does not follow redirects"),
    **dict.fromkeys((200, 400, 405, 501), "it does not offer WebDAV here"),
    403: "permission denied",
}
