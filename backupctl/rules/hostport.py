"""Parse ``HOST``, ``HOST:PORT`` and ``[IPV6]:PORT``, as they stand in server names and locations."""

import re
from typing import Final

import msgspec

from backupctl.errors import UsageError
from backupctl.rules.plain_text import check_not_an_option

_LABEL_LENGTH: Final = 63
_BRACKETED: Final = re.compile(r"\[(?P<host>[^\[\]]*)\](?::(?P<port>.*))?")
_PLAIN: Final = re.compile(r"(?P<host>[^:\[\]]*)(?::(?P<port>[^:]*))?")

_IPV6_LIKE: Final = re.compile(r"\[|[0-9A-Fa-f:.]*::|(?:[0-9A-Fa-f]{1,4}:){7}")


class HostPort(msgspec.Struct, frozen=True):
    """A host, without the brackets of an IPv6 address, and its port, None if none was given."""

    host: str
    port: int | None

    @property
    def is_ipv6(self) -> bool:
        """Whether the host needs brackets in a URL."""
        return ":" in self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.is_ipv6 else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_host_port(text: str, what: str) -> HostPort:
    """Split ``text`` into host and port; an empty port counts as none (RFC 3986, 3.2.3).

    Raises UsageError: with ``what`` as its subject; the message never shows ``text``, which may hold a password.
    """
    match = _BRACKETED.fullmatch(text) or _PLAIN.fullmatch(text)
    if match is None:
        hint = "put an IPv6 address in brackets: [::1]" if _IPV6_LIKE.match(text) else "use HOST or HOST:PORT"
        raise UsageError(f"{what} has an invalid host or port", hint=hint)
    host = match["host"]
    if not host:
        raise UsageError(f"{what} has no host")
    check_not_an_option(host, f"the host in {what}")
    if text.startswith("["):
        host = _ipv6(host, what)
    else:
        _check_name(host, what)
    return HostPort(host, _port(match["port"], what))


def _port(digits: str | None, what: str) -> int | None:
    if not digits:
        return None
    if not re.fullmatch("[0-9]{1,5}", digits) or not 0 < int(digits) < 65536:
        raise UsageError(f"{what} has an invalid port", hint="use a number from 1 to 65535")
    return int(digits)


def _ipv6(host: str, what: str) -> str:
    from ipaddress import IPv6Address

    if re.fullmatch("[0-9A-Fa-f:.]+", host):
        try:
            return str(IPv6Address(host))
        except ValueError:
            pass
    raise UsageError(
        f"{what} has an invalid IPv6 address", hint="use brackets only for an IPv6 address without a zone: [::1]"
    )


def _check_name(host: str, what: str) -> None:
    """Raise UsageError for an invalid host name (RFC 1035).

    Without this check the resolver raises odd errors for empty and overlong labels.
    """
    labels = host.removesuffix(".").split(".")
    if any(not (character.isalpha() or character.isdecimal() or character in "-_.") for character in host):
        raise UsageError(f"{what} has an invalid character in its host name")
    if any(not 0 < len(label) <= _LABEL_LENGTH for label in labels):
        raise UsageError(f"{what} has an empty or too long part in its host name")
