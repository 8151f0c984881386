"""A proxy, whose URL may hold a password and so is a secret."""

import re
from dataclasses import dataclass
from typing import Final

from backupctl.errors import UsageError
from backupctl.rules.hostport import parse_host_port
from backupctl.rules.plain_text import check_printable
from backupctl.secrets.secret import Secret

NO_PROXY_WORD: Final = "none"
"""What is written for a direct connection, where a lower rung of the ladder has a proxy."""

_WHAT: Final = "the proxy"
_URL: Final = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<rest>[^/?#]*)/?")


@dataclass(frozen=True, slots=True)
class Proxy:
    """The URL to give to the HTTP library, and the same without credentials for people."""

    url: Secret
    shown: str
    has_credentials: bool


def parse_proxy(text: str) -> Proxy | None:
    """Read ``[http://][USER:PASSWORD@]HOST[:PORT]``, or ``none`` for no proxy; raise UsageError without the text."""
    if text.strip().lower() == NO_PROXY_WORD:
        return None
    check_printable(text, _WHAT)
    match = _URL.fullmatch(text)
    if match is None or any(character.isspace() for character in text):
        raise UsageError(f"{_WHAT} is no URL of a proxy", hint="write http://HOST:PORT; %2F for a slash in a password")
    scheme = (match["scheme"] or "http").lower()
    if scheme not in {"http", "https"}:
        raise UsageError(f"{_WHAT} is neither an http:// nor an https:// one", hint="other kinds are not supported")
    credentials, at, authority = match["rest"].rpartition("@")
    place = parse_host_port(authority, _WHAT)
    return Proxy(Secret(f"{scheme}://{credentials}{at}{place}"), f"{scheme}://{place}", bool(at))
