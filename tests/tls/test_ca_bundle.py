"""``/certs/download.zip``: what is taken out of it, and what a hostile one cannot do."""

import io
import zipfile

import pytest
import trustme

from backupctl.errors import ApplianceAnswerError
from backupctl.simulator.server_certificate import download_zip
from backupctl.tls.ca_bundle import MAX_ZIP_BYTES, as_pem, read_ca_bundle
from tests import wording

HOST = "vc01.example.com"
PEM = trustme.CA().cert_pem.bytes()
DAMAGED = b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----"
OTHER = trustme.CA().cert_pem.bytes()


def packed(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return content.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(ApplianceAnswerError) as caught:
        read_ca_bundle(content, HOST)
    return caught.value.message


def test_authorities_are_taken_once_from_the_layout_of_an_appliance() -> None:
    assert as_pem(read_ca_bundle(download_zip(PEM), HOST)).encode().split() == PEM.split()


def test_authorities_with_the_same_hash_are_all_taken() -> None:
    content = packed(("certs/lin/5a1b0c2d.0", PEM), ("certs/lin/5a1b0c2d.1", OTHER), ("certs/lin/5a1b0c2d.r0", b"x"))
    assert len(read_ca_bundle(content, HOST)) == 2


def test_authorities_leave_out_everything_but_certificates() -> None:
    content = packed(("certs/lin/5a1b0c2d.0", b"\x1b[2J# words\n-----BEGIN PRIVATE KEY-----\n" + PEM + b"more"))
    assert as_pem(read_ca_bundle(content, HOST)).encode().split() == PEM.split()


def test_names_in_the_file_are_never_paths() -> None:
    content = packed(("../../../etc/5a1b0c2d.0", PEM), ("/etc/passwd", b"root"), ("certs/lin/../x.0", OTHER))
    assert len(read_ca_bundle(content, HOST)) == 1


def test_file_of_zeros_costs_no_more_than_its_bound() -> None:
    bomb = packed(("certs/lin/5a1b0c2d.0", b"\0" * 20_000_000))
    assert len(bomb) < MAX_ZIP_BYTES
    assert "contains a file of more than 64 KiB" in refused(bomb)


def test_file_that_lies_about_its_size_is_bounded_all_the_same() -> None:
    bomb = bytearray(packed(("certs/lin/5a1b0c2d.0", b"\0" * 1_000_000)))
    real, lie = (1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert bomb.count(real) == 2
    assert "/certs/download.zip " in refused(bytes(bomb.replace(real, lie)))


def test_too_many_certificates_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backupctl.tls.ca_bundle._MAX_CERTIFICATES", 1)
    assert "more than 1 certificates" in refused(packed(("a/00000000.0", PEM), ("a/00000001.0", OTHER)))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", wording.NOT_A_ZIP_FILE),
        (b"<html>", wording.NOT_A_ZIP_FILE),
        (download_zip(PEM)[:300], wording.NOT_A_ZIP_FILE),
        (packed(), "contains no certificates"),
        (packed(("certs/win/5a1b0c2d.0.crt", PEM)), "contains no certificates"),
        (packed(("certs/lin/5a1b0c2d.0", b"no PEM")), "contains no certificates"),
        (packed(("certs/lin/5a1b0c2d.0", PEM), method=zipfile.ZIP_LZMA), "uses an unsupported compression"),
        (packed(("a/5a1b0c2d.0", DAMAGED)), "contains a damaged certificate"),
        (b"PK" * MAX_ZIP_BYTES, "is larger than 1 MiB"),
    ],
    ids=range(9),  # not the bytes: those of a ZIP file differ from run to run
)
def test_file_that_cannot_be_used_says_why(content: bytes, why: str) -> None:
    assert why in refused(content)
