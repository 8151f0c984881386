"""Which certificates of FTPS and HTTPS servers are trusted, and the errors for the others."""

import ssl
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from backupctl.clock import Clock
from backupctl.errors import PinMismatchError
from backupctl.targets.access import TargetAccess
from backupctl.targets.server_errors import ServerErrors
from backupctl.targets.target_errors import ServerIdentity, TargetIdentityError
from backupctl.tls.certificate_errors import Remedy, certificate_error, read_chain
from backupctl.tls.peer import Peer, pin_verifier
from backupctl.tls.presented import TlsConnection
from backupctl.tls.trust_settings import context_without_alpn, tls_context

_PIN: Final = "pin it: `backupctl trust pin $selector`"
_HINTS: Final[Mapping[Remedy, str]] = {
    "ca": "use $--location-ca-file with this CA: backupctl then skips the strict checks of its form",
    "clock": f"check the clock of this machine, renew the certificate of the backup server, or {_PIN}",
    "name": f"use a name from the certificate, or {_PIN}",
    "pin": f"use $--location-ca-file with its CA, or compare the fingerprint with the server's, then {_PIN}",
}
_RENEWED: Final = f"if the certificate was renewed, compare the presented fingerprint with the server's, then {_PIN}"


class TlsIdentity:
    """The check that a backup server is the right one: by the CAs that are trusted, or by a pinned certificate."""

    def __init__(self, access: TargetAccess, clock: Clock) -> None:
        self._is_ftps = access.kind == "ftps"
        self._trust = access.tls
        self._clock = clock
        self._errors = ServerErrors(access)
        self._peer = Peer(access.location.host, self._errors.name, ())

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The TLS context; call ``check_pin`` after each handshake, as it does not check the pin."""
        return context_without_alpn(self._trust) if self._is_ftps else tls_context(self._trust)

    def check_pin(self, tls: TlsConnection) -> None:
        """Raise TargetIdentityError if a certificate is pinned, and the connection has another one."""
        try:
            if self._trust.fingerprint is not None:
                pin_verifier(self._trust.fingerprint, self._peer)(tls)
        except PinMismatchError as error:
            (certificate,) = read_chain([tls.getpeercert(binary_form=True) or b""], self._clock.now())
            presented = ServerIdentity(certificate.fingerprint, certificate)
            raise self._errors.untrusted(error.with_facts(hint=_RENEWED), presented) from error

    def error_for(self, error: BaseException) -> TargetIdentityError | None:
        """Return the error for a handshake that failed for an untrusted certificate, None for other failures."""
        found = certificate_error(error, self._peer, self._trust.store, self._clock.now(), _HINTS)
        return None if found is None else self._errors.untrusted(found)
