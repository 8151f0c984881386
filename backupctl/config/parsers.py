"""Parse the text of one value. Parsers raise UsageError, to which the caller adds the source of the text."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

from backupctl.config.proxy import parse_proxy
from backupctl.config.server_address import parse_server
from backupctl.errors import UsageError
from backupctl.location import LocationTemplate, MountPoint, parse_location_type
from backupctl.rules import request_fields
from backupctl.rules.duration import parse_duration
from backupctl.rules.fingerprint import parse_fingerprint, parse_peer_fingerprint
from backupctl.rules.plain_text import check_printable

__all__ = [  # imported for the option table
    "parse_duration",
    "parse_fingerprint",
    "parse_location_type",
    "parse_peer_fingerprint",
    "parse_proxy",
]

C = TypeVar("C", bound=str)

parse_location_template = LocationTemplate.parse
parse_location_user = request_fields.parse_location_user
parse_mount_point = MountPoint.parse
parse_system = request_fields.parse_system
parse_comment = request_fields.parse_comment

SHORTEST_INTERVAL: Final = 0.1
"""Minimum poll interval, in seconds."""
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def parse_choice(choices: Sequence[C], text: str) -> C:
    """Return the one of ``choices`` that the text names, in upper or lower case."""
    for choice in choices:
        if choice == text.strip().lower():
            return choice
    raise UsageError(f"invalid value {text!r}", hint=f"choose from {', '.join(choices)}")


def parse_switch(text: str) -> bool:
    """Return the meaning of a yes or no."""
    value = _SWITCH.get(text.strip().lower())
    if value is None:
        raise UsageError(f"invalid yes or no {text!r}", hint="use 1, true, yes or on; 0, false, no or off")
    return value


def parse_interval(text: str) -> float:
    """Return a poll interval, long enough not to overload the appliance."""
    seconds = parse_duration(text)
    if seconds < SHORTEST_INTERVAL:
        raise UsageError(f"interval must be at least {SHORTEST_INTERVAL} s", hint="use 1s or more")
    return seconds


def parse_nonzero_duration(text: str) -> float:
    """Return a duration that is not zero."""
    seconds = parse_duration(text)
    if not seconds:
        raise UsageError("must be longer than 0s", hint="use a duration such as 10m")
    return seconds


def parse_parallel(text: str) -> int:
    """Return the number of concurrent backups, 0 for no limit."""
    if re.fullmatch(r"[0-9]{1,6}", text.strip(), re.ASCII) is None:
        raise UsageError(f"invalid number of backups {text!r}", hint="use 1 or more, or 0 for no limit")
    return int(text)


def parse_keep_count(text: str) -> int:
    """Return a number of archives to keep, 0 for a rule that is off."""
    if re.fullmatch(r"[0-9]{1,6}", text.strip(), re.ASCII) is None:
        raise UsageError(f"invalid number of archives {text!r}", hint="use 1 or more, or 0 to turn the rule off")
    return int(text)


def parse_server_name(text: str) -> str:
    """Return the text of a configured name or an address, which is checked, without blanks around it."""
    parse_server(text.strip())
    return text.strip()


def parse_group(text: str) -> str:
    """Return the name of a group; the configuration checks whether it exists."""
    if not text.strip():
        raise UsageError("the group name is empty")
    check_printable(text, "the group name")
    return text


def parse_username(text: str) -> str:
    """Return a user name, without blanks around it, that works with HTTP Basic authentication: no colon.

    Source: RFC 7617, section 2. A blank within the name is valid: names in Active Directory may have one.
    """
    text = text.strip()
    if not text:
        raise UsageError("the user name is empty")
    check_printable(text, "the user name")
    if ":" in text:
        raise UsageError("a user name cannot contain a colon", hint="give the password with $--password-file")
    return text


def parse_path(text: str) -> Path:
    """Return a path; ``~`` is the home directory."""
    if not text:
        raise UsageError("the file name is empty")
    check_printable(text, "the file name")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text!r}: home directory not found", hint="use an absolute path") from error


def parse_size(text: str) -> float:
    """Return a number of bytes, written as 500MB, 1.5GB or 1000."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMGT]?)B?", text.strip().upper(), re.ASCII)
    if match is None:
        raise UsageError(f"invalid size {text!r}", hint="use 500MB, 1.5GB or a number of bytes")
    return float(match[1]) * 10.0 ** (3 * " KMGT".index(match[2] or " "))


def parse_percent(text: str) -> float:
    """Return a number of percent, written with or without the sign."""
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})? ?%?", text.strip(), re.ASCII) is None:
        raise UsageError(f"invalid percentage {text!r}", hint="use 50%")
    return float(text.strip().removesuffix("%"))


def parse_part(text: str) -> str:
    """Return a checked name of a part."""
    return request_fields.check_parts([text])[0]
