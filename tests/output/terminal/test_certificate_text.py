"""Certificates as text."""

import pytest

from backupctl.output.terminal.certificate_text import certificate_lines
from backupctl.output.terminal.styled_lines import UNICODE_SYMBOLS
from backupctl.results.trust_results import CertificateResult
from tests.output.samples import WHERE, a_certificate

OTHER = f"sha256:{'cd' * 32}"


@pytest.mark.parametrize(
    ("trusted", "pinned", "verdict"),
    [
        (True, None, "✓ vc01: the certificate is trusted by the system"),
        (True, a_certificate().fingerprint, "✓ vc01: the certificate is trusted by the system"),
        (True, OTHER, "✗ vc01: the certificate is trusted by the system, and not the pinned one"),
        (False, OTHER, "✗ vc01: the certificate is not trusted by the system, and not the pinned one"),
        (False, None, "! vc01: the certificate is not trusted by the system"),
    ],
)
def test_certificate_verdict_begins_with_a_cross_where_the_pin_does_not_fit(
    trusted: bool, pinned: str | None, verdict: str
) -> None:
    seen = a_certificate()
    result = CertificateResult(
        **WHERE, certificate=seen, chain=(seen,), trusted=trusted, store="the system", pinned=pinned, reason="unknown"
    )
    first, *facts = (text.plain for text in certificate_lines(result, UNICODE_SYMBOLS))
    assert first == verdict
    column = len("  not trusted  ")
    assert {(fact[column - 2 : column], fact[column] == " ") for fact in facts} == {("  ", False)}
