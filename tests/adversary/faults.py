"""The faults of requests and responses, applied to the bytes on the wire."""

import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.adversary.protocol import Answer, Request, no_path, vapi

HTML: Final = b"<html><head><title>%d</title></head><body><h1>Service</h1><p>The gateway says %d.</p></body></html>"
LEFTOVERS: Final = {
    "404": b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
    "401": b'HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n""',
    "200": b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"value":[]}',
    "junk": b"\x00\x16\x03junk\r\n\r\n",
}
REQUEST_BYTES: Final = 600
"""The approximate length of a request, head and body, to which ``Fault.at`` of a cut request refers."""
PIECES: Final = 20
"""The number of pieces of a trickling response."""


@dataclass(frozen=True)
class Fault:
    """A fault of the ``nth`` request of a label and the following ones, ``times`` in all.

    ``works`` is whether the appliance processes the request: yes, no, or late, after ``seconds``.
    ``at`` is the fraction of the request's or the response's bytes after which the connection is cut. ``status``,
    ``body`` and ``error`` describe the response that is sent instead; ``body`` also names the leftover bytes.
    """

    label: str
    kind: str
    nth: int = 1
    times: int = 1
    works: str = "yes"
    at: float = 0.5
    reset: bool = True
    status: int = 503
    body: str = "html"
    error: str = "SERVICE_UNAVAILABLE"
    seconds: float = 0.0

    def matches(self, label: str, number: int) -> bool:
        return label == self.label and self.nth <= number < self.nth + self.times

    @property
    def name(self) -> str:
        """The name in the table."""
        words = [self.kind]
        if self.kind == "status":
            words = [str(self.status), self.body or "empty"]
        if self.kind in {"cut answer", "cut request"}:
            words.append("RST" if self.reset else "FIN")
        unprocessed = self.works == "no" and self.kind != "cut request"
        return " ".join([*words, *(["unprocessed"] if unprocessed else [])])


@dataclass
class ObservedRequest:
    """A request that reached the appliance, and its outcome.

    ``processed``: the appliance carried it out. ``started_job``: it started a job. ``delivered``: the appliance's own
    response arrived complete. ``ids``: the jobs in a list. ``details``: the details of each job.
    """

    at: float
    request: Request
    fault: Fault | None
    processed: bool = False
    status: int | None = None
    vapi: bool = False
    delivered: bool = True
    started_job: bool = False
    ids: tuple[str, ...] = ()
    details: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def readable(self) -> bool:
        """Whether a successful response of the appliance arrived complete."""
        return self.processed and self.delivered and self.status in {200, 201, 204}


@dataclass
class Exchange:
    """A request with a fault; ``answer`` is the appliance's own response, None when it was not processed.

    ``send`` sends a response and extra bytes after it. ``sleep`` returns whether the run is still going.
    ``oldest_job_answer`` returns the response about the oldest job.
    """

    stream: socket.socket
    request: Request
    observed: ObservedRequest
    fault: Fault
    answer: Answer | None
    bytes_of: Callable[[Answer], bytes]
    note: Callable[[Answer], None]
    send: Callable[[Answer, bytes], None]
    process: Callable[[], Answer]
    sleep: Callable[[float], bool]
    oldest_job_answer: Callable[[], Answer]

    @property
    def answer_to_send(self) -> Answer:
        """The appliance's response, or a 404 for a request that was not processed, so that there are bytes to cut."""
        return self.answer or no_path(self.request.family)


def cut_off(stream: socket.socket, *, reset: bool) -> None:
    """Close a connection with RST, or with FIN."""
    if reset:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        with contextlib.suppress(OSError):
            stream.shutdown(socket.SHUT_WR)
    stream.close()


def cut_request(stream: socket.socket, data: bytes, fault: Fault) -> None:
    """Read the fraction ``fault.at`` of a request, ``data`` included, and cut the connection."""
    wanted = int(fault.at * REQUEST_BYTES)
    stream.settimeout(0.02)
    with contextlib.suppress(OSError):
        while len(data) < wanted:
            more = stream.recv(wanted - len(data))
            if not more:
                break
            data += more
    cut_off(stream, reset=fault.reset)


