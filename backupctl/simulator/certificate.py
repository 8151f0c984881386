"""A certificate for the simulator's own HTTPS, made anew at each start by a certificate authority of its own."""

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

from backupctl.errors import ConfigError

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's TLS: its context, the file with the authority to trust, and ``sha256:<hex>`` of the certificate."""

    context: ssl.SSLContext
    ca_file: Path
    fingerprint: str


def make_certificate(folder: Path, *names: str) -> Certificate:
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
    leaf = authority.issue_cert(*dict.fromkeys((*_LOCAL_NAMES, *names)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode("ascii"))
    return Certificate(context, ca_file, f"sha256:{hashlib.sha256(der).hexdigest()}")
