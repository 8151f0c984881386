"""A certificate for the simulator's own HTTPS, made anew at each start by a certificate authority of its own."""

from __future__ import annotations

import hashlib
import io
import ssl
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from backupctl.errors import ConfigError

if TYPE_CHECKING:
    import trustme

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


_ROOT_NAME = "5a1b0c2d"
"""What the files of the root are called in ``download.zip``: on an appliance it is the hash of its subject."""


@dataclass(slots=True)
class ServerCertificate:
    """A server's TLS: its context, the file with the authority to trust, and ``sha256:<hex>`` of the certificate."""

    context: ssl.SSLContext
    ca_file: Path
    fingerprint: str
    _authority: trustme.CA

    @property
    def authority(self) -> bytes:
        """The certificate of the authority, in PEM form."""
        return self._authority.cert_pem.bytes()

    def renew(self, *names: str, not_before: datetime | None = None, not_after: datetime | None = None) -> None:
        """Present another certificate of the same authority from the next handshake on; a test chooses what is odd."""
        leaf = self._authority.issue_cert(*names, not_before=not_before, not_after=not_after)
        leaf.configure_cert(self.context)
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode("ascii"))
        self.fingerprint = f"sha256:{hashlib.sha256(der).hexdigest()}"


def make_certificate(folder: Path, *names: str) -> ServerCertificate:
    """Make a certificate for this machine's local names and ``names``, the authority's file below ``folder``.

    Raises ``ConfigError`` when the package trustme is missing.
    """
    try:
        import trustme
    except ImportError:
        raise ConfigError(
            "HTTPS for the simulator needs the package trustme",
            hint="pip install 'backupctl[simulator]', or serve plain HTTP with --no-tls",
        ) from None
    authority = trustme.CA(organization_name="backupctl simulator")
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    certificate = ServerCertificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ca_file, "", authority)
    certificate.renew(*dict.fromkeys((*_LOCAL_NAMES, *names)))
    return certificate


def download_zip(authority: bytes) -> bytes:
    """Return what ``/certs/download.zip`` holds: the trusted roots and their revocation lists, for three systems.

    Source of the layout: OpenShift's instructions for vSphere, which show its tree of files. The list is empty here.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for folder, certificate, revoked in (("lin", "", ""), ("mac", "", ""), ("win", ".crt", ".crl")):
            file.writestr(f"certs/{folder}/{_ROOT_NAME}.0{certificate}", authority)
            file.writestr(f"certs/{folder}/{_ROOT_NAME}.r0{revoked}", b"")
    return archive.getvalue()
