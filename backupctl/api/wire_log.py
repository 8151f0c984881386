"""Requests and answers as lines for ``-vv``, without the secrets in them.

What is secret is known by where it stands: a request is shown as it was before its secrets were revealed into it
(``REDACTED_REQUEST``), headers that carry credentials are masked by name, the answer to a login and fields of that
kind as a whole. Whatever of our secrets an answer says again is masked by ``Redactor``, in JSON text by text.
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
"""What is secret says so in its name: a header, or a field of an answer."""


def wire_log_lines(request: httpx.Request, response: httpx.Response | None, known: Redactor) -> list[str]:
    """Return a request, and its answer if there was one, line by line, ready to be shown."""
    lines = [f"> {known.redact(line)}" for line in _request_lines(request)]
    if response is not None:
        lines += [f"< {known.redact(line)}" for line in _head_lines(response)]
        lines += [f"< {line}" for line in _body_lines(request, response, known)]
    return lines


def redacted_path(request: httpx.Request) -> str:
    """Return the path of a request, what is secret in it masked."""
    redacted_request = request.extensions.get(REDACTED_REQUEST)
    return str(redacted_request()[0]).partition("?")[0] if redacted_request else request.url.path


def _request_lines(request: httpx.Request) -> Iterator[str]:
    redacted_request = request.extensions.get(REDACTED_REQUEST)
    target, body = redacted_request() if redacted_request else (request.url.path, None)
    yield f"{request.method} {target}"
    # The length of a body tells those of the secrets in it.
    yield from _header_lines(header for header in request.headers.multi_items() if header[0] != "content-length")
    if body is not None:
        yield _json(body)


def _head_lines(response: httpx.Response) -> Iterator[str]:
    yield f"{response.status_code} {response.reason_phrase}"
    yield from _header_lines(response.extensions[RAW_HEADERS].multi_items())


def _header_lines(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        yield f"{name}: {MASK if _is_secret_name(name) else value}"


def _body_lines(request: httpx.Request, response: httpx.Response, known: Redactor) -> list[str]:
    if response.content and response.is_success and request.extensions.get(SECRET_RESPONSE):
        return [MASK]
    return known.redact(_body(response.content, known)).splitlines()


def _body(content: bytes, known: Redactor) -> str:
    try:
        return _json(_masked(msgspec.json.decode(content), RedactionBudget(known.redact)))
    except DECODE_ERRORS:
        return content.decode(errors="backslashreplace")


def _masked(value: object, budget: RedactionBudget) -> object:
    """Return a value with its telling fields masked; ``/rest`` may write a map as a list of keys and values.

    What is behind the end of the budget is cut off later.
    """
    if budget.spent:
        return MASK
    if isinstance(value, str):
        return budget.redact(value)
    if isinstance(value, dict):
        if isinstance(value.get("key"), str) and _is_secret_name(value["key"]) and "value" in value:
            value = {**value, "value": MASK}
        return {
            budget.redact(name): MASK if inner and _is_secret_name(name) else _masked(inner, budget)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner, budget) for inner in value]
    return value


def _is_secret_name(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
