"""Bodies of 8 MiB with countless small values: commands limit their work and their output."""

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
class LargeAnswer:
    """A command, the end of the path with the large response, and that response: ``start``, items, ``end``."""

    words: tuple[str, ...]
    path: str
    start: bytes
    item: bytes
    end: bytes
    code: int = 6
    status: int = 200

    @property
    def body(self) -> bytes:
        """The largest response that the client reads; ``#`` in an item is its number."""
        items: list[bytes] = []
        size = len(self.start) + len(self.end)
        while True:
            item = self.item.replace(b"#", b"%x" % len(items))
            size += len(item) + 1
            if size > MAX_BODY_BYTES:
                return self.start + b",".join(items) + self.end
            items.append(item)


JOB: Final = b'{"id":"20260301-000000-20519528","state":"FAILED","messages":['
LARGE_ANSWERS: Final = {
    "details": LargeAnswer(("list",), "/job/details", b"{", b'"#":{"status":""}', b"}", code=0),
    "job ids": LargeAnswer(("status", "latest"), "/backup/job", b"[", b'"#"', b"]"),
    "parts": LargeAnswer(("parts",), "/parts", b"[", b'{"id":"#"}', b"]"),
    "odd schedules": LargeAnswer(
        ("schedule", "list"), "/schedules", b"{", b'"#":{"parts":[5,6,7,8,9,"x","x","x","x"]}', b"}"
    ),
    "odd messages": LargeAnswer(("status", "latest"), "/backup/job/20", JOB, b'{"id":5,"args":5}', b"]}", code=7),
    "schedules": LargeAnswer(("schedule", "list"), "/schedules", b"{", b'"#":{}', b"}"),
    "systems": LargeAnswer(("archive", "systems", *AT), "/system-name", b"[", b'"#"', b"]"),
    "archives": LargeAnswer(("archive", "list", *AT), "/archives", b"[", b'{"archive":"#"}', b"]"),
    "messages": LargeAnswer(("status", "latest"), "/backup/job/20", JOB, b'{"id":"a"}', b"]}", code=7),
    "arguments": LargeAnswer(
        ("status", "latest"), "/backup/job/20", JOB + b'{"id":"a","args":[', b"[]", b"]}]}", code=7
    ),
    "errors": LargeAnswer(
        ("list",), "/job/details", b'{"error_type":"ERROR","messages":[', b'{"id":"a"}', b"]}", code=0, status=500
    ),
}


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("case", LARGE_ANSWERS.values(), ids=LARGE_ANSWERS)
def test_command_with_a_huge_answer_limits_its_output_and_requests(case: LargeAnswer, output: str) -> None:
    def intercept(request: httpx.Request, send: Send) -> httpx.Response:
        path = request.url.path
        if path.endswith(case.path) or (case.path.endswith("/20") and case.path in path):
            return httpx.Response(case.status, stream=httpx.ByteStream(case.body), request=request)
        return send(request)

    backupctl = CommandLine(intercept=intercept, history=True)
    run = backupctl(*case.words, "-o", output)
    assert run.code == case.code
    assert len(run.out) + len(run.err) < MOST_SHOWN
    assert len(backupctl.line.urls) <= MOST_REQUESTS
    if output == "json":
        document: Any = json.loads(run.out)
        assert document["exit_code"] == case.code
