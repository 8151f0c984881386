"""Warnings about a location that need no request to the appliance.

Source: the vendor's page on backup servers (Schedule a File-Based Backup, vSphere 8.0): FTPS is explicit only, HTTP and
HTTPS need WebDAV, and the appliance and the backup server must both use IPv4 or both IPv6.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

from backupctl.location import Location
from backupctl.rules.location_types import IN_CLEAR

_IMPLICIT_FTPS_PORT: Final = 990
_ENCRYPTED: Final = {"FTP": "FTPS or SFTP", "HTTP": "HTTPS"}


def location_warnings(location: Location, appliance_host: str, *, password: bool) -> Iterator[str]:
    """Yield the warnings about a location; ``password`` says whether a password is sent to it."""
    kind = location.type
    if kind == "FTPS" and location.port == _IMPLICIT_FTPS_PORT:
        yield "port 990 is for implicit FTPS, but vCenter supports only explicit FTPS; use port 21 or omit it"
    if kind in {"HTTP", "HTTPS"}:
        yield f"{kind} needs a server that supports WebDAV"
    if kind in IN_CLEAR and password:
        yield f"{kind} sends the location password unencrypted; use {_ENCRYPTED[kind]}"
    appliance_ip, server_ip = _ip_version(appliance_host), _ip_version(location.host)
    if appliance_ip and server_ip and appliance_ip != server_ip:
        yield (
            f"vCenter cannot mix IPv4 and IPv6: its address is IPv{appliance_ip}, that of the backup "
            f"server IPv{server_ip}"
        )


def _ip_version(host: str) -> int | None:
    """Return 4 or 6 for an address, None for a name, as only the appliance knows how it resolves the name."""
    try:
        return ipaddress.ip_address(host.strip("[]")).version
    except ValueError:
        return None
