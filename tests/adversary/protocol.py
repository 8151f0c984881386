"""The REST API on the wire: the operation of each request, and errors in the forms of both families.

Written from the vendor's documentation alone; nothing is shared with the program or with its simulator.
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as read from the wire; ``label`` is the operation, empty when there is none."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    family: str
    label: str
    names: dict[str, str]

    @property
    def content(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Answer:
    """A response: status, body (JSON unless it is bytes), and content type."""

    status: int
    body: Any = b""
    type: str = "application/json"

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def vapi(status: int, kind: str, text: str | None, family: str, message_id: str = "com.vmware.applmgmt.err") -> Answer:
    """Return an error in the form of one family, without a message when ``text`` is None."""
    messages = [] if text is None else [{"id": message_id, "default_message": text, "args": []}]
    if family == "api":
        return Answer(status, {"error_type": kind, "messages": messages})
    value = {"error_type": kind, "messages": messages}
    return Answer(status, {"type": f"com.vmware.vapi.std.errors.{kind.lower()}", "value": value})


NO_PATH_ID = "com.vmware.vapi.rest.httpNotFound"


def no_path(family: str) -> Answer:
    if family == "api":
        return vapi(404, "NOT_FOUND", "Not found.", "api", NO_PATH_ID)
    message = {"defaultMessage": "Not found.", "id": NO_PATH_ID}
    return Answer(404, {"name": NO_PATH_ID, "localizableMessages": [message], "majorErrorCode": 404})


_B = "/appliance/recovery/backup"
_R = "/appliance/recovery/restore"
_S = f"{_B}/schedules"

ROUTES: list[tuple[str, str, str, str, str]] = [
    # label, families, method, path, action
    ("login", "api", "POST", "/session", ""),
    ("logout", "api", "DELETE", "/session", ""),
    ("login", "rest", "POST", "/com/vmware/cis/session", ""),
    ("logout", "rest", "DELETE", "/com/vmware/cis/session", ""),
    ("version", "both", "GET", "/appliance/system/version", ""),
    ("supported", "both", "GET", "/appliance/recovery", ""),
    ("health", "both", "GET", "/appliance/health/system", ""),
    ("database", "both", "GET", "/appliance/health/database", ""),
    ("settings", "both", "GET", "/appliance/health/settings", ""),
    ("parts", "both", "GET", f"{_B}/parts", ""),
    ("size", "both", "GET", f"{_B}/parts/(?P<part>[^/]+)", ""),
    ("list", "both", "GET", f"{_B}/job", ""),
    ("create", "both", "POST", f"{_B}/job", ""),
    ("details", "both", "GET", f"{_B}/job/details", ""),
    ("job", "both", "GET", f"{_B}/job/(?P<job>[^/]+)", ""),
    ("cancel", "rest", "POST", f"{_B}/job/(?P<job>[^/]+)/cancel", ""),
    ("cancel", "api", "POST", f"{_B}/job/(?P<job>[^/]+)", "cancel"),
    ("validate", "rest", "POST", f"{_B}/validate", ""),
    ("validate", "api", "POST", _B, "validate"),
    ("schedules", "both", "GET", _S, ""),
    ("schedule", "both", "GET", f"{_S}/(?P<schedule>[^/]+)", ""),
    ("schedule-create", "rest", "POST", f"{_S}/(?P<schedule>[^/]+)", ""),
    ("schedule-create", "api", "POST", _S, ""),
    ("schedule-update", "rest", "PUT", f"{_S}/update/(?P<schedule>[^/]+)", ""),
    ("schedule-update", "api", "PATCH", f"{_S}/(?P<schedule>[^/]+)", ""),
    ("schedule-delete", "both", "DELETE", f"{_S}/(?P<schedule>[^/]+)", ""),
    ("run", "both", "POST", f"{_S}/(?P<schedule>[^/]+)", "run"),
    ("restore-validate", "rest", "POST", f"{_R}/validate", ""),
    ("restore-validate", "api", "POST", _R, "validate"),
    ("restore", "both", "POST", f"{_R}/job", ""),
    ("restore-job", "both", "GET", f"{_R}/job", ""),
    ("restore-cancel", "rest", "POST", f"{_R}/job/cancel", ""),
    ("restore-cancel", "api", "POST", f"{_R}/job", "cancel"),
    ("reconcile", "both", "POST", "/appliance/recovery/reconciliation/job", ""),
    ("reconciliation", "both", "GET", "/appliance/recovery/reconciliation/job", ""),
]
SINCE_67 = {"details", "schedules", "schedule", "schedule-create", "schedule-update", "schedule-delete", "run",
            "supported", "reconcile", "reconciliation", "database", "settings"}  # fmt: skip
STARTS = {"create": "piece", "run": None}


def read_request(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
    """Return the request, labelled with its operation."""
    parts = urlsplit(target)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    family = "api" if parts.path.startswith("/api/") else "rest"
    path = parts.path.removeprefix(f"/{family}")
    action = query.get("action", [""])[0]
    for label, families, verb, pattern, wanted in ROUTES:
        match = re.fullmatch(pattern, path)
        if match and verb == method and families in {family, "both"} and wanted == action:
            names = {name: unquote(value) for name, value in match.groupdict().items()}
            return Request(method, parts.path, query, headers, body, family, label, names)
    return Request(method, parts.path, query, headers, body, family, "", {})
