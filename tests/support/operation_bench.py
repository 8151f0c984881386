"""Appliances for the tests of operations: scripted or simulated."""

import queue
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast

from backupctl.api.credential_state import CredentialState
from backupctl.api.recovery_api import RecoveryApi
from backupctl.errors import NotSupportedError
from backupctl.results.events import RunEvent
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.scheduler import Interruption, Mailbox, Scheduler
from backupctl.scheduler.task import Task
from backupctl.scheduler.workers import Workers
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.scripted_transport import HOST, USER, api_over
from tests.support.workers import TimedWorkers

T = TypeVar("T")

NAME = "vc01"
HEALTH = ("recovery_supported", "system_health", "database_health", "health_settings")


class ScriptedRecovery:
    """Returns prepared results for each operation; the last one repeats, and exceptions are raised."""

    def __init__(self, clock: FakeClock, **answers: Any) -> None:
        self._clock = clock
        default = {name: NotSupportedError(f"{name} is not scripted") for name in HEALTH}
        answers = default | answers
        self._answers = {name: deque(each if isinstance(each, list) else [each]) for name, each in answers.items()}
        self.calls: list[tuple[Any, ...]] = []
        self.moments: list[float] = []
        self.family: str | None = "api"
        self.credential_state = CredentialState()
        self.is_logging_in = False
        self.server_time: datetime | None = None

    def names(self) -> list[str]:
        """Return the names of the called operations."""
        return [call[0] for call in self.calls]

    def _next(self, name: str, *args: Any) -> Any:
        self.calls.append((name, *args))
        self.moments.append(self._clock.elapsed)
        queued = self._answers[name]
        answer = queued.popleft() if len(queued) > 1 else queued[0]
        if callable(answer):
            answer = answer(*args)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return any operation of the API."""
        return partial(self._next, name)

    def log_in(self) -> None:
        """Accept every login; script a refusal as the result of the first operation."""

    def redact(self, text: str, *, skip_common_words: bool = False) -> str:
        return text

    def log_out(self) -> None:
        self._next("log_out")

    def close(self) -> None:
        self.calls.append(("close",))


class Bench:
    """One appliance under test, a fake clock, and the events of the appliance."""

    def __init__(self, clock: FakeClock, api: RecoveryApi, *, attach: bool = True) -> None:
        self.clock = clock
        self.events: list[RunEvent] = []
        self.appliance = Appliance(
            NAME, HOST, USER, api, clock, self._record, lambda job: f"watch {job}" if attach else None
        )

    def run(self, task: Task[T], *, interrupt_at: Sequence[float] = (), workers: Workers | None = None) -> T:
        """Run a task to its end; interrupt it at the given seconds."""
        mailbox: Mailbox = queue.SimpleQueue()
        for moment in interrupt_at:
            self.clock.at(moment, lambda: mailbox.put(Interruption()))
        scheduler: Scheduler[T] = Scheduler(self.clock, workers or TimedWorkers(self.clock), mailbox)
        (result,) = scheduler.run([task])
        return result

    def events_of(self, kind: type[RunEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def _record(self, event: RunEvent) -> None:
        assert (event.server, event.time) == (NAME, self.clock.now())
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


def scripted(clock: FakeClock, **answers: Any) -> tuple[Bench, ScriptedRecovery]:
    """Return a bench with a scripted appliance."""
    api = ScriptedRecovery(clock, **answers)
    return Bench(clock, cast("RecoveryApi", api)), api


def simulated(clock: FakeClock, *, family: str | None = None, **options: Any) -> tuple[Bench, SimulatedAppliance]:
    """Return a bench with a simulated appliance over HTTP."""
    simulator = SimulatedAppliance(clock, host=HOST, **options)
    return Bench(clock, api_over(SimulatorTransport(simulator, clock), clock, family=family)), simulator
