"""Parse the URL of a ping, which is a secret: no error shows any of it."""

import re
from contextlib import suppress
from typing import Final

from backupctl.config.server_address import ServerAddress, parse_server
from backupctl.errors import ConfigError, UsageError
from backupctl.secrets.secret import Secret

_URL: Final = re.compile(r"(https?://[^/?#]+)(/[^?#]*)(\?[^#]*)?", re.IGNORECASE)


def parse_ping_url(url: Secret) -> tuple[ServerAddress, str, str]:
    """Return the address, the path without a final slash, and the query, at least "?".

    Raises ConfigError: if it is invalid.
    """
    match = _URL.fullmatch(url.reveal())
    with suppress(UsageError):
        if match is not None:
            return parse_server(match[1]), match[2].rstrip("/"), match[3] or "?"
    raise ConfigError("not a valid ping URL", hint="use https://HOST/UUID; http:// only on this machine")
