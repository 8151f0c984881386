"""Retries: which errors, how long, with which backoff and events."""

from typing import Any

import pytest

from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    InterruptedRunError,
    ServerFaultError,
)
from backupctl.results.events import Retrying
from backupctl.scheduler.retry import Backoff, retry
from backupctl.scheduler.task import attempt, call
from tests.support.clock import FakeClock
from tests.support.operation_bench import Bench, ScriptedRecovery, scripted

LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True)
FAULT = ServerFaultError("html 503", certain=False, retryable=True)


def asking(clock: FakeClock, answers: Any) -> tuple[Bench, ScriptedRecovery]:
    return scripted(clock, jobs=answers)


def test_backoff_doubles_up_to_its_maximum() -> None:
    backoff = Backoff(max_seconds=20)
    assert [backoff.next_seconds() for _ in range(7)] == [1, 2, 4, 8, 16, 20, 20]
    assert Backoff().next_seconds() == 1


def test_backoff_does_not_overflow() -> None:
    backoff = Backoff()
    backoff.failures = 100_000
    assert backoff.next_seconds() == 30


def test_retry_returns_the_first_answer_without_an_event(clock: FakeClock) -> None:
    bench, api = asking(clock, [["a"]])
    assert bench.run(retry(bench.appliance, api.jobs)) == ["a"]
    assert (bench.kinds, api.moments) == ([], [0])


def test_retry_emits_trouble_and_recovery_once(clock: FakeClock) -> None:
    bench, api = asking(clock, [LOST, FAULT, LOST, ["a"]])
    assert bench.run(retry(bench.appliance, api.jobs)) == ["a"]
    assert api.moments == [0, 1, 3, 7]
    assert bench.kinds == ["Retrying", "Recovered"]
    assert bench.events_of(Retrying)[0].error.message == "dropped"


def test_retry_raises_the_last_error_after_thirty_seconds(clock: FakeClock) -> None:
    bench, api = asking(clock, [LOST, LOST, FAULT])
    with pytest.raises(ServerFaultError):
        bench.run(retry(bench.appliance, api.jobs))
    assert api.moments == [0, 1, 3, 7, 15]


@pytest.mark.parametrize(
    "error", [AuthenticationError("401"), ApplianceAnswerError("400"), ApplianceUnreachableError("refused")]
)
def test_retry_does_not_repeat_errors_that_are_not_retryable(error: BackupctlError, clock: FakeClock) -> None:
    bench, api = asking(clock, error)
    with pytest.raises(type(error)):
        bench.run(retry(bench.appliance, api.jobs))
    assert (api.moments, bench.kinds) == ([0], [])


def test_retry_ends_when_it_is_interrupted(clock: FakeClock) -> None:
    bench, api = asking(clock, LOST)
    with pytest.raises(InterruptedRunError):
        bench.run(retry(bench.appliance, api.jobs), interrupt_at=[2])
    assert api.moments == [0, 1]


def test_attempt_returns_known_errors_and_raises_bugs(clock: FakeClock) -> None:
    bench, api = asking(clock, [LOST, ZeroDivisionError(), ["a"]])
    assert bench.run(attempt(api.jobs)) is LOST
    with pytest.raises(ZeroDivisionError):
        bench.run(attempt(api.jobs))
    assert bench.run(call(api.jobs)) == ["a"]
