"""Encode values as JSON that every parser can read and every terminal can show."""

import json
import re

import msgspec

_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def json_text(value: object, *, pretty: bool = False, ascii_only: bool = False) -> str:
    """Return ``value`` as JSON, on one line or indented (``pretty``).

    Invisible characters are escaped, with ``ascii_only`` all that are not ASCII. A lone surrogate, which Python makes
    of an undecodable byte on the command line, is not valid in JSON and becomes U+FFFD.
    """
    try:
        raw = msgspec.json.encode(value)
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, separators=(",", ":"))
        raw = _SURROGATE.sub("\ufffd", text).encode()
    if pretty:
        raw = msgspec.json.format(raw, indent=2)
    return _NOT_PLAIN.sub(_escaped if ascii_only else _escaped_if_invisible, raw.decode())


def _escaped_if_invisible(match: re.Match[str]) -> str:
    character = match.group()
    return character if character.isprintable() else _escaped(match)


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
