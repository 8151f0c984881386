"""What the appliance asks of a backup request, beyond its shape: known enum values, a good password, a usable location.

That a real appliance checks these is documented; how it words the refusal is UNCONFIRMED.
"""

import re
from typing import Any
from urllib.parse import unquote

from backupctl.simulator.releases import Release
from backupctl.simulator.wire import Message, message

_PASSWORD = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])(?=.*[^0-9A-Za-z])[\x21-\x7e]{8,20}")
"""8 to 20 visible ASCII characters with an upper-case and a lower-case letter, a digit and a special character.

Source: ``backup_password`` of backup_request in VMware's API reference, the same text from 6.5 to 9.
"""

RULE_TEXT = (
    "The backup password must be 8 to 20 visible ASCII characters long and contain at least one upper-case letter,"
    " one lower-case letter, one digit and one special character."
)

_INVALID = "com.vmware.applmgmt.backup_restore.invalid"


def broken_enum(request: dict[str, Any], release: Release) -> Message | None:
    """Return the complaint about a ``location_type`` that this release does not know."""
    value = request["location_type"]
    if value in release.location_types:
        return None
    return message(f"{_INVALID}.location_type", f"Invalid value {value} for location_type.", value)


def complaints(request: dict[str, Any], release: Release) -> list[Message]:
    """Return what else is wrong with a request, in the order of its fields."""
    found = [
        message(f"{_INVALID}.part", f"Part {part} is not supported.", part)
        for part in request["parts"]
        if part not in release.part_ids
    ]
    password = request.get("backup_password")
    if password is not None and _PASSWORD.fullmatch(password) is None:
        found.append(message(f"{_INVALID}.backup_password", RULE_TEXT))
    problem = location_problem(request["location_type"], request["location"])
    if problem:
        found.append(message(f"{_INVALID}.location", problem, request["location"]))
    return found


def location_problem(location_type: str, location: str) -> str:
    """Return what is wrong with a location, or nothing; one without a scheme is the form of 6.5 and passes."""
    scheme, separator, rest = location.partition("://")
    if separator and scheme.casefold() != location_type.casefold():
        return f"Location {location} does not match the location type {location_type}."
    host, _, path = (rest if separator else location.lstrip("/")).partition("/")
    if not host:
        return f"Location {location} names no server."
    if ".." in unquote(path).replace("\\", "/").split("/"):
        return f"Location {location} leaves its folder."
    return ""
