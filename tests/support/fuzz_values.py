"""Hostile values: the values and JSON of a good appliance, changed at random.

A seeded ``random.Random`` makes each run repeatable.
"""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

FORGED: Final = "FORGED"
"""The start of lines that would look like the program's own if line ends were interpreted."""
MARKED: Final = "[bold red]MARKED[/bold red]"
"""A word in rich markup, which must never be interpreted."""
_ENDS: Final = ("first\n", "\r\n", "\r", "\u2028", "\u2029", "\x0b", "\x0c", "\x1e", "\x85")

TEXTS: Final = (
    "",
    " ",
    "plain",
    "\x1b[31mred\x1b[0m\x1b[2J\x1b[1;1H",
    "\x1b]8;;https://evil.example/\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1bPq#0;2;0;0;0\x1b\\ \x1b_payload\x1b\\ \x1bc",
    "\x9b31m \x9d52;c;ZXZpbA==\x9c \x85 \x90 \x84",
    "\x00\x07\x08\x08\x08\x0b\x0c\x7f",
    "\u202egnp.exe\u202c \u2066hidden\u2069 \u061c \u200e\u200f",
    "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u034fh\u180ei",
    "Z" + "\u0301\u0336\u0489" * 200,
    "\U000e0041\U000e0042\U000e007f \U0001f468\u200d\U0001f469 \U00020000 \uffff \U0010ffff",
    "\u3164\u115f\u2800 \uff21\u0e01\u0e33 \u05d0\u05d1 \u0627\u0644",
    MARKED,
    "[link=https://evil.example/]x[/link] [/] [ [[ \\[ :boom: [blink] {server} {0} %s %n ${HOME} $(id) `id`",
    "".join(f"{end}{FORGED} error: line" for end in _ENDS),
    f"\r\n\r\n{FORGED}: header\r\n",
    "\t\t\ttabs\t",
    "..",
    ".",
    "a/b",
    "../../backup",
    "a?action=cancel",
    "a#b",
    "%2e%2e%2f",
    "-x",
    "--insecure",
    "'; rm -rf / #",
    "details",
    "latest",
    "restore",
    "NaN",
    "inf",
    "1e400",
    "0x10",
    "true",
    "null",
    "1" * 5000,
    "x" * 70_000,
    "wide \u4e2d\u6587\uff01" * 50,
    " " * 3000 + "end",
    "word " * 2000,
    "\n" * 2000,
)

STATES: Final = ("SUCCEEDED", "FAILED", "INPROGRESS", "NONE", "RUNNING", "PENDING", "BLOCKED", "OK", "WARNING", "FAIL")

NUMBERS: Final = (
    *(0, -1, 1, 101, -(10**6), 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400),
    *(0.1, -0.0, 99.999999, 1e-320, 1e30, 1e308, -1e308),
)

TIMES: Final = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "2026-03-01T24:00:00Z",
    "2026-03-01T02:00:60Z",
    "2026-03-01",
    "2026-03-01T02:00:00",
    "2026-03-01T02:00:00.123456789123+05:30",
    "10000-01-01T00:00:00Z",
    "253402300800",
    "yesterday",
    253402300800,
    -62135596801,
    -62135596800,
    1e18,
)

RAW: Final = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-", "01", "+1", "1.", ".5", "tru", "nul", "undefined", "'x'", "\x00"),
    *(
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\ud83d"',
        '"\\x41"',
        '"\\u12"',
        '"\n"',
        '"\x1b[2J"',
        '"',
        "/*c*/1",
        "1,",
        "{,}",
    ),
    "1" * 5000,
    "-" + "9" * 400,
    "[" * 300 + "]" * 300,
    "[" * 3000 + "]" * 3000,
    '{"a":' * 900 + "1" + "}" * 900,
    "[" * 100_000,
)
"""Invalid JSON values, and valid ones that are hard to parse."""

_RAW: Final = "\x01raw\x01"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT")
_LONG: Final = 50
"""The length above which a list is not multiplied."""


def mutate(random: Random, value: Any) -> Any:
    """Return ``value`` with one part changed, left out or multiplied."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        if random.random() < 0.08:
            return {name: inner for name, inner in value.items() if name != key}
        return value | {key: mutate(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.85:
        index = random.randrange(len(value))
        if random.random() < 0.1:
            return value * (random.choice((0, 2, 30)) if len(value) < _LONG else 0)
        return [*value[:index], mutate(random, value[index]), *value[index + 1 :]]
    return odd(random, value)


def replace_texts(random: Random, value: Any) -> Any:
    """Return ``value`` with its texts replaced, except ids and states."""
    if isinstance(value, dict):
        decisive = {"id", "state", "status"}
        return {name: inner if name in decisive else replace_texts(random, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [replace_texts(random, inner) for inner in value]
    return random.choice(TEXTS) if isinstance(value, str) and not _TIME.match(value) else value


def odd(random: Random, value: Any) -> Any:
    """Return a replacement for ``value``, mostly an extreme value of its type."""
    kinds: list[Sequence[Any]] = [TEXTS, NUMBERS, TIMES, STATES, (None, True, False, [], {}, [[]], {"": None}, _RAW)]
    if random.random() < 0.3:
        return random.choice(random.choice(kinds))
    if isinstance(value, str):
        return random.choice(TIMES if _TIME.match(value) else STATES if value.isupper() else TEXTS)
    if isinstance(value, bool):
        return random.choice((not value, None, "yes", 1))
    return random.choice(NUMBERS) if isinstance(value, int | float) else random.choice(kinds[-1])


def as_json(random: Random, value: Any) -> bytes:
    """Return ``value`` as JSON, with raw markers replaced by hostile JSON."""
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    text = re.sub(re.escape(json.dumps(_RAW)), lambda _: random.choice(RAW), text)
    return text.encode("utf-8", "surrogatepass")


def _cut(random: Random, body: bytes) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def _with_bad_bytes(random: Random, body: bytes) -> bytes:
    at = random.randrange(len(body) + 1)
    bad = random.choice((b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\x00", b"\x1b[2J", b'"', b"\\", b"}", b","))
    return body[:at] + bad + body[at + random.choice((0, 1)) :]


def _with_key_twice(random: Random, body: bytes) -> bytes:
    extra = random.choice((b'"state":"SUCCEEDED"', b'"value":1', b'"id":"x"', b'"":""', b'"state":"FAILED"'))
    return body.replace(b"{", b"{" + extra + b",", 1) if b"{}" not in body[:2] else body


CORRUPTIONS: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (
    _cut,
    _with_bad_bytes,
    _with_key_twice,
    lambda *_: b"",
    lambda _, body: b"\xef\xbb\xbf" + body,
    lambda _, body: body.decode("utf-8", "replace").encode("utf-16"),
    lambda _, body: body + b"\n" + body,
    lambda _, body: b" " * 5000 + body + b"\n" * 5000,
    lambda _, body: b"<html>\x1b[2J<title>Sign in</title>" + body,
    lambda _, body: json.dumps(body.decode("utf-8", "replace")).encode(),
    lambda random, _: random.choice((b"null", b"0", b'""', b"[]", b"{}", b"true", b'{"value":null}', b'{"value":{}}')),
)
"""Functions that corrupt a body."""
