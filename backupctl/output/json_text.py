"""Encode values as JSON that every parser can read and every terminal can show."""

import json
import re
from typing import Any

import msgspec

from backupctl.error_facts import follow_hint
from backupctl.errors import BackupctlError

_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def json_text(value: object, *, pretty: bool = False, ascii_only: bool = False) -> str:
    """Return ``value`` as JSON, on one line or indented (``pretty``).

    Invisible characters are escaped, with ``ascii_only`` all that are not ASCII. A lone surrogate, which Python makes
    of an undecodable byte on the command line, is not valid in JSON and becomes U+FFFD.
    """
    try:
        raw = msgspec.json.encode(value, enc_hook=_error_document)
    except UnicodeEncodeError:
        text = json.dumps(document(value), ensure_ascii=False, separators=(",", ":"))
        raw = _SURROGATE.sub("\ufffd", text).encode()
    if pretty:
        raw = msgspec.json.format(raw, indent=2)
    return _NOT_PLAIN.sub(_escaped if ascii_only else _escaped_if_invisible, raw.decode())


def document(value: object) -> Any:  # noqa: ANN401 - as the value is
    """Return ``value`` as JSON types: dicts, lists and strings."""
    return msgspec.to_builtins(value, enc_hook=_error_document)


def _error_document(value: object) -> dict[str, object]:
    """Return an error as a JSON object; without a hint of its own it gets the command that follows its job."""
    if not isinstance(value, BackupctlError):
        raise TypeError(f"no JSON for {type(value).__name__}")
    return {
        "slug": value.slug,
        "message": value.message,
        "hint": value.hint or follow_hint(value.facts),
        "details": value.details,
        "attach": value.attach,
    }


def _escaped_if_invisible(match: re.Match[str]) -> str:
    character = match.group()
    return character if character.isprintable() else _escaped(match)


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
