"""The results of the trust commands."""

from backupctl.models import Certificate
from backupctl.results.result import Result


class CertificateResult(Result, frozen=True, kw_only=True):
    """The result of trust show: the certificate of the appliance, and what it presents with it, its own first.

    ``chain_complete`` is False where Python tells no more than the first. ``trusted`` says whether ``store`` vouches
    for it under this host's name, ``reason`` why not; ``pinned`` is the fingerprint that was asked for.
    """

    certificate: Certificate | None = None
    chain: tuple[Certificate, ...] = ()
    chain_complete: bool | None = None
    trusted: bool | None = None
    store: str | None = None
    reason: str | None = None
    pinned: str | None = None


class PinResult(CertificateResult, frozen=True, kw_only=True):
    """The result of trust pin: in which ``file``, under which name of the server, and in place of what it stands."""

    file: str | None = None
    profile: str | None = None
    replaced: str | None = None


class CaCertificatesResult(Result, frozen=True, kw_only=True):
    """The result of trust fetch: the appliance's own CA certificates, and the file that they were written to.

    ``verified``: they came over a trusted connection; ``vouches``: they vouch for what is presented, else ``reason``.
    """

    authorities: tuple[Certificate, ...] = ()
    file: str | None = None
    verified: bool | None = None
    vouches: bool | None = None
    reason: str | None = None
