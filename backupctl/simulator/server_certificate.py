"""The simulator's HTTPS certificate, issued at each start by a new certificate authority."""

from __future__ import annotations

import hashlib
import io
import ssl
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from backupctl.errors import INSTALL_HINT, ConfigError

if TYPE_CHECKING:
    import trustme

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")

_ROOT_NAME = "5a1b0c2d"
"""Name of the root's files in ``download.zip``; on an appliance it is the hash of the subject."""


@dataclass(slots=True)
class ServerCertificate:
    """A certificate: its TLS context, the file with its CA certificate, and its fingerprint ``sha256:<hex>``."""

    context: ssl.SSLContext
    ca_file: Path
    fingerprint: str
    _ca: trustme.CA

    @property
    def ca_certificate(self) -> bytes:
        """The certificate of the CA, in PEM."""
        return self._ca.cert_pem.bytes()

    def renew(self, *names: str, not_before: datetime | None = None, not_after: datetime | None = None) -> None:
        """Present another certificate of the same CA from the next handshake on, for tests."""
        leaf = self._ca.issue_cert(*names, not_before=not_before, not_after=not_after)
        leaf.configure_cert(self.context)
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode("ascii"))
        self.fingerprint = f"sha256:{hashlib.sha256(der).hexdigest()}"


def make_certificate(folder: Path, *names: str) -> ServerCertificate:
    """Make a certificate for the local names of this machine and ``names``; write its CA certificate to ``folder``.

    Raises ``ConfigError``: when the package trustme is missing.
    """
    try:
        import trustme
    except ImportError:
        raise ConfigError(
            "HTTPS for the simulator: the Python package trustme is not installed",
            hint=f"{INSTALL_HINT.format('trustme')}; or serve plain HTTP with --no-tls",
        ) from None
    ca = trustme.CA(organization_name="backupctl simulator")
    ca_file = folder / "ca.pem"
    ca.cert_pem.write_to_path(ca_file)
    certificate = ServerCertificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ca_file, "", ca)
    certificate.renew(*dict.fromkeys((*_LOCAL_NAMES, *names)))
    return certificate


def download_zip(ca_certificate: bytes) -> bytes:
    """Return the content of ``/certs/download.zip``: the trusted root and an empty revocation list, for three systems.

    Source of the layout: OpenShift's instructions for vSphere.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for folder, certificate, revoked in (("lin", "", ""), ("mac", "", ""), ("win", ".crt", ".crl")):
            file.writestr(f"certs/{folder}/{_ROOT_NAME}.0{certificate}", ca_certificate)
            file.writestr(f"certs/{folder}/{_ROOT_NAME}.r0{revoked}", b"")
    return content.getvalue()
