"""What passes between the appliance and whoever carries HTTP for it: requests, answers, and refusals by the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final, Literal, NamedTuple

Family = Literal["rest", "api"]
REST: Final[Family] = "rest"
API: Final[Family] = "api"

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: ``path`` still percent-encoded, ``query`` raw, header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class DeliveryFaults:
    """How an answer travels: a wait in seconds before it, seconds for each byte of its body, or not at all.

    ``lost``: the connection dies without an answer. ``refused``: nobody listens.
    """

    delay: float = 0.0
    seconds_per_byte: float = 0.0
    lost: bool = False
    refused: bool = False


NO_DELIVERY_FAULTS = DeliveryFaults()


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer and how it is delivered."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delivery: DeliveryFaults = NO_DELIVERY_FAULTS


def http_date(moment: datetime) -> str:
    """Return a moment in UTC as a Date header has it, in whole seconds (RFC 9110, 5.6.7)."""
    return format_datetime(moment, usegmt=True)


def dated(answer: Response, moment: datetime) -> Response:
    """Return an answer with the Date at which it leaves, if it is ready at ``moment``."""
    date = http_date(moment + timedelta(seconds=answer.delivery.delay))
    return replace(answer, headers=(*answer.headers, ("Date", date)))


class RecordedRequest(NamedTuple):
    """One request that reached the appliance, and the status of the answer that it gave (0: none)."""

    method: str
    path: str
    query: str
    phase: str
    status: int


Message = dict[str, Any]


def message(message_id: str, text: str, *args: str) -> Message:
    """Return a LocalizableMessage: id in a message bundle, English text, nested data."""
    return {"id": message_id, "default_message": text, "args": list(args)}


STATUS_OF: Mapping[str, int] = {
    "already_exists": 400,
    "feature_in_use": 400,
    "invalid_argument": 400,
    "invalid_request": 400,
    "not_allowed_in_current_state": 400,
    "resource_inaccessible": 400,
    "unsupported": 400,
    "unauthenticated": 401,
    "unauthorized": 403,
    "not_found": 404,
    "operation_not_found": 404,
    "concurrent_change": 409,
    "error": 500,
    "internal_server_error": 500,
    "service_unavailable": 503,
    "timed_out": 504,
}
"""HTTP status by the name of a standard error; in both families, the plain ``error`` is 500.

Source: the error table of VMware's vAPI runtime (PyPI: vmware-vapi-runtime, ``vmware/vapi/rest/lib.py``).
"""


class RefusedError(Exception):
    """The API refuses a request: a standard error by its snake-case name, and a stack of messages.

    ``status`` overrides the usual status of the name: VMware's dispatcher calls some 415s and 500s
    ``invalid_request``.
    """

    def __init__(self, name: str, *messages: Message, status: int | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.messages: Sequence[Message] = messages
        self.status = STATUS_OF[name] if status is None else status


def invalid_request(text: str, status: int = 400) -> RefusedError:
    """Return the refusal of a badly shaped request, worded as VMware's Python dispatcher words it."""
    cause = message("vapi.method.invoke.exception", f"Error in method invocation {text}", text)
    return RefusedError("invalid_request", cause, status=status)
