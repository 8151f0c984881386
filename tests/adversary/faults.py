"""What goes wrong with a request or with its answer, byte by byte."""

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
"""About how long a request is, head and body: what a share of its bytes is a share of."""
PIECES: Final = 20
"""In how many pieces an answer trickles."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the ``nth`` request of a label, and with those behind it, ``times`` in all.

    ``works`` says whether the appliance carries out the request: yes, no, or late, after ``seconds``.
    ``at`` is the share of the bytes of the request, or of the answer, behind which a connection is cut. ``status``,
    ``body`` and ``error`` say what is answered instead, ``body`` also what is left over behind an answer.
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

    def strikes(self, label: str, number: int) -> bool:
        return label == self.label and self.nth <= number < self.nth + self.times

    @property
    def name(self) -> str:
        """What to call it in the table."""
        words = [self.kind]
        if self.kind == "status":
            words = [str(self.status), self.body or "empty"]
        if self.kind in {"cut answer", "cut request"}:
            words.append("RST" if self.reset else "FIN")
        unprocessed = self.works == "no" and self.kind != "cut request"
        return " ".join([*words, *(["unprocessed"] if unprocessed else [])])


@dataclass
class Seen:
    """A request that reached the appliance, and what became of it.

    ``done`` says that it was processed, ``began`` that it started a job, ``delivered`` that the appliance's own answer
    arrived whole, ``ids`` what a list had in it, ``details`` what details told of each job.
    """

    at: float
    request: Request
    fault: Fault | None
    done: bool = False
    status: int | None = None
    vapi: bool = False
    delivered: bool = True
    began: bool = False
    ids: tuple[str, ...] = ()
    details: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def readable(self) -> bool:
        """Whether the appliance's own answer arrived whole."""
        return self.done and self.delivered and self.status in {200, 201, 204}


@dataclass
class Exchange:
    """A request that a fault strikes: ``answer`` is the appliance's own, None where it was not processed.

    ``send`` sends an answer with whatever stands behind it, ``rest`` sleeps and returns whether the run goes on.
    ``another`` is what the appliance would say of its oldest job.
    """

    stream: socket.socket
    request: Request
    seen: Seen
    fault: Fault
    answer: Answer | None
    bytes_of: Callable[[Answer], bytes]
    note: Callable[[Answer], None]
    send: Callable[[Answer, bytes], None]
    process: Callable[[], Answer]
    rest: Callable[[float], bool]
    another: Callable[[], Answer]

    @property
    def whole(self) -> Answer:
        """The answer; of a request that was not processed something has to be cut as well."""
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
    """Read the share of a request that is to be read, of which ``data`` was, and cut the connection."""
    wanted = int(fault.at * REQUEST_BYTES)
    stream.settimeout(0.02)
    with contextlib.suppress(OSError):
        while len(data) < wanted:
            more = stream.recv(wanted - len(data))
            if not more:
                break
            data += more
    cut_off(stream, reset=fault.reset)


def instead(family: str, fault: Fault) -> Answer:
    """Return what is answered instead."""
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


def _cut_answer(its: Exchange) -> bool:
    data = its.bytes_of(its.whole)
    upto = min(len(data) - 1, int(its.fault.at * len(data)))
    if its.whole.status == 204:  # with its head it would be whole
        upto = min(upto, data.index(b"\r\n\r\n"))
    its.seen.delivered = False
    if upto:
        its.stream.sendall(data[:upto])
    cut_off(its.stream, reset=its.fault.reset)
    return False


def _status(its: Exchange) -> bool:
    its.seen.delivered = False
    its.send(instead(its.request.family, its.fault), b"")
    return True


def _late_status(its: Exchange) -> bool:
    its.seen.delivered = False
    return its.rest(its.fault.seconds) and _status(its)


def _hang(its: Exchange) -> bool:
    its.seen.delivered = False
    its.rest(float("inf"))
    return False


def _slow(its: Exchange) -> bool:
    its.seen.delivered = False
    if not its.rest(its.fault.seconds):
        return False
    its.seen.delivered = True
    its.send(its.answer or its.process(), b"")
    return True


def _trickle(its: Exchange) -> bool:
    data = its.bytes_of(its.whole)
    step = max(1, len(data) // PIECES)
    sent = 0
    its.seen.delivered = False
    for start in range(0, len(data) - step, step):
        its.stream.sendall(data[start : start + step])
        if not its.rest(its.fault.seconds / PIECES):
            return False
        sent = start + step
    its.seen.delivered = True
    its.note(its.whole)
    its.stream.sendall(data[sent:])
    return True


def _double(its: Exchange) -> bool:
    its.send(its.whole, its.bytes_of(its.whole))
    return True


def _leftover(its: Exchange) -> bool:
    its.send(its.whole, LEFTOVERS[its.fault.body])
    return True


def _other_form(its: Exchange) -> bool:
    """Answer in the form of the other family."""
    own = its.whole
    its.seen.delivered = False
    body = own.body["value"] if isinstance(own.body, dict) and set(own.body) == {"value"} else {"value": own.body}
    its.send(own if isinstance(own.body, bytes) else Answer(own.status, body), b"")
    return True


def _other_job(its: Exchange) -> bool:
    """Tell of another job than was asked for, or started, if there is another."""
    told = its.another()
    its.seen.delivered = told.body == its.whole.body
    its.send(told, b"")
    return True


SPOIL: Final[dict[str, Callable[[Exchange], bool]]] = {
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
"""What to do with an exchange; each returns whether the connection goes on."""
