"""HTTP requests and responses, independent of who carries them: a socket or an httpx transport."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final, Literal, NamedTuple

Family = Literal["rest", "api"]
REST: Final[Family] = "rest"
API: Final[Family] = "api"

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: ``path`` percent-encoded, ``query`` raw, header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class DeliveryFaults:
    """What goes wrong while a response travels.

    ``delay`` in seconds before the first byte, ``seconds_per_byte`` between the bytes of the body. ``lost``: the
    connection closes without a response. ``refused``: the connection is refused.
    """

    delay: float = 0.0
    seconds_per_byte: float = 0.0
    lost: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response and how it is delivered; ``status`` is 0 where no response is sent."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delivery: DeliveryFaults = DeliveryFaults()


class RecordedRequest(NamedTuple):
    """One request that reached the appliance, and the status of its response (0: no response)."""

    method: str
    path: str
    query: str
    phase: str
    status: int


def join_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by their names in lower case, with repeated ones joined (RFC 9110, 5.3; RFC 6265, 5.4)."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}{'; ' if key == 'cookie' else ', '}{value}" if key in joined else value
    return joined


def http_date(moment: datetime) -> str:
    """Return a moment in UTC in the format of the Date header, in whole seconds (RFC 9110, 5.6.7)."""
    return format_datetime(moment, usegmt=True)


def with_date(response: Response, now: datetime) -> Response:
    """Return the response with a Date header: the time at which it is sent, after its delay."""
    date = http_date(now + timedelta(seconds=response.delivery.delay))
    return replace(response, headers=(*response.headers, ("Date", date)))
