"""Bounds on what a server may cost us: the time of a whole request and the size of a body.

httpx bounds each read, so a server that sends one byte now and then holds a request for ever, and it decodes
compressed bodies without limit. Here the time of a request is bounded by the clock, down in the sockets, and the whole
body is read and decoded within ``MAX_BODY_BYTES`` before anything above sees it.
"""

import contextlib
import contextvars
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import httpx

from backupctl.api.extensions import RAW_HEADERS, REDACT
from backupctl.api.wire_log import redacted_path, wire_log_lines
from backupctl.clock import Clock
from backupctl.errors import ApplianceAnswerError
from backupctl.secrets.redaction import Redactor

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
"""The largest body that is read, in bytes, before and after decoding; a long job history is some 100 kB."""

CONNECT_TIMEOUT_SECONDS: Final = 10.0
READ_RESPONSE_TIMEOUT_SECONDS: Final = 30.0
CHANGE_TIMEOUT_SECONDS: Final = 300.0
"""How long the answer to a request that changes something may take: the appliance checks the location meanwhile."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and how it ended, for ``-v``: ``status`` is None where no answer came.

    ``lines`` returns headers and bodies of both, secrets masked, for ``-vv``.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    lines: Callable[[], list[str]] = field(default=list, compare=False, repr=False)


Observer = Callable[[Exchange], None]

_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline", default=float("inf"))


def timeout_for(method: str) -> httpx.Timeout:
    """Return the timeouts of one request: reading waits less than changing."""
    seconds = READ_RESPONSE_TIMEOUT_SECONDS if method == "GET" else CHANGE_TIMEOUT_SECONDS
    return httpx.Timeout(seconds, connect=CONNECT_TIMEOUT_SECONDS)


@contextlib.contextmanager
def time_limit(clock: Clock, seconds: float) -> Iterator[None]:
    """Let no wait in the block last beyond ``seconds`` from now."""
    token = _deadline.set(clock.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left(clock: Clock) -> float:
    """Return how long a wait may last, which is infinite outside of ``time_limit``."""
    return _deadline.get() - clock.monotonic()


class BoundedTransport(httpx.BaseTransport):
    """Reads whole answers through another transport within the bounds, and tells an observer of each exchange."""

    def __init__(
        self, inner: httpx.BaseTransport, clock: Clock, observe: Observer, known: Redactor | None = None
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._observe = observe
        self._known = known or Redactor()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer with its body read and decoded.

        Raises httpx.TransportError where none came in time, ApplianceAnswerError where it is too large.
        """
        started = self._clock.monotonic()
        timeouts = request.extensions["timeout"]
        status = answer = None
        try:
            with time_limit(self._clock, timeouts["connect"] + timeouts["read"]):
                response = self._inner.handle_request(request)
                status = response.status_code
                answer = self._read_response(request, response)
                return answer
        finally:
            seconds = self._clock.monotonic() - started
            lines = partial(wire_log_lines, request, answer, self._known)
            with contextlib.suppress(Exception):  # what is shown of a request never costs its answer
                path = self._known.redact(redacted_path(request), skip_common_words=True)
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
                    raise _too_large(request)
                if seconds_left(self._clock) < 0:
                    raise httpx.ReadTimeout("the time for the whole request is over", request=request)
        finally:
            response.close()
        coding = self._known.redact(response.headers.get("content-encoding", "identity"), skip_common_words=True)
        return httpx.Response(
            response.status_code,
            headers=[(name, value) for name, value in response.headers.raw if name.lower() not in _REMOVED_HEADERS],
            content=_decoded(bytes(body), coding.strip().lower(), request),
            request=request,
            extensions={REDACT: self._known.redact, RAW_HEADERS: response.headers},
        )


_REMOVED_HEADERS: Final = frozenset(
    {
        *(b"content-encoding", b"content-length", b"transfer-encoding"),  # the body is whole and decoded
        b"location",  # httpx builds the next request even where it must not follow, and raises anything for an odd URL
        *(
            b"set-cookie",
            b"set-cookie2",
        ),  # no cookie is kept, and what parses them complains of odd ones with a traceback
    }
)


def _decoded(body: bytes, coding: str, request: httpx.Request) -> bytes:
    """Return the body decoded, within the limit: bodies are asked for unencoded, but a proxy may not listen."""
    if coding in {"identity", ""} or not body:
        return body
    for window_bits in _WINDOW_BITS.get(coding, ()):
        decoder = zlib.decompressobj(window_bits)
        try:
            decoded = decoder.decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            continue
        if len(decoded) > MAX_BODY_BYTES:
            raise _too_large(request)
        if not decoder.eof or decoder.unused_data:
            wrong = "goes on behind its end" if decoder.eof else "ends too early"
            raise httpx.DecodingError(f"the {coding} body {wrong}", request=request)
        return decoded
    if coding in _WINDOW_BITS:
        raise httpx.DecodingError(f"the body is not {coding}", request=request)
    raise httpx.DecodingError(f"the body is encoded as {coding!r}, which was not asked for", request=request)


_WINDOW_BITS: Final = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""What zlib calls the formats; ``deflate`` should mean zlib, but some servers send it without its frame (RFC 9110)."""


def _too_large(request: httpx.Request) -> ApplianceAnswerError:
    return ApplianceAnswerError(
        f"$server answered {request.method} {request.url.path} with more than {MAX_BODY_BYTES >> 20} MiB",
        server=request.url.host,
        hint="a vCenter never does; is this host a vCenter Server appliance?",
        certain=False,
    )