def replacement(family: str, fault: Fault) -> Answer:
    """Return the response that replaces the appliance's own."""
    text = f"It says {fault.error.lower()}."
    other = "rest" if family == "api" else "api"
    bodies = {
        "vapi": vapi(fault.status, fault.error, text, family),
        "other": vapi(fault.status, fault.error, text, other),
        "silent": vapi(fault.status, fault.error, None, family),
        "html": Answer(fault.status, HTML % (fault.status, fault.status), "text/html"),
        "elsewhere": Answer(fault.status, b"", "text/html"),
        "text": Answer(fault.status, b"no healthy upstream", "text/plain"),
        "bad": Answer(fault.status, b'{"value": {"state": "INPRO'),
        "": Answer(fault.status),
    }
    return bodies[fault.body]


def _cut_answer(exchange: Exchange) -> bool:
    data = exchange.bytes_of(exchange.answer_to_send)
    upto = min(len(data) - 1, int(exchange.fault.at * len(data)))
    if exchange.answer_to_send.status == 204:  # a 204 is complete after its head
        upto = min(upto, data.index(b"\r\n\r\n"))
    exchange.observed.delivered = False
    if upto:
        exchange.stream.sendall(data[:upto])
    cut_off(exchange.stream, reset=exchange.fault.reset)
    return False


def _status(exchange: Exchange) -> bool:
    exchange.observed.delivered = False
    exchange.send(replacement(exchange.request.family, exchange.fault), b"")
    return True


def _late_status(exchange: Exchange) -> bool:
    exchange.observed.delivered = False
    return exchange.sleep(exchange.fault.seconds) and _status(exchange)


def _hang(exchange: Exchange) -> bool:
    exchange.observed.delivered = False
    exchange.sleep(float("inf"))
    return False


def _slow(exchange: Exchange) -> bool:
    exchange.observed.delivered = False
    if not exchange.sleep(exchange.fault.seconds):
        return False
    exchange.observed.delivered = True
    exchange.send(exchange.answer or exchange.process(), b"")
    return True


def _trickle(exchange: Exchange) -> bool:
    data = exchange.bytes_of(exchange.answer_to_send)
    step = max(1, len(data) // PIECES)
    sent = 0
    exchange.observed.delivered = False
    for start in range(0, len(data) - step, step):
        exchange.stream.sendall(data[start : start + step])
        if not exchange.sleep(exchange.fault.seconds / PIECES):
            return False
        sent = start + step
    exchange.observed.delivered = True
    exchange.note(exchange.answer_to_send)
    exchange.stream.sendall(data[sent:])
    return True


def _double(exchange: Exchange) -> bool:
    exchange.send(exchange.answer_to_send, exchange.bytes_of(exchange.answer_to_send))
    return True


def _leftover(exchange: Exchange) -> bool:
    exchange.send(exchange.answer_to_send, LEFTOVERS[exchange.fault.body])
    return True


def _other_form(exchange: Exchange) -> bool:
    """Respond in the form of the other family."""
    own = exchange.answer_to_send
    exchange.observed.delivered = False
    body = own.body["value"] if isinstance(own.body, dict) and set(own.body) == {"value"} else {"value": own.body}
    exchange.send(own if isinstance(own.body, bytes) else Answer(own.status, body), b"")
    return True


def _other_job(exchange: Exchange) -> bool:
    """Respond about the oldest job, which may be another than was requested or started."""
    answer = exchange.oldest_job_answer()
    exchange.observed.delivered = answer.body == exchange.answer_to_send.body
    exchange.send(answer, b"")
    return True


FAULT_HANDLERS: Final[dict[str, Callable[[Exchange], bool]]] = {
    "cut answer": _cut_answer,
    "status": _status,
    "late status": _late_status,
    "hang": _hang,
    "slow": _slow,
    "trickle": _trickle,
    "double": _double,
    "leftover": _leftover,
    "other form": _other_form,
    "other job": _other_job,
}
"""Apply a fault to an exchange; each returns whether the connection stays open."""
