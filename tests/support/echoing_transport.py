"""A hostile appliance that echoes everything it receives, in every encoding, in every part of a response."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx

from tests.support.secret_encodings import ENCODERS

REFUSALS: Final[Mapping[str, int]] = {
    "refuses-400": 400,
    "refuses-403": 403,
    "refuses-404": 404,
    "refuses-500": 500,
    "busy": 400,
    "session-lost": 401,
    "login-refused": 401,
}
MODES: Final = (*REFUSALS, "page", "redirect", "nonsense", "messages", "names")
"""Where it echoes: in refusals, on an error page, in a URL, in invalid JSON values, in texts, in all names."""

_BETWEEN: Final = " | "
_TEXTS: Final = {"default_message", "comment", "description", "summary"}
_KEPT: Final = {"state", "status", "supported", "progress", "enable"}


class EchoingTransport(httpx.BaseTransport):
    """Sends requests on to an appliance, and puts the echo into the responses to requests that carry data.

    ``echoed`` counts the responses with an echo.
    """

    def __init__(self, inner: httpx.BaseTransport, mode: str) -> None:
        self._inner = inner
        self._mode = mode
        self._received: dict[str, None] = {}
        self.echoed = 0

    @property
    def received(self) -> str:
        """Everything received, in every encoding; JSON is echoed unchanged only."""
        spellings = [
            encode(text)
            for text in self._received
            for name, encode in ENCODERS.items()
            if name == "raw" or not text.startswith("{")
        ]
        return _BETWEEN.join(spellings)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        # The client sends echoed names back; they contain every encoding already.
        self._received |= dict.fromkeys(text for text in _texts_of(request, body) if _BETWEEN not in text)
        if self._mode == "login-refused" and "authorization" in request.headers:
            return self._refusal(401, "UNAUTHENTICATED")
        if request.url.path.endswith("/session"):
            return self._inner.handle_request(request)
        if self._mode in {"messages", "names"}:
            return self._with_echoes(self._inner.handle_request(request))
        carries_data = bool(body) or bool(request.url.query) or request.method != "GET"
        return self._replacement() if carries_data else self._inner.handle_request(request)

    def _replacement(self) -> httpx.Response:
        self.echoed += 1
        received = self.received
        match self._mode:
            case "page":
                return httpx.Response(503, html=f"<html>{received}</html>", headers=[(b"x-echo", received.encode())])
            case "redirect":
                elsewhere = f"https://elsewhere.example.com/{received}"
                return httpx.Response(
                    302, headers=[(b"location", elsewhere.encode()), (b"set-cookie", f"a={received}".encode())]
                )
            case "nonsense":
                return httpx.Response(200, json={"value": {"id": [received], received: received}, received: [received]})
            case mode:
                return self._refusal(REFUSALS[mode], "FEATURE_IN_USE" if mode == "busy" else "ERROR")

    def _refusal(self, status: int, kind: str) -> httpx.Response:
        self.echoed += 1
        message = {"id": "echo", "default_message": self.received, "args": []}
        return httpx.Response(status, json={"error_type": kind, "messages": [message]})

    def _with_echoes(self, answer: httpx.Response) -> httpx.Response:
        content = answer.read()
        if not content or answer.is_error:
            return httpx.Response(answer.status_code, content=content)
        self.echoed += 1
        return httpx.Response(answer.status_code, json=self._with_echo(json.loads(content), "", self.received))

    def _with_echo(self, value: Any, name: str, received: str) -> Any:
        if isinstance(value, dict):
            spoiled = {key: self._with_echo(inner, key, received) for key, inner in value.items()}
            message = {"id": "echo", "default_message": "%s", "args": [received]}
            return {**spoiled, "messages": [message]} if "messages" in value or "state" in value else spoiled
        if isinstance(value, list):
            return [self._with_echo(inner, name, received) for inner in value]
        if isinstance(value, str) and (name in _TEXTS or (self._mode == "names" and name not in _KEPT)):
            return f"{value} {received}"
        return value


def _texts_of(request: httpx.Request, body: bytes) -> Iterator[str]:
    for name in ("authorization", "vmware-api-session-id"):
        if value := request.headers.get(name):
            yield value
            if value.startswith("Basic "):
                yield base64.b64decode(value[6:]).decode()
    for _, value in parse_qsl(request.url.query.decode()):
        yield value
    if body:
        yield from _strings(json.loads(body))
        yield body.decode()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)
