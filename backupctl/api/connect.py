"""How an appliance is reached: trust, proxy and credentials put together to a ``RecoveryApi``."""

from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx
import msgspec

from backupctl import __version__
from backupctl.api.certificate_errors import certificate_error
from backupctl.api.credential_state import CredentialState
from backupctl.api.endpoint import Family
from backupctl.api.handshake import Connection, check_https, pin_verifier
from backupctl.api.network import network_transport
from backupctl.api.recovery import RecoveryApi
from backupctl.api.session import Session
from backupctl.api.transport import BoundedTransport, Observer
from backupctl.clock import Clock
from backupctl.errors import UsageError
from backupctl.secrets.redaction import Redactor
from backupctl.secrets.secret import Secret
from backupctl.tls.trust_settings import TrustSettings, proxy_context, tls_context

HEADERS: Final = {
    "user-agent": f"backupctl/{__version__}",
    "accept": "application/json",
    "accept-encoding": "identity",
    "cache-control": "no-cache",
}
"""What every request carries; a caching proxy on the way must not answer with an older job list."""


class Login(msgspec.Struct, frozen=True):
    """As whom we come; ``basic`` sends the credentials with each request instead of opening a session.

    ``account`` is what the run knows of this user and password, shared by all appliances where they are the same.
    """

    user: str
    password: Secret
    basic: bool = False
    credential_state: CredentialState | None = None


def connection_to(
    base_url: str, proxy: str | None, clock: Clock, *, name: str | None = None, words: tuple[str, ...] = ()
) -> Connection:
    """Return the connection to an appliance that is called ``name``, and selected by ``words`` on a command line.

    Raises UsageError for an invalid host name.
    """
    try:
        url = httpx.URL(base_url)
        url.host.lower()  # an international name (xn--...) is not read before
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UsageError(f"{base_url!r} is no host name: {error}") from error
    if proxy is None:
        return Connection(url, None, clock, name, words)
    tls = proxy_context() if proxy.startswith("https:") else None
    try:
        return Connection(url, httpx.Proxy(proxy, ssl_context=tls), clock, name, words)
    except httpx.InvalidURL:
        raise UsageError("the proxy has a host name that cannot be one", hint="write http://HOST:PORT") from None


def check_pin(base_url: str, trust: TrustSettings) -> None:
    """Raise UsageError for a pin where there is no certificate."""
    if trust.fingerprint is not None:
        check_https(base_url)


def transport_to(connection: Connection, trust: TrustSettings) -> httpx.BaseTransport:
    """Return the transport over the network; an appliance that ``trust`` rejects gets no byte of HTTP.

    Raises ConfigError for trust settings that cannot be used.
    """
    verify = pin_verifier(trust.fingerprint, connection) if trust.fingerprint else lambda _: None
    return network_transport(
        tls=tls_context(trust),
        verify=verify,
        explain=lambda error: certificate_error(error, connection, trust.store),
        proxy=connection.proxy,
        clock=connection.clock,
    )


def _client(url: httpx.URL, transport: httpx.BaseTransport) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        transport=transport,
        headers=HEADERS,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def connect(
    base_url: str,
    login: Login,
    *,
    name: str | None = None,
    words: tuple[str, ...] = (),
    clock: Clock,
    observe: Observer,
    trust: TrustSettings = TrustSettings(),
    family: str | None = None,
    proxy: str | None = None,
    transport: httpx.BaseTransport | None = None,
    read_only: bool = False,
    known: Redactor | None = None,
) -> RecoveryApi:
    """Return the recovery API of the appliance at ``base_url``; nothing is sent yet.

    ``name`` is what results call it, if not by its host, ``words`` what a command line needs to reach the same one, for
    hints. ``family`` is ``rest``, ``api`` or None to find out, ``transport`` another way than the network, such as the
    simulator. ``read_only`` refuses what would change the appliance. ``known`` are secrets to mask in what it says.

    Raises ConfigError for trust settings that cannot be used, UsageError for a host name that cannot be one.
    """
    connection = connection_to(base_url, proxy, clock, name=name, words=words)
    check_pin(base_url, trust)
    known = known or Redactor()
    known.add(*proxy_secrets(connection.proxy))
    bounded = BoundedTransport(transport or transport_to(connection, trust), clock, observe, known)
    session = Session(
        login.user,
        login.password,
        name=name,
        clock=clock,
        family=Family(family) if family else None,
        basic=login.basic,
        credential_state=login.credential_state,
        headers=HEADERS,
        known=known,
    )
    return RecoveryApi(_client(connection.url, bounded), session, read_only=read_only)


def proxy_secrets(proxy: httpx.Proxy | None) -> Iterator[Secret]:
    """Yield what the proxy gets from us and may say again."""
    if proxy is not None and proxy.auth is not None:
        user, password = proxy.auth
        yield Secret(password)
        yield Secret(f"{user}:{password}")
