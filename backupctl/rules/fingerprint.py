"""SHA-256 fingerprints: of certificates, written ``sha256:`` and 64 hexadecimal digits, and of SSH host keys."""

import re
from typing import Final

from backupctl.errors import UsageError

_PREFIX: Final = "sha256:"
_HOST_KEY: Final = re.compile(r"SHA256:([A-Za-z0-9+/]{43})=?")
"""As ssh and ssh-keygen write it: the hash in base64 without padding."""
_OTHER_HASHES: Final = {32: "MD5", 40: "SHA-1", 128: "SHA-512"}
"""Other hashes by their number of digits, as vSphere often shows the SHA-1 thumbprint."""


def fingerprint_of(certificate: bytes) -> str:
    """Return the fingerprint of a certificate in DER form."""
    from hashlib import sha256

    return _PREFIX + sha256(certificate).hexdigest()


def parse_fingerprint(text: str) -> str:
    """Return a fingerprint in its normal form; upper case, colons, blanks and a missing prefix are accepted.

    Raises UsageError: for any other text.
    """
    words = text.strip().lower()
    words = words.removeprefix("sha256 fingerprint=").removeprefix("sha256").removeprefix(":").removeprefix("=")
    digits = re.sub("[: ]", "", words)
    if re.fullmatch("[0-9a-f]{64}", digits):
        return _PREFIX + digits
    other = _OTHER_HASHES.get(len(digits)) if re.fullmatch("[0-9a-f]+", digits) else None
    why = f"is as long as a {other} fingerprint" if other else "does not have 64 hexadecimal digits"
    raise UsageError(f"invalid SHA-256 fingerprint: it {why}", hint="use the one that `backupctl trust show` prints")


def parse_peer_fingerprint(text: str) -> str:
    """Return the fingerprint of a host key as it is, or that of a certificate in its normal form.

    Raises UsageError: for any other text.
    """
    host_key = _HOST_KEY.fullmatch(text.strip())
    return f"SHA256:{host_key[1]}" if host_key else parse_fingerprint(text)


def is_host_key(fingerprint: str) -> bool:
    """Return whether a fingerprint is that of an SSH host key."""
    return _HOST_KEY.fullmatch(fingerprint) is not None
