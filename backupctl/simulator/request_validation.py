"""Validation of backup requests and schedules: enum values, ranges, the backup password, the location.

That an appliance checks these is documented; ids and texts of the messages are UNCONFIRMED.
"""

import re
from typing import Any
from urllib.parse import unquote

from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.releases import Release
from backupctl.simulator.schedule_entries import DAYS

_PASSWORD = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])(?=.*[^0-9A-Za-z])[\x21-\x7e]{8,20}")
"""8 to 20 visible ASCII characters with an upper-case and a lower-case letter, a digit and a special character.

Source: ``backup_password`` of backup_request in VMware's API reference, the same text from 6.5 to 9.
"""

RULE_TEXT = (
    "The backup password must be 8 to 20 visible ASCII characters long and contain at least one upper-case letter,"
    " one lower-case letter, one digit and one special character."
)

_INVALID = "com.vmware.applmgmt.backup_restore.invalid"


def unknown_location_type(request: dict[str, Any], release: Release) -> Message | None:
    """Return the message about a ``location_type`` that this release does not have."""
    value = request["location_type"]
    if value in release.location_types:
        return None
    return message(f"{_INVALID}.location_type", f"Invalid value {value} for location_type.", value)


def request_problems(request: dict[str, Any], release: Release) -> list[Message]:
    """Return the messages about a backup request, in the order of its fields."""
    return _common_problems(request, release, location_problem(request["location_type"], request["location"]))


def schedule_problems(spec: dict[str, Any], release: Release) -> list[Message]:
    """Return the messages about the fields of a schedule that are set."""
    found = _common_problems(spec, release, url_problem(spec["location"], release) if "location" in spec else "")
    recurrence = spec.get("recurrence_info", {})
    for name, maximum in (("minute", 59), ("hour", 23)):
        value = recurrence.get(name, 0)
        if not 0 <= value <= maximum:
            found.append(message(f"{_INVALID}.{name}", f"Invalid value {value} for {name}.", str(value)))
    unknown = [day for day in recurrence.get("days", ()) if day not in DAYS]
    found += [message(f"{_INVALID}.days", f"Invalid value {day} for days.", day) for day in unknown]
    if spec.get("retention_info", {}).get("max_count", 1) < 1:
        found.append(message(f"{_INVALID}.max_count", "At least one backup must be retained."))
    return found


def _common_problems(request: dict[str, Any], release: Release, location_problem: str) -> list[Message]:
    found = [
        message(f"{_INVALID}.part", f"Part {part} is not supported.", part)
        for part in request.get("parts", ())
        if part not in release.part_ids
    ]
    password = request.get("backup_password")
    if password is not None and _PASSWORD.fullmatch(password) is None:
        found.append(message(f"{_INVALID}.backup_password", RULE_TEXT))
    if location_problem:
        found.append(message(f"{_INVALID}.location", location_problem, request["location"]))
    return found


def url_problem(location: str, release: Release) -> str:
    """Return the problem of a location that must be a URL of a supported scheme; empty if there is none."""
    scheme, separator, _ = location.partition("://")
    if not separator or scheme.upper() not in release.location_types:
        return f"Location {location} is not a URL of a supported protocol."
    return location_problem(scheme, location)


def location_problem(location_type: str, location: str) -> str:
    """Return the problem of a location, empty if there is none; the scheme may be missing, as 6.5 allows."""
    scheme, separator, rest = location.partition("://")
    if separator and scheme.casefold() != location_type.casefold():
        return f"Location {location} does not match the location type {location_type}."
    host, _, path = (rest if separator else location.lstrip("/")).partition("/")
    if not host:
        return f"Location {location} names no server."
    if ".." in unquote(path).replace("\\", "/").split("/"):
        return f"Location {location} leaves its folder."
    return ""
