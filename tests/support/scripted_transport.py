"""A transport with prepared responses, which records the requests."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from backupctl.api.connect import Login, connect
from backupctl.api.credential_state import CredentialState
from backupctl.api.recovery_api import RecoveryApi
from backupctl.api.transport import Exchange
from backupctl.secrets.secret import Secret
from tests.support.clock import FakeClock

HOST = "vc01.example.com"
USER = "administrator@vsphere.local"
PASSWORD = "VMware1!"
TOKEN = "b00db39f948d13ea1e59b4d6fce56389"


@dataclass
class Reply:
    """A prepared response; ``body`` is JSON unless it is bytes. ``error`` is raised instead."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: type[httpx.RequestError] | None = None
    then: Callable[[], None] | None = None


def html(status: int) -> Reply:
    """Return the page of the proxy in front of the services while they are down."""
    return Reply(status, b"<html><body>Service Unavailable</body></html>", {"content-type": "text/html"})


def vapi(status: int, kind: str, *texts: str, message_id: str = "com.vmware.x") -> Reply:
    """Return an error of the API in the newer form."""
    messages = [{"id": message_id, "default_message": text, "args": []} for text in texts]
    return Reply(status, {"error_type": kind, "messages": messages})


NO_ROUTE = vapi(404, "NOT_FOUND", "Not found.", message_id="com.vmware.vapi.rest.httpNotFound")
UNAUTHENTICATED = vapi(401, "UNAUTHENTICATED", "Authentication required.")


class ScriptedTransport(httpx.BaseTransport):
    """Responds by ``METHOD /path`` from prepared lists; the last response of each list repeats."""

    def __init__(self, replies: Mapping[str, Reply | list[Reply]]) -> None:
        self._replies = {key: deque(each if isinstance(each, list) else [each]) for key, each in replies.items()}
        self.requests: list[httpx.Request] = []

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        queued = self._replies[f"{request.method} {request.url.path}"]
        reply = queued.popleft() if len(queued) > 1 else queued[0]
        if reply.then:
            reply.then()
        if reply.error:
            raise reply.error("prepared", request=request)
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        stream = httpx.ByteStream(content)
        return httpx.Response(reply.status, stream=stream, headers=dict(reply.headers), request=request)


API_LOGIN = {"POST /api/session": Reply(201, TOKEN), "DELETE /api/session": Reply(204)}
REST_LOGIN = {
    "POST /api/session": NO_ROUTE,
    "POST /rest/com/vmware/cis/session": Reply(200, {"value": TOKEN}),
    "DELETE /rest/com/vmware/cis/session": Reply(200),
}


def api_over(
    transport: httpx.BaseTransport | None,
    clock: FakeClock,
    *,
    family: str | None = None,
    user: str = USER,
    basic: bool = False,
    credential_state: CredentialState | None = None,
    host: str = HOST,
    exchanges: list[Exchange] | None = None,
    read_only: bool = False,
) -> RecoveryApi:
    """Return the recovery API over a transport."""
    observed = [] if exchanges is None else exchanges
    login = Login(user, Secret(PASSWORD), basic=basic, credential_state=credential_state)
    return connect(
        f"https://{host}",
        login,
        clock=clock,
        observe=observed.append,
        family=family,
        transport=transport,
        read_only=read_only,
    )
