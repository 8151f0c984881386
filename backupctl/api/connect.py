"""Connect to an appliance: a ``RecoveryApi`` from its address, credentials, proxy and trust settings."""

from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx
import msgspec

from backupctl import __version__
from backupctl.api.credential_state import CredentialState
from backupctl.api.endpoint import Family
from backupctl.api.handshake import Connection, check_https
from backupctl.api.recovery_api import RecoveryApi
from backupctl.api.session import Session
from backupctl.api.transport import BoundedTransport, Observer
from backupctl.clock import Clock
from backupctl.errors import UsageError
from backupctl.network.http_transport import network_transport
from backupctl.secrets.redaction import Redactor
from backupctl.secrets.secret import Secret
from backupctl.tls.certificate_errors import certificate_error
from backupctl.tls.peer import pin_verifier
from backupctl.tls.trust_settings import TrustSettings, proxy_context, tls_context

HEADERS: Final = {
    "user-agent": f"backupctl/{__version__}",
    "accept": "application/json",
    "accept-encoding": "identity",
    "cache-control": "no-cache",
}
"""Headers of every request; ``no-cache``, as a caching proxy must not return an older job list."""


class Login(msgspec.Struct, frozen=True):
    """The credentials for an appliance; with ``basic`` each request carries them, and there is no session.

    ``credential_state`` is shared by all appliances of the run with the same user and password.
    """

    user: str
    password: Secret
    basic: bool = False
    credential_state: CredentialState | None = None


def connection_to(
    base_url: str, proxy: str | None, clock: Clock, *, name: str | None = None, selector_words: tuple[str, ...] = ()
) -> Connection:
    """Return the connection to an appliance that is called ``name``; see ``Connection``.

    Raises UsageError for an invalid host name.
    """
    try:
        url = httpx.URL(base_url)
        url.host.lower()  # httpx decodes an international name (xn--...) only here
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UsageError(f"invalid host name {base_url!r}: {error}") from error
    if proxy is None:
        return Connection(url, None, clock, name, selector_words)
    tls = proxy_context() if proxy.startswith("https:") else None
    try:
        return Connection(url, httpx.Proxy(proxy, ssl_context=tls), clock, name, selector_words)
    except httpx.InvalidURL:
        raise UsageError("the proxy has an invalid host name", hint="use http://HOST:PORT") from None


def check_pin_has_tls(base_url: str, trust: TrustSettings) -> None:
    """Raise UsageError for a pin without TLS."""
    if trust.fingerprint is not None:
        check_https(base_url)


def transport_to(connection: Connection, trust: TrustSettings) -> httpx.BaseTransport:
    """Return the transport over the network; an appliance that ``trust`` rejects gets no byte of HTTP.

    Raises ConfigError for unusable trust settings.
    """
    verify = pin_verifier(trust.fingerprint, connection.peer) if trust.fingerprint else lambda _: None
    return network_transport(
        tls=tls_context(trust),
        verify=verify,
        explain=lambda error: certificate_error(error, connection.peer, trust.store, connection.clock.now()),
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
    selector_words: tuple[str, ...] = (),
    clock: Clock,
    observe: Observer,
    trust: TrustSettings = TrustSettings(),
    family: str | None = None,
    proxy: str | None = None,
    transport: httpx.BaseTransport | None = None,
    read_only: bool = False,
    redactor: Redactor | None = None,
) -> RecoveryApi:
    """Return the recovery API of the appliance at ``base_url``; nothing is sent yet.

    ``name`` is its name in results and ``selector_words`` are its options in hints, see ``Connection``. ``family`` is
    ``rest``, ``api`` or None to find out. ``transport`` replaces the network, such as by the simulator. With
    ``read_only``, requests that change the appliance are refused. ``redactor`` masks the secrets that it echoes.

    Raises ConfigError for unusable trust settings, UsageError for an invalid host name.
    """
    connection = connection_to(base_url, proxy, clock, name=name, selector_words=selector_words)
    check_pin_has_tls(base_url, trust)
    redactor = redactor or Redactor()
    redactor.add(*proxy_secrets(connection.proxy))
    bounded = BoundedTransport(transport or transport_to(connection, trust), clock, observe, redactor)
    session = Session(
        login.user,
        login.password,
        name=name,
        clock=clock,
        family=Family(family) if family else None,
        basic=login.basic,
        credential_state=login.credential_state,
        headers=HEADERS,
        redactor=redactor,
    )
    return RecoveryApi(_client(connection.url, bounded), session, read_only=read_only)


def proxy_secrets(proxy: httpx.Proxy | None) -> Iterator[Secret]:
    """Yield the secrets that the proxy gets, and may echo."""
    if proxy is not None and proxy.auth is not None:
        user, password = proxy.auth
        yield Secret(password)
        yield Secret(f"{user}:{password}")
