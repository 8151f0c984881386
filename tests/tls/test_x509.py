"""Certificates are read as a library reads them that does everything, and rubbish is refused, never believed."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from backupctl.tls.x509 import read_certificate
from tests.support.clock import START

KEY = ec.generate_private_key(ec.SECP256R1())
VMCA = [
    x509.NameAttribute(NameOID.COMMON_NAME, "CA"),
    x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "vsphere"),
    x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "local"),
    x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
    x509.NameAttribute(NameOID.ORGANIZATION_NAME, "vc01.example.com"),
    x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "VMware Engineering"),
]


def made(
    subject: list[x509.NameAttribute[str]] = VMCA,
    extensions: tuple[x509.ExtensionType, ...] = (),
    not_before: datetime = START,
    not_after: datetime = START + timedelta(days=730),
    serial_number: int = 0xF00D,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(x509.Name(VMCA))
        .public_key(KEY.public_key())
        .serial_number(serial_number)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, SHA256())


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def test_certificate_as_vcenter_makes_it_is_read() -> None:
    names = x509.SubjectAlternativeName(
        [
            x509.RFC822Name("email@acme.com"),
            x509.IPAddress(ipaddress.ip_address("10.0.0.7")),
            x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
            x509.DNSName("vc01.example.com"),
        ]
    )
    certificate = made(extensions=(names, x509.BasicConstraints(ca=False, path_length=None)))
    read = read_certificate(der(certificate), START + timedelta(hours=1))
    assert read.subject == "CN=CA, DC=vsphere, DC=local, C=US, O=vc01.example.com, OU=VMware Engineering"
    assert read.subject == read.issuer
    assert read.names == ("10.0.0.7", "2001:db8::7", "vc01.example.com")
    assert (read.not_before, read.not_after, read.expires_in_days) == (START, START + timedelta(days=730), 729)
    assert (read.is_ca, read.serial_number) == (False, "00f00d")
    assert read.fingerprint == f"sha256:{certificate.fingerprint(SHA256()).hex()}"


def test_certificate_of_an_authority_is_called_so() -> None:
    assert read_certificate(der(made(extensions=(x509.BasicConstraints(ca=True, path_length=0),))), START).is_ca
    assert not read_certificate(der(made()), START).is_ca


@pytest.mark.parametrize("end", [datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
def test_certificate_that_ends_in_another_century_is_read(end: datetime) -> None:
    read = read_certificate(der(made(not_before=datetime(1951, 1, 1, tzinfo=UTC), not_after=end)), START)
    assert (read.not_before.year, read.not_after) == (1951, end)


def test_certificate_that_expired_counts_the_days_since() -> None:
    end = START - timedelta(days=12)
    read = read_certificate(der(made(not_before=START - timedelta(days=90), not_after=end)), START)
    assert read.expires_in_days == -12


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=16), st.integers(1, 2**150))
def test_certificate_with_any_name_is_read_as_the_library_reads_it(name: str, serial: int) -> None:
    certificate = made([x509.NameAttribute(NameOID.COMMON_NAME, name)], serial_number=serial)
    read = read_certificate(der(certificate), START)
    assert read.subject == f"CN={name}"
    assert int(read.serial_number, 16) == certificate.serial_number


GOOD = der(made(extensions=(x509.BasicConstraints(ca=True, path_length=0),)))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_certificate_with_a_byte_changed_is_read_or_refused(position: int, byte: int) -> None:
    changed = bytearray(GOOD)
    changed[position] = byte
    try:
        read_certificate(bytes(changed), START)
    except ValueError:
        return


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x80", b"\x30\x85\x00", b"\x1f\x00", GOOD[:-1], GOOD + GOOD, b"\x30\x00", b"\x30\x02\x30\x00"],
    ids=range(9),  # not the bytes: those of a certificate differ from run to run
)
def test_certificate_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_certificate(data, START)


@pytest.mark.exhaustive
@settings(max_examples=5000, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_certificate(data, START)


def test_certificate_of_a_real_authority_is_read() -> None:
    pem = trustme.CA(organization_name="Example").cert_pem.bytes().decode()
    read = read_certificate(ssl.PEM_cert_to_DER_cert(pem), START)
    assert read.is_ca
    assert read.subject.startswith("O=Example, OU=")
