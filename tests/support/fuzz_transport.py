"""A transport with hostile responses, which records what the client must never do."""

import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import httpx

from tests.support.clock import FakeClock
from tests.support.fuzz_answers import MAX_BODY_BYTES, Answer, hostile_answer, hostile_login_answer
from tests.support.fuzz_values import as_json
from tests.support.scripted_transport import HOST

Honest = Callable[[httpx.Request], tuple[int, Any]]
"""Returns the response of a good appliance: status and JSON."""

CHUNK: Final = 64 * 1024
ANSWER_SECONDS: Final = 0.02
LOGINS: Final = {"/api/session": False, "/rest/com/vmware/cis/session": True}
"""The login paths, and whether the token is wrapped."""

NEVER_SENT: Final = {"cookie", "proxy-authorization", "x-forged", "referer"}


@dataclass
class FuzzExchange:
    """A request and its response; ``kind`` is login, logout or operation."""

    kind: str
    request: httpx.Request
    answer: Answer

    @property
    def status(self) -> int | None:
        """The status, None when no response head arrived."""
        return None if self.answer.error is not None and self.answer.breaks_after is None else self.answer.status

    @property
    def content(self) -> Any:
        """The decoded JSON of the response, None when it cannot be decoded."""
        if self.answer.error is not None or self.answer.endless:
            return None
        try:
            return json.loads(_plain(self.answer))
        except (ValueError, RecursionError, zlib.error, EOFError, OSError):
            return None


def _plain(answer: Answer) -> bytes:
    coding = b"".join(value for name, value in answer.headers if name == b"Content-Encoding").strip().lower()
    if coding in {b"gzip", b"x-gzip"}:
        return gzip.decompress(answer.body)
    if coding == b"deflate":
        try:
            return zlib.decompress(answer.body)
        except zlib.error:
            return zlib.decompress(answer.body, -15)
    return answer.body


class FuzzTransport(httpx.BaseTransport):
    """Responds as ``honest`` does, but makes a fraction of the responses hostile, logins less often.

    ``plausible`` responses are hostile only in their values. ``violations`` has what the client must never do.
    ``consumed`` counts the response bodies that the client closed.
    """

    def __init__(
        self,
        random: Random,
        clock: FakeClock,
        honest: Honest,
        *,
        hostility: float,
        login_hostility: float,
        plausible: bool = False,
        host: str = HOST,
        port: int | None = None,
    ) -> None:
        self.honest = honest
        self.exchanges: list[FuzzExchange] = []
        self.violations: list[str] = []
        self.consumed = 0
        self._random = random
        self._clock = clock
        self._hostility = hostility
        self._login_hostility = login_hostility
        self._plausible = plausible
        self._host = host
        self._port = port
        self._tokens: set[str] = set()
        self._refused = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        kind = _kind(request)
        self._inspect(kind, request)
        answer = self._answer(kind, request)
        exchange = FuzzExchange(kind, request, answer)
        self.exchanges.append(exchange)
        self._remember(exchange)
        longest = request.extensions["timeout"]["read"]
        self._clock.sleep(ANSWER_SECONDS + min(answer.delay, longest))
        if answer.delay > longest:
            raise httpx.ReadTimeout("late", request=request)
        if answer.error is not None and answer.breaks_after is None:
            raise answer.error("\x1b[2Jbroken\n", request=request)
        stream = _Stream(self, self._clock, request, answer)
        return httpx.Response(answer.status, headers=list(answer.headers), stream=stream, request=request)

    def _answer(self, kind: str, request: httpx.Request) -> Answer:
        status, value = self.honest(request)
        hostile = self._random.random() < (self._login_hostility if kind == "login" else self._hostility)
        if not hostile:
            return Answer(status, b"" if value is None else as_json(self._random, value))
        if kind == "login":
            wrapped = LOGINS[request.url.path]
            return hostile_login_answer(
                self._random, status, lambda token: {"value": token} if wrapped else token, value
            )
        return hostile_answer(self._random, status, value, plausible=self._plausible)

    def _inspect(self, kind: str, request: httpx.Request) -> None:
        url, headers = request.url, request.headers
        if (url.scheme, url.host, url.port) != ("https", self._host, self._port) or url.userinfo:
            self.violations.append(f"asked {url!r}")
        segments = url.raw_path.partition(b"?")[0].split(b"/")[1:]
        if any(segment in {b"", b".", b".."} for segment in segments):
            self.violations.append(f"asked the path {url.raw_path!r}")
        self.violations.extend(f"sent the header {name}" for name in NEVER_SENT & set(headers.keys()))
        token = headers.get("vmware-api-session-id")
        if token is not None and token not in self._tokens:
            self.violations.append(f"sent a session id that no login gave: {token!r}")
        if kind != "login" and "authorization" in headers and token is not None:
            self.violations.append("sent both session id and password")
        if "authorization" in headers and self._refused:
            self.violations.append("sent the password again after it was refused")

    def _remember(self, exchange: FuzzExchange) -> None:
        if "authorization" in exchange.request.headers:
            self._refused = self._refused or exchange.status == 401
        if exchange.kind == "login" and exchange.status is not None and 200 <= exchange.status < 300:
            content = exchange.content
            token = content.get("value") if isinstance(content, dict) else content
            self._tokens |= {token} if isinstance(token, str) else set()


class _Stream(httpx.SyncByteStream):
    """The body of a response, on the fake clock."""

    def __init__(self, line: FuzzTransport, clock: FakeClock, request: httpx.Request, answer: Answer) -> None:
        self._line = line
        self._clock = clock
        self._request = request
        self._answer = answer
        self._counted = False

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for chunk in self._chunks():
            sent += len(chunk)
            yield chunk
            if sent > MAX_BODY_BYTES + CHUNK:
                self._line.violations.append(f"read {sent} bytes of a body")
                return
        if self._answer.error is not None:
            raise self._answer.error("broken", request=self._request)

    def close(self) -> None:
        if not self._counted:
            self._counted = True
            self._line.consumed += 1

    def _chunks(self) -> Iterator[bytes]:
        body, seconds = self._answer.body, self._answer.seconds_per_byte
        if self._answer.breaks_after is not None:
            body = body[: self._answer.breaks_after]
        size = 1 if seconds else CHUNK
        while True:
            for start in range(0, len(body), size):
                self._clock.sleep(seconds)
                yield body[start : start + size]
            if not self._answer.endless:
                return
            body = b" " * CHUNK


def _kind(request: httpx.Request) -> str:
    if request.url.path not in LOGINS:
        return "operation"
    return "login" if request.method == "POST" else "logout"


def repeated_posts(exchanges: Sequence[FuzzExchange], path: str) -> list[str]:
    """Return the repetitions of a POST after a response that is not a definite refusal."""
    posts = [each for each in exchanges if each.request.method == "POST" and each.request.url.path.endswith(path)]
    return [
        f"POST {path} again after {before.status}"
        for before, _ in itertools.pairwise(posts)
        if before.status not in {401, 404}
    ]
