"""A person at a terminal and appliances that wait for their turn: however the run ends, no session is left open."""

import os
import signal
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.support.command_line import HOST, NFS, PASSWORD, USER, CommandLine
from tests.support.intercept import Send

OTHERS = ("vc02.example.com", "vc03.example.com")
THREE = [word for host in (HOST, *OTHERS) for word in ("-s", host)]
CREATE = ["create", "--location", NFS, "--no-require-encryption", "--parallel", "1"]
LOGIN = [USER, PASSWORD]
FIRST_FAILS: dict[str, Any] = {"faults": ["fail-at=40"], "others": {host: {"faults": []} for host in OTHERS}}


def interrupt_the_first_backup(request: httpx.Request, send: Send) -> httpx.Response:
    if "/backup/job/" in request.url.path:
        os.kill(os.getpid(), signal.SIGINT)
    return send(request)


@pytest.mark.parametrize(
    ("words", "answers", "options", "code"),
    [
        (CREATE, LOGIN, {}, 0),
        (CREATE, [USER, "wrong", *LOGIN], {}, 0),
        ([*CREATE, "--fail-fast"], LOGIN, FIRST_FAILS, 7),
        (CREATE, LOGIN, {"intercept": interrupt_the_first_backup}, 130),
        (["schedule", "delete", "default"], [*LOGIN, "n"], {"history": True}, 2),
    ],
    ids=["success", "rejected at first", "fail-fast", "Ctrl-C", "no"],
)
def test_no_session_is_left_open(words: Sequence[str], answers: list[str], options: dict[str, Any], code: int) -> None:
    backupctl = CommandLine(environ={}, **{"others": {host: {} for host in OTHERS}, **options})
    assert backupctl(*words, *THREE, answers=answers).code == code
    appliances = [backupctl.appliance, *backupctl.others.values()]
    assert all(appliance.requests for appliance in appliances)
    assert [appliance.open_sessions for appliance in appliances] == [0, 0, 0]
