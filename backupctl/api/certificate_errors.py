"""Why a certificate is not trusted: a sentence for each reason, with the fact in it."""

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from backupctl.api.error_mapping import causes_of
from backupctl.api.handshake import Connection
from backupctl.errors import CertificateError
from backupctl.models import Certificate
from backupctl.tls.presented import UntrustedChainError
from backupctl.tls.x509 import read_certificate

_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _ISSUER_UNKNOWN, _LEAF_UNVERIFIED = 18, 19, 20, 21
_OTHER_NAME, _OTHER_ADDRESS = 62, 64
_FORM: Final = range(79, 95)
"""X509_V_ERR_* of OpenSSL's x509_vfy.h; ``_FORM`` are those of VERIFY_X509_STRICT, Python's default from 3.13 on."""

_MOST_NAMES: Final = 6

_CLOCK: Final = "is the clock of this machine right? Else the appliance needs a new certificate (VAMI, vSphere Client)"


class Case(NamedTuple):
    """The facts of a failure: the host, the store of CAs, the presented chain (own certificate first), and the time."""

    host: str
    store: str
    chain: Sequence[Certificate]
    now: datetime

    @property
    def own(self) -> Certificate:
        """The appliance's own certificate."""
        return self.chain[0]


class Reason(NamedTuple):
    """A reason for distrust: ``say`` returns None when the chain does not show it."""

    say: Callable[[Case], str | None]
    hint: str


def certificate_error(error: BaseException, connection: Connection, store: str) -> CertificateError | None:
    """Return the error for a handshake that failed because the certificate is not trusted, None for other failures."""
    causes = list(causes_of(error))
    cause = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if cause is None:
        return None
    chain = next((cause.chain for cause in causes if isinstance(cause, UntrustedChainError)), ())
    reason = REASONS.get(cause.verify_code, _FORM_REASON if cause.verify_code in _FORM else _OTHER)
    said = reason.say(case) if (case := _case(chain, connection, store)) else None
    why = said or f"the certificate is not trusted: {cause.verify_message}"
    return CertificateError(why, server=connection.host, hint=reason.hint, selector=connection.selector)


def read_chain(chain: Iterable[bytes], now: datetime) -> tuple[Certificate, ...]:
    """Return the fields of certificates in DER form. Raises CertificateError when one cannot be read."""
    try:
        return tuple(read_certificate(der, now) for der in chain)
    except ValueError as error:
        raise CertificateError(f"a certificate of the appliance cannot be read: {error}") from error


def _case(chain: tuple[bytes, ...], connection: Connection, store: str) -> Case | None:
    """Return the facts, None when the chain is unknown or unreadable."""
    now = connection.clock.now()
    try:
        return Case(connection.host, store, read_chain(chain, now), now) if chain else None
    except CertificateError:
        return None


def _expired(case: Case) -> str | None:
    for certificate in case.chain:
        if certificate.not_after < case.now:
            when = f"on {certificate.not_after:%Y-%m-%d at %H:%M} UTC ({_days(-certificate.expires_in_days)} ago)"
            return f"{_which(certificate, case)} expired {when}"
    return None


def _not_yet_valid(case: Case) -> str | None:
    for certificate in case.chain:
        if certificate.not_before > case.now:
            begins, now = (f"{time:%Y-%m-%d at %H:%M} UTC" for time in (certificate.not_before, case.now))
            return f"{_which(certificate, case)} is not valid before {begins}, and here it is {now}"
    return None


def _other_name(case: Case) -> str | None:
    return f"the certificate is for {_names(case.own)}, not for {case.host}"


def _self_signed(case: Case) -> str | None:
    if case.own.subject != case.own.issuer:
        return None
    return f"the certificate is self-signed ({case.own.subject}) and not in {case.store}"


def _unknown_authority(case: Case) -> str | None:
    return f"the certificate is signed by {case.chain[-1].issuer!r}, which is not in {case.store}"


def _which(certificate: Certificate, case: Case) -> str:
    return "the certificate" if certificate is case.own else f"the CA certificate {certificate.subject!r}"


def _names(certificate: Certificate) -> str:
    names = certificate.names or (f"{certificate.subject!r}, which names no host,",)
    more = [f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return ", ".join([*names[:_MOST_NAMES], *more])


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


_TRUST_IT: Final = (
    "`backupctl trust fetch $selector --to FILE` gets the appliance's own CA for --ca-file, "
    "`backupctl trust pin $selector` pins this very certificate"
)
_UNKNOWN: Final = Reason(_unknown_authority, _TRUST_IT)
_OTHER: Final = Reason(lambda _: None, _TRUST_IT)
_FORM_REASON: Final = Reason(
    lambda _: None, "that is a matter of form, which is not insisted upon for a CA that is named with --ca-file"
)
_NAME: Final = Reason(
    _other_name, "name the appliance as its certificate does, or pin it: `backupctl trust pin $selector`"
)
REASONS: Final[Mapping[int, Reason]] = {
    _NOT_YET_VALID: Reason(_not_yet_valid, _CLOCK),
    _EXPIRED: Reason(_expired, _CLOCK),
    _SELF_SIGNED: Reason(_self_signed, _TRUST_IT),
    _SELF_SIGNED_IN_CHAIN: _UNKNOWN,
    _ISSUER_UNKNOWN: _UNKNOWN,
    _LEAF_UNVERIFIED: _UNKNOWN,
    _OTHER_NAME: _NAME,
    _OTHER_ADDRESS: _NAME,
}
"""The reasons by OpenSSL's codes."""
