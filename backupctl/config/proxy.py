"""Parse the URL of a proxy; it is a secret, as it may contain a password."""

import re
from typing import Final

import msgspec

from backupctl.errors import UsageError
from backupctl.rules.hostport import parse_host_port
from backupctl.rules.plain_text import check_printable
from backupctl.secrets.secret import Secret

NO_PROXY_WORD: Final = "none"
"""The value for a direct connection; it overrides a proxy from a source with lower precedence."""

_WHAT: Final = "the proxy"
_URL: Final = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<rest>[^/?#]*)/?")


class Proxy(msgspec.Struct, frozen=True):
    """A proxy: its URL for the HTTP library, and the same without credentials to show."""

    url: Secret
    shown: str
    has_credentials: bool


def parse_proxy(text: str) -> Proxy | None:
    """Parse ``[http://][USER:PASSWORD@]HOST[:PORT]``; ``none`` is no proxy.

    Raises UsageError: for any other text; the message never shows it.
    """
    if text.strip().lower() == NO_PROXY_WORD:
        return None
    check_printable(text, _WHAT)
    match = _URL.fullmatch(text)
    if match is None or any(character.isspace() for character in text):
        raise UsageError(f"{_WHAT} is not a valid URL", hint="use http://HOST:PORT; write a slash in a password as %2F")
    scheme = (match["scheme"] or "http").lower()
    if scheme not in {"http", "https"}:
        raise UsageError(f"{_WHAT} must be an http:// or https:// URL", hint="use http://HOST:PORT")
    credentials, at, host_port = match["rest"].rpartition("@")
    address = parse_host_port(host_port, _WHAT)
    return Proxy(Secret(f"{scheme}://{credentials}{at}{address}"), f"{scheme}://{address}", bool(at))
