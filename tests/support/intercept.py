"""Transports to a simulated appliance that record requests, and replace, change or lose responses.

``CommandLine(intercept=...)`` takes a function that gets each request and a function to send it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

Send = Callable[[httpx.Request], httpx.Response]
Intercept = Callable[[httpx.Request, Send], httpx.Response]
"""Returns the response to a request; may send it to the appliance, or raise an ``httpx.RequestError``."""

JOB = "/api/appliance/recovery/backup/job/"


def send_on(request: httpx.Request, send: Send) -> httpx.Response:
    return send(request)


class RecordingTransport(httpx.BaseTransport):
    """Records the URL of each request, and method, path and body of those that change something."""

    def __init__(self, inner: httpx.BaseTransport, intercept: Intercept = send_on) -> None:
        self._inner = inner
        self.intercept = intercept
        self.urls: list[str] = []
        self.writes: list[tuple[str, str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        self.urls.append(str(request.url))
        if is_write(request):
            self.writes.append((request.method, request.url.path, json.loads(body) if body else None))
        return self.intercept(request, self._inner.handle_request)


def is_write(request: httpx.Request) -> bool:
    """Whether a request may change something, logins and logouts excepted."""
    return request.method != "GET" and "session" not in request.url.path


@dataclass
class ReplacedAnswer:
    """Replaces the responses to requests of one method whose path contains ``path``, and counts them.

    The appliance still gets each request. ``body`` is JSON unless it is bytes. After ``times`` replacements the
    appliance's own responses are returned.
    """

    method: str
    path: str
    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    count: int = 0

    def __call__(self, request: httpx.Request, send: Send) -> httpx.Response:
        response = send(request)
        if request.method != self.method or self.path not in request.url.path:
            return response
        self.count += 1
        if self.times is not None and self.count > self.times:
            return response
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return httpx.Response(self.status, content=content, headers=self.headers)


def amend_jobs(job: Mapping[str, Any] = {}, details: Mapping[str, Any] = {}) -> Intercept:
    """Change the status of each job in /api by ``job``, and its details by ``details``."""

    def intercept(request: httpx.Request, send: Send) -> httpx.Response:
        response = send(request)
        if request.method != "GET" or not request.url.path.startswith(JOB) or not response.is_success:
            return response
        body = json.loads(response.read())
        if request.url.path == f"{JOB}details":
            return httpx.Response(200, json={job_id: each | details for job_id, each in body.items()})
        return httpx.Response(200, json=body | job)

    return intercept


def lose_writes(*methods: str, arrives: bool = False, stays_cut: bool = False) -> Intercept:
    """Lose writes of these methods: with ``arrives`` only the response, with ``stays_cut`` all later requests too."""
    cut = False

    def intercept(request: httpx.Request, send: Send) -> httpx.Response:
        nonlocal cut
        if cut and stays_cut:
            raise httpx.ConnectError("cut", request=request)
        if not is_write(request) or request.method not in methods:
            return send(request)
        cut = True
        if arrives:
            send(request).close()
        raise httpx.ReadError("cut", request=request)

    return intercept


def unreachable(request: httpx.Request, _: Send) -> httpx.Response:
    """Raise the connection error of a host that is down."""
    raise httpx.ConnectError("unreachable", request=request)


def message(text: str | None, *args: Any, **fields: Any) -> dict[str, Any]:
    """Return a message in the form of the appliance."""
    return {"id": "", "default_message": text, "args": list(args), **fields}
