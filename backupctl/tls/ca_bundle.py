"""Read the appliance's own CA certificates from the ZIP file that it offers to browsers.

``/certs/download.zip`` holds the trusted roots three times, for Linux, macOS and Windows: ``certs/lin/HASH.0`` (PEM)
with ``HASH.r0`` (a revocation list) beside it, the same in ``certs/mac``, and ``certs/win/HASH.0.crt``. Sources:
VMware's documentation "Download and Install vCenter Server Root Certificates", and the file tree in OpenShift's
instructions for vSphere. The host is not trusted yet: file names are only compared, never used as paths, and the
unpacked size is limited, whatever the ZIP file declares.
"""

import io
import re
import ssl
import zipfile
import zlib
from binascii import Error as NotBase64Error
from typing import Final

from backupctl.errors import ApplianceAnswerError

PATH: Final = "/certs/download.zip"

MAX_ZIP_BYTES: Final = 1024 * 1024
"""The largest ZIP file that is read; one with a dozen roots has about 60 kB."""

_MAX_FILE_BYTES: Final = 64 * 1024
_MAX_CERTIFICATES: Final = 200
_ON_LINUX: Final = re.compile(r"(?:[^/]*/)*[0-9a-f]{8}\.[0-9]+")
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def read_ca_bundle(content: bytes, host: str) -> tuple[bytes, ...]:
    """Return the certificates of a ``download.zip`` in DER form, each once, in the order of the file.

    Raises ApplianceAnswerError: if it is not such a file, or is too large.
    """
    if len(content) > MAX_ZIP_BYTES:
        raise _unusable(host, f"is larger than {MAX_ZIP_BYTES >> 20} MiB")
    found: dict[bytes, None] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                if _ON_LINUX.fullmatch(entry.filename):
                    found.update(dict.fromkeys(_certificates(archive, entry, host)))
                if len(found) > _MAX_CERTIFICATES:
                    raise _unusable(host, f"contains more than {_MAX_CERTIFICATES} certificates")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OSError) as error:
        raise _unusable(host, f"is not a valid ZIP file: {error}") from error
    if not found:
        raise _unusable(host, "contains no certificates")
    return tuple(found)


def as_pem(certificates: tuple[bytes, ...]) -> str:
    """Return certificates as PEM text, encoded from their DER form, so that it contains nothing else."""
    return "".join(map(ssl.DER_cert_to_PEM_cert, certificates))


def _certificates(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, host: str) -> list[bytes]:
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise _unusable(host, "uses an unsupported compression")
    with archive.open(entry) as file:
        content = file.read(_MAX_FILE_BYTES + 1)
    if len(content) > _MAX_FILE_BYTES:
        raise _unusable(host, f"contains a file of more than {_MAX_FILE_BYTES >> 10} KiB")
    try:
        return [ssl.PEM_cert_to_DER_cert(text) for text in _PEM.findall(content.decode("ascii", errors="replace"))]
    except NotBase64Error as error:
        raise _unusable(host, "contains a damaged certificate") from error


def _unusable(host: str, why: str) -> ApplianceAnswerError:
    return ApplianceAnswerError(
        f"{PATH} {why}",
        server=host,
        hint="check that this host is a vCenter Server appliance and this port its HTTPS port (443)",
    )
