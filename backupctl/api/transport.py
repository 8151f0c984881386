"""Bounds on what a server may cost us: the time of a whole request and the size of a body.

httpx bounds each read, so a server that sends one byte now and then holds a request for ever, and it decodes
compressed bodies without limit. Here the time of a request is bounded by the clock, down in the sockets, and the whole
body is read and decoded within ``BODY_LIMIT`` before anything above sees it.
"""

import contextlib
import contextvars
import ssl
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import httpcore
import httpx

from backupctl.api.error_mapping import no_proxy
from backupctl.api.extensions import RECEIVED, REDACT
from backupctl.api.wire_log import shown_path, trace_lines
from backupctl.clock import Clock
from backupctl.errors import ApplianceAnswerError, CertificateError
from backupctl.rules.hostport import HostPort
from backupctl.secrets.redaction import Redactor

BODY_LIMIT: Final = 8 * 1024 * 1024
"""The largest body that is read, in bytes, before and after decoding; a long job history is some 100 kB."""

_CONNECTIONS: Final = 16
"""One is used. A call that was given up keeps its own until it is answered, and a logout must not wait for that."""

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 30.0
CHANGE_SECONDS: Final = 300.0
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
TlsConnection = ssl.SSLSocket | ssl.SSLObject

_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline", default=float("inf"))


def timeout_for(method: str) -> httpx.Timeout:
    """Return the timeouts of one request: reading waits less than changing."""
    seconds = READ_SECONDS if method == "GET" else CHANGE_SECONDS
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS)


