"""The errors for certificates that are not trusted: a sentence for each of OpenSSL's reasons, with its fact."""

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from backupctl.error_facts import ErrorFacts
from backupctl.errors import CertificateError, causes_of
from backupctl.formatting import colon_form, plural
from backupctl.models import Certificate
from backupctl.tls.peer import Peer
from backupctl.tls.presented import UntrustedChainError
from backupctl.tls.x509 import read_certificate

_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _ISSUER_UNKNOWN, _LEAF_UNVERIFIED = 18, 19, 20, 21
_HOSTNAME_MISMATCH, _IP_MISMATCH = 62, 64
_STRICT_CODES: Final = range(79, 95)
"""X509_V_ERR_* of OpenSSL's x509_vfy.h.

``_STRICT_CODES`` are those of VERIFY_X509_STRICT, which Python sets by default from 3.13 on.
"""

_MAX_NAMES: Final = 6

Remedy = Literal["ca", "clock", "name", "pin"]

APPLIANCE_HINTS: Final[Mapping[Remedy, str]] = {
    "ca": "use --ca-file with this CA: backupctl then skips the strict checks of its form",
    "clock": "check the clock of this machine, or renew the certificate of the appliance (VAMI, vSphere Client)",
    "name": "use a name from the certificate, or pin it: `backupctl trust pin $selector`",
    "pin": "compare the fingerprint (`backupctl help trust`), then pin it: `backupctl trust pin $selector`",
}


class TrustFailure(NamedTuple):
    """The facts of a failure: the store of CAs, the presented chain (leaf first), and the time."""

    store: str
    chain: Sequence[Certificate]
    now: datetime

    @property
    def leaf(self) -> Certificate:
        """The server's own certificate."""
        return self.chain[0]


class Reason(NamedTuple):
    """A reason for distrust; ``describe`` returns ``$1`` of the message, None when the chain does not show it."""

    describe: Callable[[TrustFailure], str | None]
    remedy: Remedy
    message: str = "$1"


def certificate_error(
    error: BaseException, peer: Peer, store: str, now: datetime, hints: Mapping[Remedy, str] = APPLIANCE_HINTS
) -> CertificateError | None:
    """Return the error for a handshake that failed because the certificate is not trusted, None for other failures."""
    causes = list(causes_of(error))
    cause = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if cause is None:
        return None
    chain = next((cause.chain for cause in causes if isinstance(cause, UntrustedChainError)), ())
    reason = REASONS.get(cause.verify_code, _STRICT_REASON if cause.verify_code in _STRICT_CODES else _OTHER_REASON)
    failure = _trust_failure(chain, store, now)
    described = None if failure is None else reason.describe(failure)
    message = reason.message if described else "the certificate is not trusted: $1"
    details = []
    if failure is not None:
        details = [ErrorFacts("SHA-256 fingerprint  $1", texts=(colon_form(failure.leaf.fingerprint),))]
    return CertificateError(
        message,
        server=peer.server,
        host=peer.host,
        texts=(described or cause.verify_message,),
        hint=hints[reason.remedy],
        selector=peer.selector,
        details=details,
    )


def read_chain(chain: Iterable[bytes], now: datetime) -> tuple[Certificate, ...]:
    """Return the fields of certificates in DER form. Raises CertificateError when one cannot be read."""
    try:
        return tuple(read_certificate(der, now) for der in chain)
    except ValueError as error:
        raise CertificateError("invalid certificate: $1", texts=(str(error),)) from error


def _trust_failure(chain: tuple[bytes, ...], store: str, now: datetime) -> TrustFailure | None:
    """Return the facts, None when the chain is unknown or unreadable."""
    try:
        return TrustFailure(store, read_chain(chain, now), now) if chain else None
    except CertificateError:
        return None


def _expired(failure: TrustFailure) -> str | None:
    for certificate in failure.chain:
        if certificate.not_after < failure.now:
            ago = plural((failure.now - certificate.not_after).days, "day")
            when = f"on {certificate.not_after:%Y-%m-%d at %H:%M} UTC ({ago} ago)"
            return f"{_label(certificate, failure)} expired {when}"
    return None


def _not_yet_valid(failure: TrustFailure) -> str | None:
    for certificate in failure.chain:
        if certificate.not_before > failure.now:
            begins, now = (f"{time:%Y-%m-%d at %H:%M} UTC" for time in (certificate.not_before, failure.now))
            return f"{_label(certificate, failure)} is not valid before {begins} (now: {now})"
    return None


def _name_mismatch(failure: TrustFailure) -> str | None:
    return _names(failure.leaf)


def _self_signed(failure: TrustFailure) -> str | None:
    if failure.leaf.subject != failure.leaf.issuer:
        return None
    return f"self-signed certificate ({failure.leaf.subject}), not in {failure.store}"


def _unknown_issuer(failure: TrustFailure) -> str | None:
    return f"certificate signed by an unknown CA ({failure.chain[-1].issuer}), not in {failure.store}"


def _label(certificate: Certificate, failure: TrustFailure) -> str:
    return "the certificate" if certificate is failure.leaf else f"the CA certificate {certificate.subject!r}"


def _names(certificate: Certificate) -> str:
    names = certificate.names or (f"{certificate.subject!r} without a host name",)
    rest = [f"{len(names) - _MAX_NAMES} more"] if len(names) > _MAX_NAMES else []
    return ", ".join([*names[:_MAX_NAMES], *rest])


_UNKNOWN_ISSUER_REASON: Final = Reason(_unknown_issuer, "pin")
_OTHER_REASON: Final = Reason(lambda _: None, "pin")
_STRICT_REASON: Final = Reason(lambda _: None, "ca")
_NAME_REASON: Final = Reason(_name_mismatch, "name", "the certificate is for $1, not for $host")
REASONS: Final[Mapping[int, Reason]] = {
    _NOT_YET_VALID: Reason(_not_yet_valid, "clock"),
    _EXPIRED: Reason(_expired, "clock"),
    _SELF_SIGNED: Reason(_self_signed, "pin"),
    _SELF_SIGNED_IN_CHAIN: _UNKNOWN_ISSUER_REASON,
    _ISSUER_UNKNOWN: _UNKNOWN_ISSUER_REASON,
    _LEAF_UNVERIFIED: _UNKNOWN_ISSUER_REASON,
    _HOSTNAME_MISMATCH: _NAME_REASON,
    _IP_MISMATCH: _NAME_REASON,
}
"""The reasons by OpenSSL's codes."""
