"""Requests and responses as lines for ``-vv``, with secrets masked.

Most secrets are masked by their place: a request is logged with masks in place of its secrets (``REDACTED_REQUEST``),
headers and fields with credentials are masked by name, and the response to a login as a whole. ``Redactor`` masks the
secrets that a response echoes, in JSON text by text.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import httpx
import msgspec

from backupctl.api.decoding import DECODE_ERRORS
from backupctl.api.extensions import RAW_HEADERS, REDACTED_REQUEST, SECRET_RESPONSE
from backupctl.secrets.redaction import RedactionBudget, Redactor
from backupctl.secrets.secret import MASK

_SECRET_WORDS: Final = (
    "authorization",
    "cookie",
    "credential",
    "passphrase",
    "password",
    "secret",
    "session-id",
    "token",
)
"""Parts of the names of secret headers and fields."""


def wire_log_lines(request: httpx.Request, response: httpx.Response | None, redactor: Redactor) -> list[str]:
    """Return the lines of a request and of its response, if there is one."""
    lines = [f"> {redactor.redact(line)}" for line in _request_lines(request)]
    if response is not None:
        lines += [f"< {redactor.redact(line)}" for line in _head_lines(response)]
        lines += [f"< {line}" for line in _body_lines(request, response, redactor)]
    return lines


def redacted_path(request: httpx.Request) -> str:
    """Return the path of a request with secrets masked."""
    redacted = request.extensions.get(REDACTED_REQUEST)
    return str(redacted()[0]).partition("?")[0] if redacted else request.url.path


def _request_lines(request: httpx.Request) -> Iterator[str]:
    redacted = request.extensions.get(REDACTED_REQUEST)
    target, body = redacted() if redacted else (request.url.path, None)
    yield f"{request.method} {target}"
    # The length of a body reveals the length of the secrets in it.
    yield from _header_lines(header for header in request.headers.multi_items() if header[0] != "content-length")
    if body is not None:
        yield _json(body)


def _head_lines(response: httpx.Response) -> Iterator[str]:
    yield f"{response.status_code} {response.reason_phrase}"
    yield from _header_lines(response.extensions[RAW_HEADERS].multi_items())


def _header_lines(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        yield f"{name}: {MASK if _is_secret_name(name) else value}"


def _body_lines(request: httpx.Request, response: httpx.Response, redactor: Redactor) -> list[str]:
    if response.content and response.is_success and request.extensions.get(SECRET_RESPONSE):
        return [MASK]
    return redactor.redact(_body(response.content, redactor)).splitlines()


def _body(content: bytes, redactor: Redactor) -> str:
    try:
        return _json(_mask_json(msgspec.json.decode(content), RedactionBudget(redactor.redact)))
    except DECODE_ERRORS:
        return content.decode(errors="backslashreplace")


def _mask_json(value: object, budget: RedactionBudget) -> object:
    """Return a JSON value with secret fields masked; ``/rest`` may encode a map as a list of keys and values.

    ``RedactionBudget`` limits the time; the text is cut off to the same length later.
    """
    if budget.spent:
        return MASK
    if isinstance(value, str):
        return budget.redact(value)
    if isinstance(value, dict):
        if isinstance(value.get("key"), str) and _is_secret_name(value["key"]) and "value" in value:
            value = {**value, "value": MASK}
        return {
            budget.redact(name): MASK if inner and _is_secret_name(name) else _mask_json(inner, budget)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_mask_json(inner, budget) for inner in value]
    return value


def _is_secret_name(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
