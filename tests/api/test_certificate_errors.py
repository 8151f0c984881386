"""Why a certificate is not trusted, where the chain cannot help to say it."""

import ssl

import httpx
import pytest

from backupctl.api.certificate_errors import certificate_error
from backupctl.api.connect import connection_to
from backupctl.tls.presented import UntrustedChainError
from tests.support.clock import FakeClock

MESSAGE = "unable to get local issuer certificate"


@pytest.mark.parametrize("chain", [None, (), (b"no certificate",)], ids=["no OpenSSL", "not known", "not readable"])
def test_chain_that_is_not_known_leaves_what_openssl_says(chain: tuple[bytes, ...] | None, clock: FakeClock) -> None:
    reason = ssl.SSLCertVerificationError()
    reason.verify_code, reason.verify_message = 20, MESSAGE
    error = httpx.ConnectError("x")
    error.__cause__ = reason if chain is None else UntrustedChainError(chain)
    error.__cause__.__cause__ = None if chain is None else reason
    said = certificate_error(error, connection_to("https://vc01.example.com", None, clock), "the system's store of CAs")
    assert said is not None
    assert said.message == f"vc01.example.com: the certificate is not trusted: {MESSAGE}"
    assert "trust fetch" in (said.hint or "")


def test_error_that_is_not_about_a_certificate_is_left_alone(clock: FakeClock) -> None:
    connection = connection_to("https://vc01.example.com", None, clock)
    assert certificate_error(httpx.ConnectError("refused"), connection, "the system's store of CAs") is None
