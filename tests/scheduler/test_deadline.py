"""The deadline of a run, where commands do not reach it."""

import pytest

from backupctl.errors import ApplianceUnreachableError
from backupctl.scheduler.deadline import with_deadline
from backupctl.scheduler.task import Event, Task, Wait
from tests import wording
from tests.support.clock import FakeClock
from tests.support.operation_bench import scripted


def test_event_that_has_not_come_is_missing(clock: FakeClock) -> None:
    bench, _ = scripted(clock)

    def work() -> Task[str]:
        yield Wait(None, event=Event())
        return "it came"

    with pytest.raises(ApplianceUnreachableError) as caught:
        bench.run(with_deadline(bench.appliance, work(), clock.monotonic(), 5.0))
    assert wording.CHECK_TIMED_OUT("5s", "its turn to log in") in str(caught.value)
    assert clock.elapsed <= 5
