"""A person at a terminal and appliances that wait for their turn: however the run ends, no session is left open."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.support.command_line import HOST, NFS, PASSWORD, USER, CommandLine, ScriptedPrompter
from tests.support.intercept import Send

OTHERS = ("vc02.example.com", "vc03.example.com")
THREE = [word for host in (HOST, *OTHERS) for word in ("-s", host)]
CREATE = ["create", "--location", NFS, "--no-require-encryption", "--parallel", "1"]
LOGIN = [USER, PASSWORD]
CREDENTIALS = {"BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD}
FIRST_FAILS: dict[str, Any] = {"faults": ["fail-at=40"], "others": {host: {"faults": []} for host in OTHERS}}


def interrupt_the_first_backup(request: httpx.Request, send: Send) -> httpx.Response:
    if "/backup/job/" in request.url.path:
        os.kill(os.getpid(), signal.SIGINT)
    return send(request)


def logins(backupctl: CommandLine) -> list[int]:
    """Return how many logins each appliance has seen."""
    requests = [appliance.requests for appliance in (backupctl.appliance, *backupctl.others.values())]
    return [sum(each.method == "POST" and "session" in each.path for each in some) for some in requests]


@dataclass
class LoginCounter(ScriptedPrompter):
    """A prompter that notes the logins that each appliance has seen before each question."""

    logins: Callable[[], list[int]] = list
    seen: list[list[int]] = field(default_factory=list)

    def _next(self, question: str) -> str:
        self.seen.append(self.logins())
        return super()._next(question)


@pytest.mark.parametrize(("parallel", "before"), [("1", [1, 0, 0]), ("0", [1, 1, 1]), ("3", [1, 1, 1])])
def test_appliance_that_waits_is_logged_in_to_when_its_turn_comes(parallel: str, before: list[int]) -> None:
    backupctl = CommandLine(environ=CREDENTIALS, others={host: {} for host in OTHERS})
    person = LoginCounter([NFS], logins=lambda: logins(backupctl))
    run = backupctl("create", "--no-require-encryption", "--parallel", parallel, *THREE, prompter=person)
    assert (run.code, person.seen, logins(backupctl)) == (0, [before], [1, 1, 1])


def test_queue_that_outlives_the_sessions_takes_no_more_logins_at_a_terminal() -> None:
    def run(answers: list[str] | None) -> list[int]:
        backupctl = CommandLine(environ=CREDENTIALS, job_duration=600, others={host: {} for host in OTHERS})
        for appliance in (backupctl.appliance, *backupctl.others.values()):
            appliance.inject("session-expires-after=900s")
        words = ["--location", NFS] if answers is None else []
        assert (
            backupctl("create", "--no-require-encryption", "--parallel", "1", *words, *THREE, answers=answers).code == 0
        )
        return logins(backupctl)

    assert run([NFS]) == run(None) == [1, 1, 1]


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