@contextlib.contextmanager
def within_seconds(clock: Clock, seconds: float) -> Iterator[None]:
    """Let no wait in the block last beyond ``seconds`` from now."""
    token = _deadline.set(clock.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


class _Judgement(NamedTuple):
    """Who may end a connection after its handshake, before any byte of HTTP is sent.

    ``judge`` gets the connection's ``ssl.SSLSocket`` or ``ssl.SSLObject`` and raises to end the connection. Every
    handshake is judged but the one that is made with ``proxy_tls``, the context of a proxy on the way.
    """

    judge: Callable[[TlsConnection], None]
    proxy_tls: ssl.SSLContext | None = None


class _BoundedStream(httpcore.NetworkStream):
    """A network stream on which no wait lasts beyond the deadline of the current request, and TLS is judged.

    Once ``spoiled``, it carries no further request.
    """

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock, judgement: _Judgement) -> None:
        self._stream = stream
        self._clock = clock
        self._judgement = judgement
        self.spoiled = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(self._clock, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(self._clock, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        within = _within(self._clock, timeout, httpcore.ConnectTimeout)
        if ssl_context is self._judgement.proxy_tls:
            stream = _start_tls_with_proxy(self._stream, ssl_context, server_hostname, within)
            return _BoundedStream(stream, self._clock, self._judgement)
        stream = self._stream.start_tls(ssl_context, server_hostname, within)
        try:
            self._judgement.judge(_tls_of(stream))
        except BaseException:
            stream.close()
            raise
        return _BoundedStream(stream, self._clock, self._judgement)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        if info == "is_readable":  # asked by httpcore of an idle connection, which it closes if so
            self.spoiled = self.spoiled or self._has_more()
            return self.spoiled
        return self._stream.get_extra_info(info)

    def _has_more(self) -> bool:
        """Read without waiting, and return whether anything came: bytes that nobody asked for, an end or an error.

        Only reading finds what is buffered in the layers of TLS, and passes over records of TLS without a byte of HTTP.
        """
        try:
            self._stream.read(1, timeout=0)
        except httpcore.ReadError as error:
            return not isinstance(error.__cause__, BlockingIOError | ssl.SSLWantReadError)
        return True


def _tls_of(stream: httpcore.NetworkStream) -> TlsConnection:
    """Return the connection whose handshake was the last one.

    TLS within the TLS of a proxy is an ``ssl.SSLObject``, and the stream's socket is then that with the proxy.
    Elsewhere httpcore hands out what is beneath an ``ssl.SSLSocket``, and the socket itself is what was asked for.
    """
    inner = stream.get_extra_info("ssl_object")
    connection = inner if isinstance(inner, ssl.SSLObject) else stream.get_extra_info("socket")
    assert isinstance(connection, TlsConnection)  # noqa: S101 - what httpcore makes of a handshake
    return connection


def _start_tls_with_proxy(
    stream: httpcore.NetworkStream, tls: ssl.SSLContext, name: str | None, within: float | None
) -> httpcore.NetworkStream:
    """Return the connection to an https:// proxy; that it is the proxy whom nobody trusts has to be said."""
    try:
        return stream.start_tls(tls, name, within)
    except httpcore.ConnectError as error:
        if isinstance(error.__context__, ssl.SSLCertVerificationError):
            raise CertificateError(
                f"the certificate of the proxy {name} is not trusted: {error.__context__.verify_message}",
                hint="an https:// proxy is checked against the system's store, whatever the appliance is checked by",
            ) from error
        raise


def _within(clock: Clock, timeout: float | None, error: type[Exception]) -> float | None:
    left = _deadline.get() - clock.monotonic()
    if left <= 0:
        raise error("the time for the whole request is over")
    bounds = [seconds for seconds in (timeout, left) if seconds is not None and seconds != float("inf")]
    return min(bounds, default=None)


class _BoundedBackend(httpcore.NetworkBackend):
    """Opens bounded streams, with the backend that httpcore would use."""

    def __init__(
        self, backend: httpcore.NetworkBackend, clock: Clock, judgement: _Judgement, *, to_proxy: bool
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._judgement = judgement
        self._to_proxy = to_proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        within = _within(self._clock, timeout, httpcore.ConnectTimeout)
        try:
            stream = self._backend.connect_tcp(host, port, within, local_address, socket_options)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            if self._to_proxy:
                raise no_proxy(error, str(HostPort(host, port))) from error
            raise
        return _BoundedStream(stream, self._clock, self._judgement)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def network_transport(
    *,
    tls: ssl.SSLContext,
    proxy: httpx.Proxy | None,
    clock: Clock,
    judge: Callable[[TlsConnection], None] = lambda _: None,
) -> httpx.HTTPTransport:
    """Return the transport over real sockets: one connection that is kept open, all waits bounded, TLS judged."""
    transport = httpx.HTTPTransport(
        verify=tls,
        trust_env=False,
        proxy=proxy,
        limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=1, keepalive_expiry=None),
    )
    # httpx has no public way to hand a network backend down to httpcore; a test with a trickling server holds this.
    pool = transport._pool  # noqa: SLF001
    judgement = _Judgement(judge, None if proxy is None else proxy.ssl_context)
    sockets = pool._network_backend  # noqa: SLF001
    pool._network_backend = _BoundedBackend(sockets, clock, judgement, to_proxy=proxy is not None)  # noqa: SLF001
    return transport


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
            with within_seconds(self._clock, timeouts["connect"] + timeouts["read"]):
                response = self._inner.handle_request(request)
                status = response.status_code
                answer = self._whole(request, response)
                return answer
        finally:
            seconds = self._clock.monotonic() - started
            lines = partial(trace_lines, request, answer, self._known)
            with contextlib.suppress(Exception):  # what is shown of a request never costs its answer
                path = self._known.redact(shown_path(request), skip_common_words=True)
                self._observe(Exchange(request.method, path, status, seconds, lines))

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _whole(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        body = bytearray()
        try:
            assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - what a sync transport returns
            for chunk in response.stream:
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise _too_large(request)
                if self._clock.monotonic() > _deadline.get():
                    raise httpx.ReadTimeout("the time for the whole request is over", request=request)
            _spoil_where_unclear(response)
        finally:
            response.close()
        coding = self._known.redact(response.headers.get("content-encoding", "identity"), skip_common_words=True)
        return httpx.Response(
            response.status_code,
            headers=[(name, value) for name, value in response.headers.raw if name.lower() not in _KEPT_FROM_HTTPX],
            content=_decoded(bytes(body), coding.strip().lower(), request),
            request=request,
            extensions={REDACT: self._known.redact, RECEIVED: response.headers},
        )


def _spoil_where_unclear(response: httpx.Response) -> None:
    """Let the connection carry no further request where bytes follow the answer, or its length is told in two ways.

    h11 keeps the bytes behind an answer, for the next one, and httpx has no public way to ask for them; tests with such
    answers hold this. Both lengths are a sign of an attack (https://www.rfc-editor.org/rfc/rfc9112#section-6.3).
    """
    stream = response.extensions.get("network_stream")
    if not isinstance(stream, _BoundedStream):  # an appliance in this process
        return
    connection = response.stream._httpcore_stream._stream._connection  # type: ignore[union-attr]  # noqa: SLF001
    left_over, _ = connection._h11_state.trailing_data  # noqa: SLF001
    two_lengths = {"content-length", "transfer-encoding"} <= response.headers.keys()
    stream.spoiled = bool(left_over) or two_lengths


_KEPT_FROM_HTTPX: Final = frozenset(
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
            decoded = decoder.decompress(body, BODY_LIMIT + 1)
        except zlib.error:
            continue
        if len(decoded) > BODY_LIMIT:
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
        f"$server answered {request.method} {request.url.path} with more than {BODY_LIMIT >> 20} MiB",
        server=request.url.host,
        hint="a vCenter never does; is this host a vCenter Server appliance?",
        certain=False,
    )
