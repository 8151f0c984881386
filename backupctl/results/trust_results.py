"""The results of the trust commands."""

from backupctl.models import Certificate
from backupctl.results.result import Result


class CertificateResult(Result, frozen=True, kw_only=True):
    """The result of ``trust show``: the certificate of the appliance, and the chain that it presents, leaf first.

    ``chain_complete`` is False if Python returns only the leaf. ``trusted`` says whether the certificate is valid for
    this host according to ``store``, and ``reason`` why not; ``needs_ca`` is False if a pin is enough. ``pinned`` is
    the fingerprint from the settings.
    """

    certificate: Certificate | None = None
    chain: tuple[Certificate, ...] = ()
    chain_complete: bool | None = None
    trusted: bool | None = None
    store: str | None = None
    needs_ca: bool | None = None
    reason: str | None = None
    pinned: str | None = None


class PinResult(CertificateResult, frozen=True, kw_only=True):
    """The result of ``trust pin``: the ``file``, the server's ``profile`` in it, and the ``replaced`` fingerprint."""

    file: str | None = None
    profile: str | None = None
    replaced: str | None = None


class CaCertificatesResult(Result, frozen=True, kw_only=True):
    """The result of ``trust fetch``: the CA certificates of the appliance, and the file that they were written to.

    ``verified``: they were downloaded over a trusted connection. ``vouches``: the presented certificate is valid with
    them; if not, ``reason`` says why.
    """

    authorities: tuple[Certificate, ...] = ()
    file: str | None = None
    verified: bool | None = None
    vouches: bool | None = None
    reason: str | None = None


class LocationPinResult(Result, frozen=True, kw_only=True):
    """The result of the trust commands with ``--location``: the fingerprint that its server presents.

    ``kind`` is ``host key`` or ``certificate``, ``pinned`` is the fingerprint from the settings; the others are as in
    ``PinResult``.
    """

    location: str | None = None
    kind: str | None = None
    fingerprint: str | None = None
    pinned: str | None = None
    file: str | None = None
    profile: str | None = None
    replaced: str | None = None
