"""The appliance at the other end of a TLS connection, and the check of its certificate against a pin."""

import hmac
from collections.abc import Callable
from typing import NamedTuple

from backupctl.errors import PinMismatchError
from backupctl.formatting import colon_form
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.tls.presented import TlsConnection


class Peer(NamedTuple):
    """The appliance, for errors about its certificate: host, server name, and the words that select it."""

    host: str
    server: str
    selector: tuple[str, ...]


def pin_verifier(fingerprint: str, peer: Peer) -> Callable[[TlsConnection], None]:
    """Return a function that raises PinMismatchError unless the certificate of a connection has ``fingerprint``."""

    def verify(tls: TlsConnection) -> None:
        presented = fingerprint_of(tls.getpeercert(binary_form=True) or b"")
        if not hmac.compare_digest(presented, fingerprint):
            raise PinMismatchError.of(
                peer.server, colon_form(fingerprint), colon_form(presented), selector=peer.selector
            )

    return verify
