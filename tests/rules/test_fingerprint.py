"""Fingerprints: every notation is parsed to one form."""

import hashlib

import pytest

from backupctl.errors import UsageError
from backupctl.rules.fingerprint import fingerprint_of, parse_fingerprint
from tests import wording

HEX = "4f1c" * 16
COLONS = ":".join(HEX.upper()[index : index + 2] for index in range(0, 64, 2))


@pytest.mark.parametrize(
    "text",
    [
        *(HEX, HEX.upper(), f"sha256:{HEX}", f"SHA256:{HEX.upper()}", COLONS, f"sha256:{COLONS}", f" {HEX}\n"),
        *(COLONS.replace(":", " "), f"sha256 Fingerprint={COLONS}", f"SHA256 Fingerprint={COLONS}"),
    ],
)
def test_fingerprint_is_parsed_in_every_notation(text: str) -> None:
    assert parse_fingerprint(text) == f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", wording.INVALID_FINGERPRINT),
        (HEX[:-1], wording.INVALID_FINGERPRINT),
        (HEX + "ab", wording.INVALID_FINGERPRINT),
        ("g" * 64, wording.INVALID_FINGERPRINT),
        ("sha1:" + "ab" * 20, wording.INVALID_FINGERPRINT),
        ("٣" * 64, wording.INVALID_FINGERPRINT),
        ("ab" * 20, wording.FINGERPRINT_OF_ANOTHER_HASH("SHA-1")),
        ("ab" * 16, wording.FINGERPRINT_OF_ANOTHER_HASH("MD5")),
        ("ab" * 64, wording.FINGERPRINT_OF_ANOTHER_HASH("SHA-512")),
    ],
)
def test_invalid_fingerprint_is_an_error_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        parse_fingerprint(text)
    assert "backupctl trust show" in (caught.value.hint or "")


def test_fingerprint_of_a_certificate_is_the_hash_of_its_der_form() -> None:
    assert fingerprint_of(b"der") == f"sha256:{hashlib.sha256(b'der').hexdigest()}"
    assert parse_fingerprint(fingerprint_of(b"der")) == fingerprint_of(b"der")
