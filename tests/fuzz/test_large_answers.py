"""Eight MiB of tiny things: what a body may hold is more than anybody can work on, or show."""

import json
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from tests.support.command_line import LOCATION, CommandLine
from tests.support.fuzz_answers import MAX_BODY_BYTES
from tests.support.intercept import Send

pytestmark = pytest.mark.exhaustive

AT: Final = ("--location", LOCATION)
MOST_SHOWN: Final = 64 * 1024
MOST_REQUESTS: Final = 20


@dataclass(frozen=True)
class Crowd:
    """A command, the end of the path whose answer is a crowd, and that answer: ``start``, ``item`` after ``item``."""

    words: tuple[str, ...]
    path: str
    start: bytes
    item: bytes
    end: bytes
    code: int = 6
    status: int = 200

    @property
    def body(self) -> bytes:
        """The answer, as long as one may be; ``#`` in an item is its number."""
        items: list[bytes] = []
        size = len(self.start) + len(self.end)
        while True:
            item = self.item.replace(b"#", b"%x" % len(items))
            size += len(item) + 1
            if size > MAX_BODY_BYTES:
                return self.start + b",".join(items) + self.end
            items.append(item)


JOB: Final = b'{"id":"20260301-000000-20519528","state":"FAILED","messages":['
CROWDS: Final = {
    "details": Crowd(("list",), "/job/details", b"{", b'"#":{"status":""}', b"}", code=0),
    "job ids": Crowd(("status", "latest"), "/backup/job", b"[", b'"#"', b"]"),
    "parts": Crowd(("parts",), "/parts", b"[", b'{"id":"#"}', b"]"),
    "odd schedules": Crowd(
        ("schedule", "list"), "/schedules", b"{", b'"#":{"parts":[5,6,7,8,9,"x","x","x","x"]}', b"}"
    ),
    "odd messages": Crowd(("status", "latest"), "/backup/job/20", JOB, b'{"id":5,"args":5}', b"]}", code=7),
    "schedules": Crowd(("schedule", "list"), "/schedules", b"{", b'"#":{}', b"}"),
    "systems": Crowd(("archive", "systems", *AT), "/system-name", b"[", b'"#"', b"]"),
    "archives": Crowd(("archive", "list", *AT), "/archives", b"[", b'{"archive":"#"}', b"]"),
    "messages": Crowd(("status", "latest"), "/backup/job/20", JOB, b'{"id":"a"}', b"]}", code=7),
    "arguments": Crowd(("status", "latest"), "/backup/job/20", JOB + b'{"id":"a","args":[', b"[]", b"]}]}", code=7),
    "errors": Crowd(
        ("list",), "/job/details", b'{"error_type":"ERROR","messages":[', b'{"id":"a"}', b"]}", code=0, status=500
    ),
}


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_command_with_an_answer_of_countless_things_shows_little_and_asks_little(crowd: Crowd, output: str) -> None:
    def intercept(request: httpx.Request, send: Send) -> httpx.Response:
        path = request.url.path
        if path.endswith(crowd.path) or (crowd.path.endswith("/20") and crowd.path in path):
            return httpx.Response(crowd.status, stream=httpx.ByteStream(crowd.body), request=request)
        return send(request)

    backupctl = CommandLine(intercept=intercept, history=True)
    run = backupctl(*crowd.words, "-o", output)
    assert run.code == crowd.code
    assert len(run.out) + len(run.err) < MOST_SHOWN
    assert len(backupctl.line.urls) <= MOST_REQUESTS
    if output == "json":
        document: Any = json.loads(run.out)
        assert document["exit_code"] == crowd.code
