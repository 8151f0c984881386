"""Requests over real sockets: no wait exceeds the deadline of its request, and TLS is checked before HTTP begins.

httpx sends requests through httpcore, but offers no public way to choose the network backend. httpcore does, so its
connection pool is used directly.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import httpcore
import httpx

from backupctl.clock import Clock
from backupctl.errors import ApplianceUnreachableError, BackupctlError, CertificateError, causes_of
from backupctl.network.time_limit import seconds_left
from backupctl.rules.hostport import HostPort
from backupctl.tls.presented import TlsConnection

_CONNECTIONS: Final = 16
"""One is in use. An abandoned call keeps its own until its response comes, and a logout must not wait for that."""

ERRORS: Final = (
    *(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError),
    *(httpcore.ProxyError, httpcore.UnsupportedProtocol),
)
"""The errors of httpcore; httpx has a class of the same name for each."""


class _TlsChecks(NamedTuple):
    """Callbacks for the handshake with a server, called before any byte of HTTP is sent.

    ``verify`` gets the connection of a successful handshake and raises to end it. ``explain`` gets the error of a
    failed one and returns the error to raise instead, or None. A handshake that uses ``proxy_tls`` is a proxy's.
    """

    verify: Callable[[TlsConnection], None]
    explain: Callable[[BaseException], BackupctlError | None]
    proxy_tls: ssl.SSLContext | None


class _BoundedStream(httpcore.NetworkStream):
    """A network stream on which no wait exceeds the deadline of the current request, and TLS is checked.

    ``reusable`` is False once it must not carry another request.
    """

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock, checks: _TlsChecks) -> None:
        self._stream = stream
        self._clock = clock
        self._checks = checks
        self.reusable = True

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
        with_proxy = ssl_context is self._checks.proxy_tls
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, within)
        except httpcore.ConnectError as error:
            explained = _proxy_error(error, server_hostname) if with_proxy else self._checks.explain(error)
            if explained is None:
                raise
            raise explained from error
        if not with_proxy:
            try:
                self._checks.verify(_tls_of(stream))
            except BaseException:
                stream.close()
                raise
        return _BoundedStream(stream, self._clock, self._checks)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        if info == "is_readable":  # httpcore asks this about an idle connection, and closes it if so
            self.reusable = self.reusable and not self._has_more()
            return not self.reusable
        return self._stream.get_extra_info(info)

    def _has_more(self) -> bool:
        """Read without waiting, and return whether unexpected bytes, the end or an error came.

        Only reading finds bytes that TLS has buffered, and skips TLS records that hold no HTTP.
        """
        try:
            self._stream.read(1, timeout=0)
        except httpcore.ReadError as error:
            return not isinstance(error.__cause__, BlockingIOError | ssl.SSLWantReadError)
        return True


def _tls_of(stream: httpcore.NetworkStream) -> TlsConnection:
    """Return the connection of the latest handshake.

    TLS inside the TLS of a proxy is an ``ssl.SSLObject``, and the stream's socket is the one to the proxy. Otherwise
    httpcore returns the private object of an ``ssl.SSLSocket`` as ``ssl_object``, and the ``SSLSocket`` as ``socket``.
    """
    inner = stream.get_extra_info("ssl_object")
    connection = inner if isinstance(inner, ssl.SSLObject) else stream.get_extra_info("socket")
    assert isinstance(connection, TlsConnection)  # noqa: S101 - httpcore makes no other
    return connection


def _proxy_error(error: BaseException, name: str | None) -> CertificateError | None:
    """Return the error for an https:// proxy whose certificate is not trusted, None for other errors."""
    for cause in causes_of(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateError(
                f"the certificate of the proxy {name} is not trusted: {cause.verify_message}",
                hint="add its CA to the system's CA store; --ca-file is for the appliance only",
            )
    return None


def _within(clock: Clock, timeout: float | None, error: type[Exception]) -> float | None:
    left = seconds_left(clock)
    if left <= 0:
        raise error("the whole request timed out")
    bounds = [seconds for seconds in (timeout, left) if seconds is not None and seconds != float("inf")]
    return min(bounds, default=None)


def _proxy_unreachable(error: Exception, proxy: str) -> ApplianceUnreachableError:
    """Return the error for a failed connection to a proxy (``HOST:PORT``)."""
    unknown = any(isinstance(cause, socket.gaierror) for cause in causes_of(error))
    return ApplianceUnreachableError(
        f"cannot reach the proxy {proxy}: $cause",
        cause="unknown host name" if unknown else reason_of(error),
        hint="check --proxy, HTTPS_PROXY or proxy in the configuration file; use none for a direct connection",
    )


def reason_of(error: Exception) -> str:
    """Return why a connection failed: the message of the operating system, else that of the library."""
    messages = (cause.strerror for cause in causes_of(error) if isinstance(cause, OSError) and cause.strerror)
    return next(messages, str(error))


class _BoundedBackend(httpcore.NetworkBackend):
    """Opens bounded streams over real sockets."""

    def __init__(self, clock: Clock, checks: _TlsChecks, *, to_proxy: bool) -> None:
        self._backend = httpcore.SyncBackend()
        self._clock = clock
        self._checks = checks
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
                raise _proxy_unreachable(error, str(HostPort(host, port))) from error
            raise
        return _BoundedStream(stream, self._clock, self._checks)


class NetworkTransport(httpx.BaseTransport):
    """Send the requests of httpx through a connection pool of httpcore."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response, its body not yet read. Raises httpx.TransportError when there is none."""
        with _errors_of_httpx():
            response = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    _url(request.url),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The body of a response; its connection is not reused when the end of the response is ambiguous.

    That is when bytes follow it, or when it has two lengths, a sign of request smuggling
    (https://www.rfc-editor.org/rfc/rfc9112#section-6.3).
    """

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            yield from self._response.iter_stream()
        names = {name.lower() for name, _ in self._response.headers}
        if left_over(self._response) or names >= {b"content-length", b"transfer-encoding"}:
            self._response.extensions["network_stream"].reusable = False

    def close(self) -> None:
        self._response.close()


def left_over(response: httpcore.Response) -> bytes:
    """Return the bytes that follow a response whose body was read to its end.

    h11 keeps them for the next response, and httpcore has no public way to get them.
    """
    try:
        connection = response.stream._stream._connection  # type: ignore[union-attr]  # noqa: SLF001
        data, _ = connection._h11_state.trailing_data  # noqa: SLF001
    except AttributeError:  # another httpcore; a connection that is not reused is safe
        return b"unknown"
    return bytes(data)


@contextlib.contextmanager
def _errors_of_httpx() -> Iterator[None]:
    """Raise the errors of httpcore as those of httpx, which have the same names."""
    try:
        yield
    except ERRORS as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def network_transport(
    *,
    tls: ssl.SSLContext,
    proxy: httpx.Proxy | None,
    clock: Clock,
    verify: Callable[[TlsConnection], None] = lambda _: None,
    explain: Callable[[BaseException], BackupctlError | None] = lambda _: None,
) -> NetworkTransport:
    """Return a transport over real sockets that keeps one connection open; see ``_TlsChecks`` for the callbacks."""
    checks = _TlsChecks(verify, explain, None if proxy is None else proxy.ssl_context)
    settings: Mapping[str, Any] = {
        "ssl_context": tls,
        "max_connections": _CONNECTIONS,
        "max_keepalive_connections": 1,
        "network_backend": _BoundedBackend(clock, checks, to_proxy=proxy is not None),
    }
    if proxy is None:
        return NetworkTransport(httpcore.ConnectionPool(**settings))
    return NetworkTransport(
        httpcore.HTTPProxy(
            _url(proxy.url),
            proxy_auth=proxy.raw_auth,
            proxy_headers=proxy.headers.raw,
            proxy_ssl_context=proxy.ssl_context,
            **settings,
        )
    )
