"""From the text of one value to what it means; parsers raise UsageError and do not know where the text came from."""

import re
from collections.abc import Callable
from pathlib import Path

from backupctl.errors import UsageError
from backupctl.rules.duration import parse_duration
from backupctl.rules.fields import check_comment, check_location_user, check_parts
from backupctl.rules.text import check_plain

_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def choice(*choices: str) -> Callable[[str], str]:
    """Return a parser that takes one of ``choices``, in upper or lower case."""

    def parse(text: str) -> str:
        found = text.strip().lower()
        if found not in choices:
            raise UsageError(f"{text!r} is none of {', '.join(choices)}")
        return found

    return parse


def parse_switch(text: str) -> bool:
    """Return what a yes or no means."""
    found = _SWITCH.get(text.strip().lower())
    if found is None:
        raise UsageError(f"{text!r} is neither yes nor no", hint="write 1, true, yes or on; 0, false, no or off")
    return found


def parse_interval(text: str) -> float:
    """Return a duration that is not zero."""
    seconds = parse_duration(text)
    if not seconds:
        raise UsageError("an interval of zero would ask without a pause")
    return seconds


def parse_username(text: str) -> str:
    """Return a user name that HTTP Basic authentication can carry: without a colon (RFC 7617, section 2)."""
    if not text.strip():
        raise UsageError("the user name is empty")
    check_plain(text, "the user name")
    if ":" in text:
        raise UsageError("a user name cannot hold a colon", hint="the password has options of its own")
    return text


def parse_path(text: str) -> Path:
    """Return a path; ``~`` is the home directory."""
    if not text:
        raise UsageError("the name of the file is empty")
    check_plain(text, "the name of the file")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text!r}: no home directory for it") from error


def parse_location_text(text: str) -> str:
    """Return a location, unjudged: it may hold placeholders, and its type may come from another option."""
    if not text.strip():
        raise UsageError("the location is empty", hint="write a URL such as sftp://backup.example.com/vcenter")
    check_plain(text, "the location")
    return text


def parse_location_user(text: str) -> str:
    """Return a checked location user."""
    check_location_user(text)
    return text


def parse_comment(text: str) -> str:
    """Return a checked comment."""
    check_comment(text)
    return text


def parse_part(text: str) -> str:
    """Return a checked name of a part."""
    return check_parts([text])[0]


def parse_count(text: str) -> int:
    """Return how often a flag was given."""
    if not re.fullmatch("[0-9]", text):
        raise UsageError(f"{text!r} is no count")
    return int(text)
