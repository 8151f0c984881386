"""TLS handshakes that are looked at: what an appliance presents, and whether it is what was pinned.

Both are asked on the very connection, directly after its handshake and before any byte of HTTP.
"""

import hmac
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from backupctl.api.network import network_transport
from backupctl.api.transport import CONNECT_SECONDS, within_seconds
from backupctl.clock import Clock
from backupctl.errors import CertificateError, PinMismatchError, UsageError
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.tls.presented import Presented, TlsConnection, presented_by


@dataclass(frozen=True)
class Connection:
    """Where an appliance is, and through which proxy it is reached; ``name`` is what it is called, if not its host.

    ``words`` are those that select it on a command line, where that takes more than ``-s`` with what it is called.
    """

    url: httpx.URL
    proxy: httpx.Proxy | None
    clock: Clock
    name: str | None = None
    words: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The host of the appliance."""
        return self.url.host

    @property
    def server(self) -> str:
        """The appliance as ``--server`` names it: by its name, else its host with a port that is not the usual one."""
        return self.name or self.url.netloc.decode()

    @property
    def selector(self) -> tuple[str, ...]:
        """The words that select the appliance on a command line."""
        return self.words or ("-s", self.server)


class _SeenError(Exception):
    """Enough was seen; the connection is given up before anything is sent."""


def pinned_to(fingerprint: str, connection: Connection) -> Callable[[TlsConnection], None]:
    """Return what judges a connection by its certificate; it raises PinMismatchError."""

    def judge(tls: TlsConnection) -> None:
        presented = fingerprint_of(tls.getpeercert(binary_form=True) or b"")
        if not hmac.compare_digest(presented, fingerprint):
            raise PinMismatchError.of(connection.server, fingerprint, presented, selector=connection.selector)

    return judge


def check_tls(url: str) -> None:
    """Raise UsageError for an appliance without TLS, which has no certificate."""
    if not url.startswith("https:"):
        raise UsageError(f"{url} has no TLS, and so no certificate", hint="name it with https://")


def shake_hands(
    connection: Connection,
    tls: ssl.SSLContext,
    explain: Callable[[BaseException], CertificateError | None] = lambda _: None,
) -> Presented:
    """Shake hands, hang up, and return what was presented; not a byte of HTTP is sent.

    Raises httpx.RequestError where that fails, CertificateError where ``explain`` returns one for it.
    """
    check_tls(str(connection.url))
    seen: list[Presented] = []

    def witness(connection: TlsConnection) -> None:
        seen.append(presented_by(connection))
        raise _SeenError

    transport = network_transport(
        tls=tls, judge=witness, explain=explain, proxy=connection.proxy, clock=connection.clock
    )
    timeout = httpx.Timeout(CONNECT_SECONDS).as_dict()
    with transport, within_seconds(connection.clock, 2 * CONNECT_SECONDS):
        try:
            transport.handle_request(httpx.Request("GET", connection.url, extensions={"timeout": timeout}))
        except _SeenError:
            return seen[0]
    raise AssertionError("a request was answered without a handshake")
