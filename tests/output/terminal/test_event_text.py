from typing import Any

import pytest

from backupctl.output.terminal.event_text import PIECES, event_lines
from backupctl.output.terminal.result_text import full_text
from backupctl.results.events import Adopted, Attached, Cancelling, Detached, RunEvent, Started, Waiting, Warned
from backupctl.results.job import Job
from backupctl.results.result import Result
from tests import wording
from tests.output.samples import JOB_ID, every_event, every_result
from tests.support.clock import START


@pytest.mark.parametrize("kind", RunEvent.__subclasses__())
def test_every_event_has_a_text(kind: type[RunEvent]) -> None:
    assert kind in PIECES or kind in {Warned, Detached}


def kinds(base: type[Result] = Result) -> set[type[Result]]:
    return set(base.__subclasses__()).union(*(kinds(each) for each in base.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(kinds(), key=str))
def test_every_result_has_a_text(kind: type[Result]) -> None:
    assert full_text.dispatch(kind) is not full_text.dispatch(Result)


def test_samples_have_each_result() -> None:
    assert {type(result) for result in every_result()} == kinds()


def test_event_has_this_text() -> None:
    words = {
        type(event).__name__: [text.plain for text in event_lines(event, "vc01: ")] for event in every_event()[:-1]
    }
    assert words == {
        "Connected": ["vc01: connected to vc01.example.com, release 8.0.3.00400 (/api)"],
        "PartsSelected": [f"vc01: {wording.DEFAULT_PARTS}"],
        "Waiting": [
            f"vc01: {wording.ANOTHER_BACKUP_RUNNING}: {wording.WAITING_FOR_THE_END_OF(JOB_ID)}, 40 %",
        ],
        "Started": [f"vc01: backup started: {JOB_ID}"],
        "Adopted": [
            f"vc01: warning: {wording.RESPONSE_LOST('backup')}: {JOB_ID}",
            "vc01:   location and user fit",
        ],
        "Attached": [f"vc01: following backup {JOB_ID}"],
        "Progressed": ["vc01: 40 %"],
        "Retrying": ["vc01: warning: connection refused; retrying"],
        "Recovered": [f"vc01: {wording.RECOVERED}"],
        "Warned": ["vc01: warning: the appliance's clock is wrong", "vc01: hint: set it"],
        "Cancelling": [f"vc01: cancelling backup {JOB_ID}, {wording.WAITING_TO_STOP}"],
        "Queued": [f"vc01: {wording.QUEUED}"],
        "Ended": ["vc01: error: connection refused"],
    }


@pytest.mark.parametrize("kind", ["restore", "reconciliation"])
def test_event_texts_of_jobs_without_an_id_name_their_kind(kind: str) -> None:
    at: dict[str, Any] = {"time": START, "server": "vc01", "job": Job(id=kind, state="INPROGRESS", progress=40)}
    events = [Waiting(**at), Started(**at), Adopted(**at, reason=""), Attached(**at), Cancelling(**at)]
    assert [text.plain for event in events for text in event_lines(event)] == [
        f"a {kind} is running: {wording.WAITING_FOR_IT}, 40 %",
        f"{kind} started",
        f"warning: {wording.RESPONSE_LOST(kind)}",
        f"following the {kind}",
        f"cancelling the {kind}, {wording.WAITING_TO_STOP}",
    ]


def test_event_text_of_waiting_for_an_unknown_job() -> None:
    (words,) = event_lines(Waiting(time=START, server="vc01", job=None))
    assert words.plain == f"{wording.ANOTHER_JOB_RUNNING}: {wording.WAITING_FOR_IT}"
