"""Bytes behind an answer: whatever comes that nobody asked for is never taken for the answer to the next request."""

import socket
import threading
from typing import Final

import pytest

from backupctl.api.connect import Login, Trust, connect
from backupctl.clock import SystemClock
from backupctl.secret import Secret
from tests.support.hostile_servers import read_head
from tests.support.raw_server import listening
from tests.support.wire import PASSWORD, TOKEN, USER

pytestmark = pytest.mark.real


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
APPLIANCE: Final = {
    b"POST /api/session": NOT_FOUND * 2,
    b"POST /rest/com/vmware/cis/session": answer(b'{"value": "%b"}' % TOKEN.encode()),
    b"GET /rest/appliance/recovery/backup/job": answer(b'{"value": []}'),
    b"DELETE /rest/com/vmware/cis/session": answer(b""),
}


@pytest.mark.xfail(strict=True, reason="h11 keeps the bytes behind an answer")
def test_real_doubled_404_of_a_login_is_not_the_answer_to_the_next_login() -> None:
    asked: list[bytes] = []

    def serve(connection: socket.socket, over: threading.Event) -> None:
        while head := read_head(connection):
            asked.append(b" ".join(head.split()[:2]))
            connection.sendall(APPLIANCE[asked[-1]])

    with listening(serve) as (address, _):
        login = Login(USER, Secret(PASSWORD))
        api = connect(f"http://{address}", login, clock=SystemClock(), observe=lambda _: None, trust=Trust())
        assert api.jobs() == []
        api.log_out()
        api.close()
    assert asked == list(APPLIANCE)
