"""Parse the address of an appliance: ``HOST``, ``HOST:PORT`` or a URL."""

import re
from typing import Final

import msgspec

from backupctl.errors import UsageError
from backupctl.rules.hostport import HostPort, parse_host_port
from backupctl.rules.plain_text import check_not_an_option, check_printable

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
MANAGEMENT_PORT: Final = 5480
"""Port of the appliance's management interface, with the same jobs as on 443.

An appliance that waits for a restore has no SSO yet, and accepts only local users with basic authentication here.
"""

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)")
_WHAT: Final = "the server"


class ServerAddress(msgspec.Struct, frozen=True):
    """The address of an appliance; ``name`` is its name in results, ``host`` has no brackets."""

    name: str
    host: str
    port: int
    scheme: str

    def __str__(self) -> str:
        return self.base_url

    @property
    def base_url(self) -> str:
        """Return the URL without a path: ``https://vc01.example.com``, ``https://[::1]:5480``."""
        return f"{self.scheme}://{_host_and_port(self.scheme, self.host, self.port)}"

    def for_restore(self) -> "ServerAddress":
        """Return the address of an appliance that waits for a restore; an explicit port is kept."""
        if self.port != _DEFAULT_PORTS[self.scheme]:
            return self
        return ServerAddress(self.name, self.host, MANAGEMENT_PORT, self.scheme)

    @property
    def key(self) -> tuple[str, int]:
        """Host and port, equal for two names of one address."""
        return self.host, self.port

    @property
    def appliance(self) -> tuple[str, int]:
        """Host and port, equal for the two addresses of one appliance, 443 and 5480."""
        return self.host, _DEFAULT_PORTS["https"] if self.port == MANAGEMENT_PORT else self.port

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        return _is_loopback(self.host)


def parse_server(text: str) -> ServerAddress:
    """Parse a host, a host with a port, or a URL without a path.

    Raises UsageError: for any other text; the message never shows a password.
    """
    _check_text(text)
    url = _URL.fullmatch(text)
    scheme = url["scheme"].lower() if url else "https"
    if scheme not in _DEFAULT_PORTS:
        raise UsageError(
            f"{_WHAT} has the unsupported scheme {scheme}://", hint="use a host name, HOST:PORT or an https:// URL"
        )
    rest = (url["rest"] if url else text).removesuffix("/")
    if re.search(r"[/?#\\]", rest):
        raise UsageError(f"{_WHAT} has a path or query after its host", hint="use only the host")
    address = _parse_host_port(rest)
    host = address.host.lower().removesuffix(".")
    if scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"{_WHAT} has an http:// URL, which would send the password in clear text",
            hint="use https://; http:// works only on this machine, as for the simulator",
        )
    port = address.port or _DEFAULT_PORTS[scheme]
    return ServerAddress(_host_and_port(scheme, host, port), host, port, scheme)


def _check_text(text: str) -> None:
    if not text:
        raise UsageError(f"{_WHAT} is empty", hint="use a host name such as vc01.example.com")
    check_printable(text, _WHAT)
    if "@" in text:
        raise UsageError(
            f"{_WHAT} contains a user name or password before an '@'",
            hint="give the user with $--username and the password with $--password-file",
        )
    check_not_an_option(text, _WHAT)
    if any(character.isspace() for character in text):
        raise UsageError(f"{_WHAT} contains a space", hint="use one host name, such as vc01.example.com")


def _parse_host_port(text: str) -> HostPort:
    is_bare_ipv6 = text.count(":") > 1 and not text.startswith("[")
    return parse_host_port(f"[{text}]" if is_bare_ipv6 else text, _WHAT)


def _host_and_port(scheme: str, host: str, port: int) -> str:
    return str(HostPort(host, None if port == _DEFAULT_PORTS[scheme] else port))


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
