"""Certificates as text."""

import pytest

from backupctl.output.terminal.certificate_text import certificate_lines
from backupctl.output.terminal.styled_lines import UNICODE_SYMBOLS
from backupctl.results.trust_results import CertificateResult
from tests import wording
from tests.output.samples import WHERE, a_certificate

OTHER = f"sha256:{'cd' * 32}"


@pytest.mark.parametrize(
    ("trusted", "pinned", "verdict"),
    [
        (True, None, f"✓ vc01: {wording.TRUSTED_BY_THE_SYSTEM}"),
        (True, a_certificate().fingerprint, f"✓ vc01: {wording.PINNED_CERTIFICATE}, and trusted by the system"),
        (False, a_certificate().fingerprint, f"✓ vc01: {wording.PINNED_CERTIFICATE}, but not trusted by the system"),
        (True, OTHER, f"✗ vc01: {wording.TRUSTED_BY_THE_SYSTEM}{wording.NOT_THE_PINNED_CERTIFICATE}"),
        (False, OTHER, f"✗ vc01: {wording.UNTRUSTED_BY_THE_SYSTEM}{wording.NOT_THE_PINNED_CERTIFICATE}"),
        (False, None, f"! vc01: {wording.UNTRUSTED_BY_THE_SYSTEM}"),
    ],
)
def test_certificate_line_begins_with_a_cross_if_the_pin_differs(
    trusted: bool, pinned: str | None, verdict: str
) -> None:
    seen = a_certificate()
    result = CertificateResult(
        **WHERE,
        certificate=seen,
        chain=(seen,),
        trusted=trusted,
        store="the system",
        needs_ca=pinned is None,
        pinned=pinned,
        reason="unknown",
    )
    first, *facts = (text.plain for text in certificate_lines(result, UNICODE_SYMBOLS))
    assert first == verdict
    column = len("  not trusted  ")
    assert {(fact[column - 2 : column], fact[column] == " ") for fact in facts} == {("  ", False)}


def test_fingerprint_has_the_colons_of_openssl_on_lines_of_80_columns() -> None:
    result = CertificateResult(**WHERE, certificate=a_certificate(), trusted=True, pinned=OTHER)
    lines = [text.plain for text in certificate_lines(result, UNICODE_SYMBOLS)]
    shown = "".join("".join(lines).split())
    assert ":".join(["AB"] * 32) in shown
    assert ":".join(["CD"] * 32) in shown
    assert max(map(len, lines)) <= 80
