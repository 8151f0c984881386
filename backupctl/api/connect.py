"""How an appliance is reached: trust, proxy and credentials put together to a ``RecoveryApi``."""

import functools
import ssl
import sys
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

import httpx

from backupctl import __version__
from backupctl.api.account import Account
from backupctl.api.endpoints import Family
from backupctl.api.recovery import RecoveryApi
from backupctl.api.session import Session
from backupctl.api.transport import BoundedTransport, Observer, network_transport
from backupctl.clock import Clock
from backupctl.errors import ConfigError, UsageError
from backupctl.secret import Secret

_HEADERS: Final = {
    "user-agent": f"backupctl/{__version__}",
    "accept": "application/json",
    "accept-encoding": "identity",
}


@dataclass(frozen=True)
class Trust:
    """Whom we believe: the system's store, the CAs in ``ca_file``, or (``insecure``) anybody."""

    ca_file: Path | None = None
    insecure: bool = False


@dataclass(frozen=True)
class Login:
    """As whom we come; ``basic`` sends the credentials with each request instead of opening a session.

    ``account`` is what the run knows of this user and password, shared by all appliances where they are the same.
    """

    user: str
    password: Secret
    basic: bool = False
    account: Account | None = None


@functools.lru_cache
def tls_context(trust: Trust) -> ssl.SSLContext:
    """Return the TLS context for a trust, the same one for all appliances, as each costs 35 ms and 0.8 MB.

    Raises ConfigError where the CA file cannot be read.
    """
    if trust.insecure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if trust.ca_file is not None:
        try:
            return ssl.create_default_context(cafile=str(trust.ca_file))
        except (OSError, ssl.SSLError) as error:
            no_pem = isinstance(error, ssl.SSLError | IsADirectoryError)
            reason = "not a file with PEM certificates" if no_pem else error.strerror
            raise ConfigError(
                f"--ca-file {trust.ca_file}: {reason}",
                hint="it must hold the certificate of the CA in PEM form (-----BEGIN CERTIFICATE-----)",
            ) from error
    if sys.platform in {"win32", "darwin"}:
        import truststore  # type: ignore[import-not-found,unused-ignore]

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # type: ignore[no-any-return,unused-ignore]
    return ssl.create_default_context()


def _client(base_url: str, transport: httpx.BaseTransport) -> httpx.Client:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise UsageError(f"{base_url!r} is no host name: {error}") from error
    return httpx.Client(
        base_url=url,
        transport=transport,
        headers=_HEADERS,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def connect(
    base_url: str,
    login: Login,
    *,
    clock: Clock,
    observe: Observer,
    trust: Trust = Trust(),
    family: str | None = None,
    proxy: str | None = None,
    transport: httpx.BaseTransport | None = None,
    read_only: bool = False,
) -> RecoveryApi:
    """Return the recovery API of the appliance at ``base_url``; nothing is sent yet.

    ``family`` is ``rest``, ``api`` or None to find out, ``transport`` another way than the network, such as the
    simulator. ``read_only`` refuses what would change the appliance.

    Raises ConfigError for trust settings that cannot be used, UsageError for a host name that cannot be one.
    """
    inner = transport or network_transport(tls=tls_context(trust), proxy=proxy, clock=clock)
    client = _client(base_url, BoundedTransport(inner, clock, observe))
    session = Session(
        login.user,
        login.password,
        family=Family(family) if family else None,
        basic=login.basic,
        account=login.account,
        headers=_HEADERS,
    )
    return RecoveryApi(client, session, read_only=read_only)
