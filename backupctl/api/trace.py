"""Requests and answers as lines for ``-vv``, without the secrets in them.

What is secret is known by where it stands: a request is shown as it was before its secrets were revealed into it
(``SHOWN_AS``), headers that carry credentials are masked by name, the answer to a login and fields of that kind as a
whole. Whatever of our secrets an answer says again is taken out by ``KnownSecrets``, before anything is cut off.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import httpx
import msgspec

from backupctl.api.decoding import NOT_READABLE
from backupctl.api.extensions import ANSWER_IS_SECRET, RECEIVED, SHOWN_AS
from backupctl.secret import MASK, KnownSecrets

LONGEST_SHOWN: Final = 64 * 1024
"""The characters of a body that are shown."""

_TELLING: Final = ("authorization", "cookie", "credential", "passphrase", "password", "secret", "session-id", "token")
"""What is secret says so in its name: a header, or a field of an answer."""


def trace_lines(request: httpx.Request, response: httpx.Response | None, known: KnownSecrets) -> list[str]:
    """Return a request, and its answer if there was one, line by line, ready to be shown."""
    lines = [f"> {line}" for line in _request_lines(request)]
    if response is not None:
        lines += [f"< {line}" for line in _response_lines(request, response, known)]
    return [known.conceal(line) for line in lines]


def _request_lines(request: httpx.Request) -> Iterator[str]:
    shown_as = request.extensions.get(SHOWN_AS)
    target, body = shown_as() if shown_as else (request.url.path, None)
    yield f"{request.method} {target}"
    # The length of a body tells those of the secrets in it.
    yield from _header_lines(header for header in request.headers.multi_items() if header[0] != "content-length")
    if body is not None:
        yield _json(body)


def _response_lines(request: httpx.Request, response: httpx.Response, known: KnownSecrets) -> Iterator[str]:
    yield f"{response.status_code} {response.reason_phrase}"
    yield from _header_lines(response.extensions[RECEIVED].multi_items())
    if not response.content:
        return
    if response.is_success and request.extensions.get(ANSWER_IS_SECRET):
        yield MASK
        return
    text = known.conceal(_body(response.content))
    yield from text[:LONGEST_SHOWN].splitlines()
    if len(text) > LONGEST_SHOWN:
        yield f"({len(text) - LONGEST_SHOWN} more characters)"


def _header_lines(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        yield f"{name}: {MASK if _tells(name) else value}"


def _body(content: bytes) -> str:
    try:
        return _json(_masked(msgspec.json.decode(content)))
    except NOT_READABLE:
        return content.decode(errors="backslashreplace")


def _masked(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a value with its telling fields masked; ``/rest`` may write a map as a list of keys and values."""
    if isinstance(value, dict):
        if isinstance(value.get("key"), str) and _tells(value["key"]) and "value" in value:
            return {**value, "value": MASK}
        return {name: MASK if inner and _tells(name) else _masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value


def _tells(name: str) -> bool:
    return any(word in name.lower() for word in _TELLING)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
