"""Limits for each request: its total time and the size of the response body.

The timeouts of httpx hold for each read, so a server that sends one byte now and then blocks a request forever, and
httpx decompresses bodies of any size. So each wait of a socket ends at the deadline of its request, and each body is
read and decompressed here, up to ``MAX_BODY_BYTES``.
"""

import contextlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import httpx

from backupctl.api.extensions import RAW_HEADERS, REDACT
from backupctl.api.wire_log import redacted_path, wire_log_lines
from backupctl.clock import Clock
from backupctl.errors import ApplianceAnswerError
from backupctl.network.time_limit import seconds_left, time_limit
from backupctl.secrets.redaction import Redactor

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
"""Limit for a body, before and after decompression; a long job history takes some 100 kB."""

CONNECT_TIMEOUT_SECONDS: Final = 10.0
RESPONSE_TIMEOUT_SECONDS: Final = 30.0
CHANGE_TIMEOUT_SECONDS: Final = 300.0
"""Timeout for the response to a request other than GET; the appliance checks the backup location before it responds."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its outcome, for ``-v``; ``status`` is None without a response.

    ``lines`` returns the headers and bodies of both, with secrets masked, for ``-vv``.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    lines: Callable[[], list[str]] = field(default=list, compare=False, repr=False)


Observer = Callable[[Exchange], None]


def timeout_for(method: str) -> httpx.Timeout:
    """Return the timeouts of a request of the recovery API; one that changes something may take long."""
    return request_timeout(RESPONSE_TIMEOUT_SECONDS if method == "GET" else CHANGE_TIMEOUT_SECONDS)


def request_timeout(seconds: float) -> httpx.Timeout:
    """Return the timeouts of a request whose response may take ``seconds``."""
    return httpx.Timeout(seconds, connect=CONNECT_TIMEOUT_SECONDS)


class BoundedTransport(httpx.BaseTransport):
    """A transport that reads complete responses from another one within the limits, and reports each exchange."""

    def __init__(
        self, inner: httpx.BaseTransport, clock: Clock, observe: Observer, redactor: Redactor | None = None
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._observe = observe
        self._redactor = redactor or Redactor()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response with its body read and decompressed.

        Raises httpx.TransportError: without a response in time. Raises ApplianceAnswerError: if the body is too large.
        """
        started = self._clock.monotonic()
        timeouts = request.extensions["timeout"]
        status = complete = None
        try:
            with time_limit(self._clock, timeouts["connect"] + timeouts["read"]):
                response = self._inner.handle_request(request)
                status = response.status_code
                complete = self._read_response(request, response)
                return complete
        finally:
            seconds = self._clock.monotonic() - started
            lines = partial(wire_log_lines, request, complete, self._redactor)
            with contextlib.suppress(Exception):  # a bug in the log must not lose the response
                path = self._redactor.redact(redacted_path(request), skip_common_words=True)
                self._observe(Exchange(request.method, path, status, seconds, lines))

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _read_response(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        body = bytearray()
        try:
            assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - what a sync transport returns
            for chunk in response.stream:
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise _body_too_large(request)
                if seconds_left(self._clock) < 0:
                    raise httpx.ReadTimeout("the whole request timed out", request=request)
        finally:
            response.close()
        encoding = self._redactor.redact(response.headers.get("content-encoding", "identity"), skip_common_words=True)
        return httpx.Response(
            response.status_code,
            headers=[(name, value) for name, value in response.headers.raw if name.lower() not in _REMOVED_HEADERS],
            content=_decompressed(bytes(body), encoding.strip().lower(), request),
            request=request,
            extensions={REDACT: self._redactor.redact, RAW_HEADERS: response.headers},
        )


_REMOVED_HEADERS: Final = frozenset(
    {
        *(b"content-encoding", b"content-length", b"transfer-encoding"),  # the body is complete and decompressed
        b"location",  # httpx parses the URL even if it must not follow it, and may raise any error
        *(
            b"set-cookie",
            b"set-cookie2",
        ),  # no cookie is kept, and http.cookiejar prints a traceback for a malformed one
    }
)


def _decompressed(body: bytes, encoding: str, request: httpx.Request) -> bytes:
    """Return the body decompressed, within the limit; a proxy may compress although no compression is accepted."""
    if encoding in {"identity", ""} or not body:
        return body
    for window_bits in _WINDOW_BITS.get(encoding, ()):
        decoder = zlib.decompressobj(window_bits)
        try:
            decoded = decoder.decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            continue
        if len(decoded) > MAX_BODY_BYTES:
            raise _body_too_large(request)
        if not decoder.eof or decoder.unused_data:
            problem = "has extra bytes after its end" if decoder.eof else "is truncated"
            raise httpx.DecodingError(f"the {encoding} body {problem}", request=request)
        return decoded
    if encoding in _WINDOW_BITS:
        raise httpx.DecodingError(f"the body is not valid {encoding}", request=request)
    raise httpx.DecodingError(f"unexpected content encoding {encoding!r}", request=request)


_WINDOW_BITS: Final = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""zlib's ``wbits`` for each encoding; some servers send ``deflate`` without the zlib header (RFC 9110, 8.4.1.2)."""


def _body_too_large(request: httpx.Request) -> ApplianceAnswerError:
    return ApplianceAnswerError(
        f"$server sent more than {MAX_BODY_BYTES >> 20} MiB for {request.method} {request.url.path}",
        server=request.url.host,
        hint="check that this host is a vCenter Server appliance",
        certain=False,
    )
