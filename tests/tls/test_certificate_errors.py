"""The error for an untrusted certificate without a readable chain."""

import ssl

import httpx
import pytest

from backupctl.tls.certificate_errors import certificate_error
from backupctl.tls.peer import Peer
from backupctl.tls.presented import UntrustedChainError
from tests.support.clock import FakeClock

PEER = Peer("vc01.example.com", "vc01.example.com", ("-s", "vc01.example.com"))
STORE = "the system's CA store"
MESSAGE = "unable to get local issuer certificate"


@pytest.mark.parametrize("chain", [None, (), (b"no certificate",)], ids=["no OpenSSL", "not known", "not readable"])
def test_message_of_openssl_is_used_without_a_readable_chain(chain: tuple[bytes, ...] | None, clock: FakeClock) -> None:
    reason = ssl.SSLCertVerificationError()
    reason.verify_code, reason.verify_message = 20, MESSAGE
    error = httpx.ConnectError("x")
    error.__cause__ = reason if chain is None else UntrustedChainError(chain)
    error.__cause__.__cause__ = None if chain is None else reason
    mapped = certificate_error(error, PEER, STORE, clock.now())
    assert mapped is not None
    assert mapped.message == f"vc01.example.com: the certificate is not trusted: {MESSAGE}"
    assert "trust pin -s vc01.example.com" in (mapped.hint or "")


def test_other_error_is_not_a_certificate_error(clock: FakeClock) -> None:
    assert certificate_error(httpx.ConnectError("refused"), PEER, STORE, clock.now()) is None
