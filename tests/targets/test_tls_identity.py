"""The certificates of backup servers over TLS: trusted, pinned, or an error that says what to do."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from backupctl.exit_codes import ExitCode
from backupctl.location import Location
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.targets.access import TargetAccess
from backupctl.targets.target_errors import TargetIdentityError
from backupctl.targets.tls_identity import TlsIdentity
from backupctl.tls.trust_settings import TrustSettings, tls_context
from tests.support.clock import FakeClock
from tests.support.tls_server import ca_file, der, server_context
from tests.wording import CERTIFICATE_OF_OTHER_HOSTS, CERTIFICATE_SIGNED_BY, PIN_NOT_PRESENTED

HOST = "backup.example.com"
CA = trustme.CA()
GOOD = CA.issue_cert(HOST)
EXPIRED = CA.issue_cert(HOST, not_after=datetime(2026, 1, 1, tzinfo=UTC))
PIN = "backupctl trust pin --location ftps://backup.example.com/vcenter -s vc01"
OTHER = "other.example.com"


def handshake(leaf: trustme.LeafCert, trust: TrustSettings) -> str | None:
    """Let the identity judge a server with the certificate ``leaf``, in memory; return the protocol of ALPN."""
    location = Location.parse(f"ftps://{HOST}/vcenter")
    identity = TlsIdentity(TargetAccess(location, tls=trust, selector=("-s", "vc01")), FakeClock())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = identity.context.wrap_bio(to_client, to_server, server_hostname=HOST)
    context = server_context(leaf)
    context.set_alpn_protocols(["http/1.1"])
    server = context.wrap_bio(to_server, to_client, server_side=True)
    try:
        for side in (client, server, client):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    except ssl.SSLError as failure:
        error = identity.error_for(failure)
        assert error is not None
        raise error from failure
    identity.check_pin(client)
    return server.selected_alpn_protocol()


def test_ftps_does_not_offer_http_as_the_connections_to_appliances_do(tmp_path: Path) -> None:
    for trust in TrustSettings(ca_file=ca_file(CA, tmp_path)), TrustSettings(fingerprint=fingerprint_of(der(GOOD))):
        tls_context(trust).set_alpn_protocols(["http/1.1"])  # by httpcore
        assert handshake(GOOD, trust) is None


def test_certificate_that_is_trusted_or_pinned_passes(tmp_path: Path) -> None:
    trusted = ca_file(CA, tmp_path)
    handshake(GOOD, TrustSettings(ca_file=trusted))
    handshake(GOOD, TrustSettings(fingerprint=fingerprint_of(der(GOOD))))
    handshake(EXPIRED, TrustSettings(fingerprint=fingerprint_of(der(EXPIRED))))
    handshake(GOOD, TrustSettings(ca_file=trusted, fingerprint=fingerprint_of(der(GOOD))))


@pytest.mark.parametrize(
    ("leaf", "trust", "sentence", "hint"),
    [
        (GOOD, {}, CERTIFICATE_SIGNED_BY("O=trustme"), PIN),
        (GOOD, {"ca_file": "other"}, CERTIFICATE_SIGNED_BY("O=trustme"), "--location-ca-file"),
        (
            EXPIRED,
            {"ca_file": "own"},
            "the certificate expired on 2026-01-01 at 00:00 UTC (59 days ago)",
            f"renew the certificate of the backup server, or pin it: `{PIN}`",
        ),
        (CA.issue_cert(OTHER), {"ca_file": "own"}, CERTIFICATE_OF_OTHER_HOSTS(OTHER, HOST), PIN),
        (GOOD, {"fingerprint": "00" * 32}, PIN_NOT_PRESENTED, PIN),
        (GOOD, {"ca_file": "own", "fingerprint": "00" * 32}, PIN_NOT_PRESENTED, PIN),
        (GOOD, {"ca_file": "other", "fingerprint": fingerprint_of(der(GOOD))}, CERTIFICATE_SIGNED_BY("O=trustme"), PIN),
    ],
)
def test_other_certificate_is_refused(
    leaf: trustme.LeafCert, trust: dict[str, str], sentence: str, hint: str, tmp_path: Path
) -> None:
    files = {"own": ca_file(CA, tmp_path), "other": ca_file(trustme.CA(), tmp_path, "other.pem")}
    settings = TrustSettings(ca_file=files.get(trust.get("ca_file", "")), fingerprint=trust.get("fingerprint"))
    with pytest.raises(TargetIdentityError) as caught:
        handshake(leaf, settings)
    error = caught.value
    assert error.message.startswith(f"the backup server {HOST}:21")
    assert sentence in error.message
    assert hint in (error.hint or "")
    assert "appliance" not in (error.hint or "")
    assert error.exit_code == ExitCode.CONNECTION
    assert error.slug == "target-identity"


def test_other_failure_is_not_about_identity() -> None:
    access = TargetAccess(Location.parse(f"https://{HOST}/"))
    assert TlsIdentity(access, FakeClock()).error_for(ConnectionResetError()) is None
