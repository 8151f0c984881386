"""How an appliance is reached: trust, proxy and credentials put together to a ``RecoveryApi``."""

import functools
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

import httpx

from backupctl import __version__
from backupctl.api.account import Account
from backupctl.api.distrust import ExplainingTransport
from backupctl.api.endpoint import Family
from backupctl.api.handshake import Route, check_tls, pinned_to
from backupctl.api.recovery import RecoveryApi
from backupctl.api.session import Session
from backupctl.api.transport import BoundedTransport, Observer, network_transport
from backupctl.clock import Clock
from backupctl.errors import ConfigError, UsageError
from backupctl.secrets.redaction import KnownSecrets
from backupctl.secrets.secret import Secret

HEADERS: Final = {
    "user-agent": f"backupctl/{__version__}",
    "accept": "application/json",
    "accept-encoding": "identity",
    "cache-control": "no-cache",
}
"""What every request carries; a caching proxy on the way must not answer with an older job list."""


@dataclass(frozen=True)
class Trust:
    """Whom we believe: the system's store, the CAs in ``ca_file``, or (``insecure``) anybody.

    A ``fingerprint`` pins the one certificate that has it, and takes the place of the system's store: who signed it,
    for which names and until when does not matter. With ``ca_file``, both must hold.
    """

    ca_file: Path | None = None
    insecure: bool = False
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        if self.insecure and self.fingerprint is not None:
            raise UsageError(
                "a certificate that is not checked cannot be pinned", hint="a pinned certificate needs no --insecure"
            )

    @property
    def verifies(self) -> bool:
        """Whether somebody has to vouch for the certificate."""
        return not self.insecure and (self.fingerprint is None or self.ca_file is not None)

    @property
    def store(self) -> str:
        """What to call those who can vouch for it."""
        return str(self.ca_file) if self.ca_file else "the system's store of CAs"


@dataclass(frozen=True)
class Login:
    """As whom we come; ``basic`` sends the credentials with each request instead of opening a session.

    ``account`` is what the run knows of this user and password, shared by all appliances where they are the same.
    """

    user: str
    password: Secret
    basic: bool = False
    account: Account | None = None


def tls_context(trust: Trust) -> ssl.SSLContext:
    """Return the TLS context for a trust, the same one for all appliances, as each costs 35 ms and 0.8 MB.

    A pin is no part of it: a thousand pinned appliances share one. Raises ConfigError where the CA file cannot be read.
    """
    return _context(trust.ca_file) if trust.verifies else unverified_context()


def default_context(*, cafile: str | None = None, cadata: str | None = None) -> ssl.SSLContext:
    """Return the default context of Python, which writes the keys of its connections to the file of SSLKEYLOGFILE.

    Raises ConfigError where that file cannot be written, OSError where ``cafile`` cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=cafile, cadata=cadata)
    except OSError as error:
        if error.filename is None:  # a CA file, which OpenSSL does not name
            raise
        raise ConfigError(
            f"SSLKEYLOGFILE: cannot write {error.filename}: {error.strerror}", hint="unset it, or name another file"
        ) from error


@functools.lru_cache
def unverified_context() -> ssl.SSLContext:
    """Return the context for looking, for a pin, and for --insecure: it takes any certificate."""
    context = default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@functools.lru_cache
def _context(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _system_context()
    try:
        context = default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        no_pem = isinstance(error, ssl.SSLError | IsADirectoryError)
        reason = "not a file with PEM certificates" if no_pem else error.strerror
        raise ConfigError(
            f"{ca_file}: {reason}",
            hint="it must hold the certificate of the CA in PEM form (-----BEGIN CERTIFICATE-----)",
        ) from error
    return leniently(context)


def leniently(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return a context for CAs that somebody named: what counts is who they are, not the form of their certificate.

    From Python 3.13 on, a CA whose basic constraints are not marked critical, or that has no key identifier, is refused
    (VERIFY_X509_STRICT); no browser and no curl does that, and it would leave --insecure as the only way.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _system_context() -> ssl.SSLContext:
    if sys.platform in {"win32", "darwin"}:
        import truststore  # type: ignore[import-not-found,unused-ignore]

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # type: ignore[no-any-return,unused-ignore]
    return default_context()


@functools.lru_cache
def _proxy_context() -> ssl.SSLContext:
    """Return the context for https:// proxies, which is none of the appliances', so that the two are told apart."""
    return _system_context()


def route_to(
    base_url: str, proxy: str | None, clock: Clock, *, name: str | None = None, words: str | None = None
) -> Route:
    """Return the way to an appliance that is called ``name``, and named by ``words`` on a command line.

    Raises UsageError for a host name that cannot be one.
    """
    try:
        url = httpx.URL(base_url)
        url.host.lower()  # an international name (xn--...) is not read before
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UsageError(f"{base_url!r} is no host name: {error}") from error
    if proxy is None:
        return Route(url, None, clock, name, words)
    tls = _proxy_context() if proxy.startswith("https:") else None
    try:
        return Route(url, httpx.Proxy(proxy, ssl_context=tls), clock, name, words)
    except httpx.InvalidURL:
        raise UsageError("the proxy has a host name that cannot be one", hint="write http://HOST:PORT") from None


def check_pin(base_url: str, trust: Trust) -> None:
    """Raise UsageError for a pin where there is no certificate."""
    if trust.fingerprint is not None:
        check_tls(base_url)


def transport_to(route: Route, trust: Trust) -> httpx.BaseTransport:
    """Return the transport over the network: whom ``trust`` does not believe gets no byte of HTTP.

    Raises ConfigError for trust settings that cannot be used.
    """
    tls = tls_context(trust)
    pinned = {"judge": pinned_to(trust.fingerprint, route)} if trust.fingerprint else {}
    inner = network_transport(tls=tls, proxy=route.proxy, clock=route.clock, **pinned)
    return ExplainingTransport(inner, route, trust.store, unverified_context)


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
    words: str | None = None,
    clock: Clock,
    observe: Observer,
    trust: Trust = Trust(),
    family: str | None = None,
    proxy: str | None = None,
    transport: httpx.BaseTransport | None = None,
    read_only: bool = False,
    known: KnownSecrets | None = None,
) -> RecoveryApi:
    """Return the recovery API of the appliance at ``base_url``; nothing is sent yet.

    ``name`` is what results call it, if not by its host, ``words`` what a command line needs to reach the same one, for
    hints. ``family`` is ``rest``, ``api`` or None to find out, ``transport`` another way than the network, such as the
    simulator. ``read_only`` refuses what would change the appliance. ``known`` are secrets to mask in what it says.

    Raises ConfigError for trust settings that cannot be used, UsageError for a host name that cannot be one.
    """
    route = route_to(base_url, proxy, clock, name=name, words=words)
    check_pin(base_url, trust)
    known = known or KnownSecrets()
    known.add(*secrets_of(route.proxy))
    client = _client(route.url, BoundedTransport(transport or transport_to(route, trust), clock, observe, known))
    session = Session(
        login.user,
        login.password,
        name=name,
        clock=clock,
        family=Family(family) if family else None,
        basic=login.basic,
        account=login.account,
        headers=HEADERS,
        known=known,
    )
    return RecoveryApi(client, session, read_only=read_only)


def secrets_of(proxy: httpx.Proxy | None) -> Iterator[Secret]:
    """Yield what the proxy gets from us and may say again."""
    if proxy is not None and proxy.auth is not None:
        user, password = proxy.auth
        yield Secret(password)
        yield Secret(f"{user}:{password}")
