"""What a backup server shows before a login, unverified: its SSH host key algorithms, or its TLS certificate."""

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO, Final

from backupctl.location import Location
from backupctl.models import Certificate
from backupctl.targets.target import CONNECT_SECONDS
from backupctl.targets.target_errors import TargetUnreachableError
from backupctl.tls.trust_settings import TrustSettings, context_without_alpn
from backupctl.tls.x509 import read_certificate

_PORTS: Final = {"FTPS": 21, "HTTPS": 443}
_MAX_LINES: Final = 50
_MAX_PACKET: Final = 35_000
_KEXINIT: Final = 20


def host_key_algorithms(location: Location) -> tuple[str, ...]:
    """Return the host key algorithms that an SSH server offers. Raises TargetUnreachableError: if it does not."""
    with _connected(location, 22) as server, server.makefile("rb") as stream:
        server.sendall(b"SSH-2.0-backupctl\r\n")
        return read_kexinit(stream)


def read_kexinit(stream: BinaryIO) -> tuple[str, ...]:
    """Return the host key algorithms in the first packet of an SSH server (RFC 4253, sections 4.2, 6 and 7.1).

    Raises ValueError and struct.error: for anything else.
    """
    _skip_until(b"SSH-", stream)
    length, _, message = struct.unpack(">IBB", stream.read(6))
    if message != _KEXINIT or length > _MAX_PACKET:
        raise ValueError("not an SSH server")
    lists = stream.read(length - 2)[16:]  # after a cookie: the key exchange algorithms, then those of host keys
    (skipped,) = struct.unpack_from(">I", lists)
    (size,) = struct.unpack_from(">I", lists, 4 + skipped)
    names = tuple(lists[8 + skipped : 8 + skipped + size].decode("ascii").split(","))
    if not all(re.fullmatch("[!-~]{1,64}", name) for name in names):
        raise ValueError("not an SSH server")
    return names


def presented_certificate(location: Location, now: datetime) -> Certificate:
    """Return the certificate of an FTPS or HTTPS server. Raises TargetUnreachableError: if it shows none."""
    with _connected(location, _PORTS[location.type]) as server:
        if location.type == "FTPS":
            with server.makefile("rb") as stream:
                _skip_until(b"220 ", stream)
                server.sendall(b"AUTH TLS\r\n")
                if not stream.readline(512).startswith(b"234 "):
                    raise ValueError("the server does not offer TLS")
        context = context_without_alpn(TrustSettings(insecure=True))
        with context.wrap_socket(server, server_hostname=location.host) as tls:
            return read_certificate(tls.getpeercert(binary_form=True) or b"", now)


def _skip_until(start: bytes, stream: BinaryIO) -> None:
    if not any(stream.readline(512).startswith(start) for _ in range(_MAX_LINES)):
        raise ValueError(f"no {start.decode().strip()} from the server")


@contextmanager
def _connected(location: Location, port: int) -> Iterator[socket.socket]:
    try:
        with socket.create_connection((location.host, location.port or port), CONNECT_SECONDS) as server:
            yield server
    except (OSError, ValueError, struct.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TargetUnreachableError("cannot connect: $1", server=location.host, texts=(reason,)) from error
