"""Responses of a hostile appliance: statuses, headers, encodings, and errors in transit.

Large bodies are rare and created once, so that a million responses take minutes.
"""

import functools
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import httpx

from tests.support.fuzz_values import CORRUPTIONS, TEXTS, as_json, mutate, replace_texts

Headers = tuple[tuple[bytes, bytes], ...]

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
"""The most bytes that the client reads, before and after decoding."""


@functools.cache
def large(name: str) -> bytes:
    """Return a body at the size limit, or far beyond; each is created once."""
    limit = MAX_BODY_BYTES
    makers: dict[str, Callable[[], bytes]] = {
        "string": lambda: b'"' + b"a" * (limit - 2) + b'"',
        "too-long": lambda: b'"' + b"a" * (limit - 1) + b'"',
        "deep": lambda: b"[" * limit,
        "zeros": lambda: b"[" + b"0," * (limit // 2 - 2) + b"0]",
        "gzip-bomb": lambda: gzip.compress(b"\x00" * (64 << 20), 9, mtime=0),
        "gzip-in-bounds": lambda: gzip.compress(b'"' + b"a" * (limit - 2) + b'"', 9, mtime=0),
        "deflate-bomb": lambda: zlib.compress(b"[" * (64 << 20), 9),
        "raw-deflate-bomb": lambda: raw_deflate(b" " * (64 << 20)),
    }
    return makers[name]()


def raw_deflate(body: bytes) -> bytes:
    """Return ``body`` compressed without the zlib header that ``deflate`` should have."""
    encoder = zlib.compressobj(9, zlib.DEFLATED, -15)
    return encoder.compress(body) + encoder.flush()


def encoded(random: Random, body: bytes) -> tuple[bytes, bytes]:
    """Return a content coding and a body: correct, incorrect, or a decompression bomb."""
    if random.random() < 0.02:
        return random.choice((
            (b"gzip", large("gzip-bomb")),
            (b"gzip", large("gzip-in-bounds")),
            (b"deflate", large("deflate-bomb")),
            (b"deflate", large("raw-deflate-bomb")),
        ))  # fmt: skip
    zipped = gzip.compress(body, 1, mtime=0)
    return random.choice((
        (b"gzip", zipped),
        (b"GZIP ", zipped),
        (b"x-gzip", zipped),
        (b"deflate", zlib.compress(body)),
        (b"deflate", raw_deflate(body)),
        (b"gzip", body),
        (b"deflate", body),
        (b"gzip", zipped[: len(zipped) // 2]),
        (b"gzip", zipped + b"rest"),
        (b"gzip", zipped[:-8] + b"\x00" * 8),
        (b"gzip, gzip", gzip.compress(zipped, 1, mtime=0)),
        (b"identity", body),
        (b"br", body),
        (b"br", b"\x8b\x02\x80hello\x03"),
        (b"zstd", body),
        (b"\xff\x1b[2J", body),
        (b"gzip;q=1, *", zipped),
    ))  # fmt: skip


LOCATIONS: Final = (
    b"https://evil.example/api/session",
    b"http://vc01.example.com/api/session",
    b"//evil.example/x",
    b"\\\\evil.example\\x",
    b"https://administrator:secret@evil.example/",
    b"https://vc01.example.com@evil.example/",
    b"https://vc01.example.com:444/api/session",
    b"https://vc01.example.com/api/session",
    b"/api/appliance/recovery/backup/job",
    b"../../session?x=1",
    b"?action=cancel",
    b"#x",
    b"",
    b"https://",
    b"https:///x",
    b"https://[::1",
    b"https://evil.example:99999/",
    b"https://evil.example:port/",
    b"https://xn--/",
    b"https://\xe4\xb8\xad\xff/",
    b"https://a..b/",
    b"https://" + b"a" * 300 + b".example/",
    b"javascript:alert(1)",
    b"data:text/html,x",
    b"file:///etc/passwd",
    b"ldap://evil.example/${jndi:x}",
    b"https://evil.example/\x1b]8;;x\x1b\\\x9b2J[red]",
    b"https://evil.example/%0d%0aSet-Cookie:%20a=b",
    b"https://evil.example/" + b"a" * 60_000,
    b" https://evil.example/ ",
    b"https://e\tvil.example/",
)

HEADERS: Final[Headers] = (
    (b"Set-Cookie", b"vmware-api-session-id=stolen; Domain=.example.com; Expires=Thu, 99 Foo 99999 99:99:99 GMT"),
    (b"Set-Cookie", b"a=b; Max-Age=" + b"9" * 5000 + b'; Version=x; Port="a"'),
    (b"Set-Cookie", b"\xff\x1b[2J=;;;=; expires; version=" + b"1" * 40),
    (b"Set-Cookie2", b'a=b; Version="99999999999999999999"; Max-Age=x'),
    (b"WWW-Authenticate", b'Basic realm="\x1b[2J", Digest realm="x", nonce="y", Negotiate'),
    (b"WWW-Authenticate", b"Bearer authorization_uri=https://evil.example/"),
    (b"Proxy-Authenticate", b"Basic realm=x"),
    (b"Authentication-Info", b"nextnonce=x"),
    (b"Retry-After", b"9" * 4000),
    (b"Retry-After", b"Thu, 99 Foo"),
    (b"Content-Length", b"99999999999999999999"),
    (b"Content-Length", b"-1"),
    (b"Transfer-Encoding", b"chunked"),
    (b"Transfer-Encoding", b"gzip, chunked"),
    (b"Content-Type", b"application/json; charset=utf-16"),
    (b"Content-Type", b"text/html; charset=\xff"),
    (b"Content-Type", b"multipart/x-mixed-replace; boundary=" + b"b" * 2000),
    (b"Refresh", b"0; url=https://evil.example/"),
    (b"Alt-Svc", b'h2="evil.example:443"; ma=99999999'),
    (b"Link", b"<https://evil.example/>; rel=next"),
    (b"Strict-Transport-Security", b"max-age=0"),
    (b"Upgrade", b"h2c, websocket"),
    (b"Connection", b"close, upgrade, vmware-api-session-id"),
    (b"vmware-api-session-id", b"another"),
    (b"Location", b"https://evil.example/"),
    (b"X-Long", b"x" * 60_000),
    (b"", b""),
)

STATUSES: Final = (
    *(200, 201, 202, 203, 204, 205, 206, 207, 299),
    *(300, 301, 302, 303, 304, 305, 307, 308, 399),
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 413, 415, 418, 421, 425, 428, 429, 431, 451, 499),
    *(500, 501, 502, 503, 504, 505, 507, 511, 520, 599, 600, 999),
    *(100, 101, 103, 199),
)
REFUSALS: Final = (400, 401, 403, 404, 500, 503)
"""The statuses of the API itself; the others come from proxies, or from nothing real."""

ERRORS: Final[tuple[type[httpx.RequestError], ...]] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.PoolTimeout,
    httpx.CloseError,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.RemoteProtocolError,
)

KINDS: Final = ("FEATURE_IN_USE", "NOT_FOUND", "UNAUTHENTICATED", "UNAUTHORIZED", "ERROR", "SERVICE_UNAVAILABLE")

TOKENS: Final[tuple[Any, ...]] = (
    *("", " ", "a b", "a\r\nX-Forged: 1", "a\nb", "tok\x00en", "t\u00f6ken", "\u202e", "\x1b[2J", "x" * 70_000),
    *(0, None, True, [], ["x"], {}, {"value": "x"}, 10**30, "b00db39f948d13ea1e59b4d6fce56389; Path=/"),
)


@dataclass(frozen=True)
class Answer:
    """A response to send.

    ``error`` is raised instead, or after ``breaks_after`` bytes of the body. ``delay`` is in seconds.
    """

    status: int
    body: bytes
    headers: Headers = ()
    error: type[httpx.RequestError] | None = None
    breaks_after: int | None = None
    seconds_per_byte: float = 0.0
    endless: bool = False
    delay: float = 0.0


def error_body(random: Random) -> Any:
    """Return an error body of the API in one of its three forms, with odd texts."""
    messages = [
        {"id": random.choice(TEXTS), "default_message": random.choice(TEXTS), "args": []}
        for _ in range(random.choice((0, 1, 3)))
    ]
    kind = random.choice(KINDS)
    return random.choice((
        {"error_type": kind, "messages": messages},
        {"type": f"com.vmware.vapi.std.errors.{kind.lower()}", "value": {"messages": messages}},
        {"type": "com.vmware.x", "value": {"messages": messages, "error_type": random.choice(TEXTS)}},
        {"name": f"com.vmware.{random.choice(TEXTS)}", "localizableMessages": messages},
        {"error_type": random.choice(TEXTS), "messages": random.choice((None, "x", {}, [None]))},
    ))  # fmt: skip


def _changed(random: Random, status: int, value: Any) -> Answer:
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        value = mutate(random, value)
    return Answer(status, as_json(random, value))


def _with_odd_texts(random: Random, status: int, value: Any) -> Answer:
    return Answer(status, as_json(random, replace_texts(random, value)))


def _corrupted(random: Random, status: int, value: Any) -> Answer:
    return Answer(status, random.choice(CORRUPTIONS)(random, as_json(random, value)))


def _refused(random: Random, _status: int, _value: Any) -> Answer:
    body = as_json(random, error_body(random))
    status = random.choice(random.choice((STATUSES, REFUSALS)))
    return Answer(status, random.choice(CORRUPTIONS)(random, body) if random.random() < 0.2 else body)


def _with_headers(random: Random, status: int, value: Any) -> Answer:
    headers = tuple(random.choice(HEADERS) for _ in range(random.choice((1, 2, 5))))
    return Answer(random.choice((status, random.choice(STATUSES))), as_json(random, value), headers)


def _redirected(random: Random, status: int, value: Any) -> Answer:
    location = ((b"Location", random.choice(LOCATIONS)),)
    return Answer(random.choice((301, 302, 303, 307, 308, 300, 304, 201, status)), as_json(random, value), location)


def _encoded(random: Random, status: int, value: Any) -> Answer:
    coding, body = encoded(random, as_json(random, value))
    return Answer(status, body, ((b"Content-Encoding", coding),))


def _broken(random: Random, status: int, value: Any) -> Answer:
    body = as_json(random, value)
    return Answer(status, body, error=random.choice(ERRORS), breaks_after=random.choice((None, 0, len(body) // 2)))


def _delivered(random: Random, status: int, value: Any) -> Answer:
    """Return a response with odd delivery: late, byte by byte, endless, or very large."""
    dice, answer = random.random(), Answer(status, as_json(random, value))
    if dice < 0.3:
        return replace(answer, delay=random.choice((5.0, 29.0, 299.0)))
    if dice < 0.6:
        return replace(answer, seconds_per_byte=random.choice((0.01, 1.0, 20.0)))
    if dice < 0.8:
        return replace(answer, endless=True, seconds_per_byte=random.choice((1.0, 9.0)))
    if dice < 0.84:
        return replace(answer, endless=True)
    if dice < 0.9:
        return replace(answer, body=large(random.choice(("string", "too-long", "deep", "zeros"))))
    return replace(answer, body=answer.body + b" " * 100_000)


_PLAUSIBLE: Final = (_changed, _changed, _changed, _with_odd_texts)
_HOSTILE: Final = (
    *(_changed,) * 7,
    *(_with_odd_texts,) * 2,
    *(_corrupted,) * 2,
    *(_refused,) * 3,
    *(_with_headers,) * 2,
    *(_redirected,) * 2,
    *(_encoded,) * 2,
    _broken,
    _delivered,
)
"""Each is as frequent as it is listed here."""


def hostile_answer(random: Random, status: int, value: Any, *, plausible: bool = False) -> Answer:
    """Return a hostile response instead of a good one with ``status`` and ``value``.

    A ``plausible`` one differs only in its values, so that the client accepts it.
    """
    return random.choice(_PLAUSIBLE if plausible else _HOSTILE)(random, status, value)


def hostile_login_answer(random: Random, status: int, wrap: Callable[[Any], Any], value: Any) -> Answer:
    """Return a hostile response to a login, some with odd tokens."""
    if random.random() < 0.5:
        return hostile_answer(random, status, value)
    return Answer(status, as_json(random, wrap(random.choice(TOKENS))))
