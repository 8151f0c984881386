"""The TLS handshake with an appliance: the certificates that it presents, and the check of a pin.

Both happen on the connection itself, after its handshake and before any byte of HTTP.
"""

import ssl
from collections.abc import Callable

import httpx
import msgspec

from backupctl.api.transport import CONNECT_TIMEOUT_SECONDS
from backupctl.clock import Clock
from backupctl.errors import CertificateError, UsageError
from backupctl.network.http_transport import network_transport
from backupctl.network.time_limit import time_limit
from backupctl.tls.peer import Peer
from backupctl.tls.presented import Presented, TlsConnection, presented_by


class Connection(msgspec.Struct, frozen=True):
    """The address of an appliance, and the proxy on the way; ``name`` is its name in results, if not its host.

    ``selector_words`` select it on a command line, if ``-s`` with its name is not enough.
    """

    url: httpx.URL
    proxy: httpx.Proxy | None
    clock: Clock
    name: str | None = None
    selector_words: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The host of the appliance."""
        return self.url.host

    @property
    def server(self) -> str:
        """The value for ``--server``: its name, else its host, with the port unless that is the default."""
        return self.name or self.url.netloc.decode()

    @property
    def selector(self) -> tuple[str, ...]:
        """The words that select the appliance on a command line."""
        return self.selector_words or ("-s", self.server)

    @property
    def peer(self) -> Peer:
        """The appliance, for errors about its certificate."""
        return Peer(self.host, self.server, self.selector)


class _HandshakeDone(Exception):  # noqa: N818 - it ends the connection, and is no error
    """Close the connection after its handshake, before anything is sent."""


def check_https(url: str) -> None:
    """Raise UsageError for a URL without TLS, as there is no certificate."""
    if not url.startswith("https:"):
        raise UsageError(f"{url} has no TLS certificate", hint="use https://")


def perform_handshake(
    connection: Connection,
    tls: ssl.SSLContext,
    explain: Callable[[BaseException], CertificateError | None] = lambda _: None,
) -> Presented:
    """Perform a TLS handshake, close the connection, and return the presented certificates; no HTTP is sent.

    Raises httpx.RequestError when it fails, or the error that ``explain`` returns for that.
    """
    check_https(str(connection.url))
    presented: list[Presented] = []

    def verify(tls_connection: TlsConnection) -> None:
        presented.append(presented_by(tls_connection))
        raise _HandshakeDone

    transport = network_transport(
        tls=tls, verify=verify, explain=explain, proxy=connection.proxy, clock=connection.clock
    )
    timeout = httpx.Timeout(CONNECT_TIMEOUT_SECONDS).as_dict()
    with transport, time_limit(connection.clock, 2 * CONNECT_TIMEOUT_SECONDS):
        try:
            transport.handle_request(httpx.Request("GET", connection.url, extensions={"timeout": timeout}))
        except _HandshakeDone:
            return presented[0]
    raise AssertionError("a request was sent without a handshake")
