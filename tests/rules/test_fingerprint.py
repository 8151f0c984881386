"""Fingerprints: one form in, whatever way they are written."""

import hashlib

import pytest

from backupctl.errors import UsageError
from backupctl.rules.fingerprint import fingerprint_of, parse_fingerprint

HEX = "4f1c" * 16
COLONS = ":".join(HEX.upper()[index : index + 2] for index in range(0, 64, 2))


@pytest.mark.parametrize(
    "text",
    [
        *(HEX, HEX.upper(), f"sha256:{HEX}", f"SHA256:{HEX.upper()}", COLONS, f"sha256:{COLONS}", f" {HEX}\n"),
        *(COLONS.replace(":", " "), f"sha256 Fingerprint={COLONS}", f"SHA256 Fingerprint={COLONS}"),
    ],
)
def test_fingerprint_is_read_however_it_is_written(text: str) -> None:
    assert parse_fingerprint(text) == f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not 64 hexadecimal digits"),
        (HEX[:-1], "is not 64 hexadecimal digits"),
        (HEX + "ab", "is not 64 hexadecimal digits"),
        ("g" * 64, "is not 64 hexadecimal digits"),
        ("sha1:" + "ab" * 20, "is not 64 hexadecimal digits"),
        ("٣" * 64, "is not 64 hexadecimal digits"),
        ("ab" * 20, "is as long as a SHA-1 one"),
        ("ab" * 16, "is as long as a MD5 one"),
        ("ab" * 64, "is as long as a SHA-512 one"),
    ],
)
def test_fingerprint_that_is_none_says_why(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        parse_fingerprint(text)
    assert "backupctl trust show" in (caught.value.hint or "")


def test_fingerprint_of_a_certificate_is_the_hash_of_its_der_form() -> None:
    assert fingerprint_of(b"der") == f"sha256:{hashlib.sha256(b'der').hexdigest()}"
    assert parse_fingerprint(fingerprint_of(b"der")) == fingerprint_of(b"der")
