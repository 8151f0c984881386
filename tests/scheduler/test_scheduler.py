"""The scheduler: results, deadlines, events and interruptions of tasks."""

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest

from backupctl.clock import SystemClock
from backupctl.errors import ApplianceUnreachableError, InterruptedRunError
from backupctl.scheduler.scheduler import SHIELD_SECONDS, Interruption, Mailbox, Scheduler
from backupctl.scheduler.task import Call, Event, Task, Wait
from backupctl.scheduler.workers import DoneCallback, ThreadWorkers, Workers
from tests import wording
from tests.support.clock import FakeClock
from tests.support.workers import Gate, TimedWorkers

LOOK = "check the appliance before you run the command again: the request may have succeeded"


class ManualWorkers:
    """Workers that run a call only in ``finish``, and record which calls were abandoned."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Callable[[], Any], DoneCallback]] = []
        self.abandoned: list[int] = []

    def submit(
        self, function: Callable[[], Any], on_done: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        self.submitted.append((function, on_done))
        number = len(self.submitted) - 1
        return lambda: self.abandoned.append(number)

    def finish(self, number: int) -> None:
        function, on_done = self.submitted[number]
        on_done(function(), None)


def scheduler_on(clock: FakeClock, workers: Workers | None = None) -> tuple[Scheduler[Any], Mailbox]:
    mailbox: Mailbox = queue.SimpleQueue()
    return Scheduler(clock, workers or TimedWorkers(clock), mailbox), mailbox


def run(clock: FakeClock, *tasks: Task[Any], interrupt_at: float | None = None, again_at: float | None = None) -> Any:
    scheduler, mailbox = scheduler_on(clock)
    for moment in (interrupt_at, again_at):
        if moment is not None:
            clock.at(moment, lambda: mailbox.put(Interruption("SIGTERM")))
    return scheduler.run(tasks)


def returns(value: object, *, after: float = 0) -> Task[object]:
    if after:
        yield Wait(1000.0 + after)
    return value


def interrupted_at(clock: FakeClock, *effects: Wait) -> Task[tuple[str, float]]:
    """Perform the effects and return what ended them and when."""
    try:
        yield from effects
    except InterruptedRunError as interruption:
        return interruption.message, clock.elapsed
    return "done", clock.elapsed


def test_results_come_in_the_order_of_the_tasks(clock: FakeClock) -> None:
    assert run(clock, returns("a", after=9), returns("b"), returns("c", after=3)) == ["a", "b", "c"]
    assert clock.elapsed == 9


def test_run_without_tasks_ends_at_once(clock: FakeClock) -> None:
    assert run(clock) == []


def test_tasks_run_concurrently_and_get_the_results_of_their_calls(clock: FakeClock) -> None:
    def task(number: int) -> Task[int]:
        total = 0
        for _ in range(10):
            total += yield Call(lambda: number)
            yield Wait(clock.monotonic() + 60)
        return total

    assert run(clock, *(task(number) for number in range(1000))) == [10 * number for number in range(1000)]
    assert clock.elapsed == 600


def test_exception_of_a_call_is_raised_in_its_task_only(clock: FakeClock) -> None:
    def fails() -> None:
        raise KeyError("x")

    def task() -> Task[str]:
        try:
            yield Call(fails)
        except KeyError as error:
            return repr(error)
        return "nothing was raised"

    assert run(clock, task(), returns("other", after=5)) == ["KeyError('x')", "other"]


def test_exception_of_a_task_ends_the_run(clock: FakeClock) -> None:
    def task() -> Task[None]:
        yield Wait(clock.monotonic() + 1)
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(clock, returns(1, after=9), task())
    assert clock.elapsed == 1


# Abandoned calls


def test_call_is_abandoned_at_its_deadline_and_its_late_result_ignored(clock: FakeClock) -> None:
    workers = ManualWorkers()
    scheduler, _ = scheduler_on(clock, workers)

    def task() -> Task[list[object]]:
        seen: list[object] = []
        try:
            yield Call(lambda: "too late", until=clock.monotonic() + 5)
        except ApplianceUnreachableError as error:
            seen += [error.message, error.certain, clock.elapsed]
        clock.at(7, lambda: workers.finish(0))
        clock.at(8, lambda: workers.finish(1))
        seen.append((yield Call(lambda: "in time", until=clock.monotonic() + 5)))
        return [*seen, clock.elapsed]

    assert scheduler.run([task()]) == [[wording.NO_RESPONSE_IN_TIME, False, 5, "in time", 8]]
    assert workers.abandoned == [0]


def test_finished_call_is_not_abandoned_at_its_deadline(clock: FakeClock) -> None:
    def task() -> Task[str]:
        answer = yield Call(lambda: "x", until=clock.monotonic() + 5)
        yield Wait(clock.monotonic() + 60)
        return str(answer)

    assert run(clock, task()) == ["x"]


@pytest.mark.parametrize(("seconds", "expected"), [(4, ["answer", 4]), (6, [wording.NO_RESPONSE_IN_TIME, 5])])
def test_slow_call_is_abandoned_at_its_deadline(seconds: int, expected: list[object], clock: FakeClock) -> None:
    def slow() -> str:
        clock.sleep(seconds)
        return "answer"

    def task() -> Task[list[object]]:
        try:
            return [(yield Call(slow, until=clock.monotonic() + 5)), clock.elapsed]
        except ApplianceUnreachableError as error:
            return [error.message, clock.elapsed]

    assert run(clock, task()) == [expected]


# Events


def test_event_resumes_waiting_tasks_in_order(clock: FakeClock) -> None:
    event, order = Event(), list[str]()

    def waits(name: str) -> Task[float]:
        yield Wait(None, event=event)
        order.append(name)
        return clock.elapsed

    def sets() -> Task[float]:
        yield Wait(clock.monotonic() + 5)
        event.set()
        return clock.elapsed

    assert run(clock, waits("a"), waits("b"), sets(), waits("c")) == [5, 5, 5, 5]
    assert order == ["a", "b", "c"]


def test_wait_for_a_set_event_ends_at_once(clock: FakeClock) -> None:
    event = Event()
    event.set()
    assert run(clock, interrupted_at(clock, Wait(None, event=event))) == [("done", 0)]


def test_wait_for_an_event_ends_at_its_deadline(clock: FakeClock) -> None:
    event = Event()

    def sets() -> Task[None]:
        yield Wait(clock.monotonic() + 9)
        event.set()

    waits = interrupted_at(clock, Wait(1000.0 + 5, event=event), Wait(1000.0 + 20))
    assert run(clock, waits, sets()) == [("done", 20), None]


def test_interruption_cancels_a_wait_for_an_event(clock: FakeClock) -> None:
    assert run(clock, interrupted_at(clock, Wait(None, event=Event())), interrupt_at=3) == [
        ("interrupted (SIGTERM)", 3)
    ]


# Interruptions


@pytest.mark.parametrize("kind", ["wait", "call"])
def test_interruption_cancels_a_task_at_once(kind: str, clock: FakeClock) -> None:
    workers = ManualWorkers()
    scheduler, mailbox = scheduler_on(clock, workers)
    clock.at(3, lambda: mailbox.put(Interruption("SIGTERM")))

    def task() -> Task[tuple[str, float]]:
        try:
            yield Wait(clock.monotonic() + 60) if kind == "wait" else Call(lambda: "never")
        except InterruptedRunError as interruption:
            return interruption.message, clock.elapsed
        return "not cancelled", clock.elapsed

    assert scheduler.run([task()]) == [("interrupted (SIGTERM)", 3)]
    assert workers.abandoned == ([] if kind == "wait" else [0])


def test_interruption_waits_for_a_shielded_effect(clock: FakeClock) -> None:
    shielded, free = Wait(1000.0 + 10, shielded=True), Wait(1000.0 + 99)
    results = run(clock, interrupted_at(clock, shielded, free), interrupted_at(clock, free), interrupt_at=3)
    assert results == [("interrupted (SIGTERM)", 10), ("interrupted (SIGTERM)", 3)]


@pytest.mark.parametrize("kind", ["wait", "call"])
def test_interruption_cancels_a_shielded_effect_after_ten_seconds_with_unknown_outcome(
    kind: str, clock: FakeClock
) -> None:
    workers = ManualWorkers()
    scheduler, mailbox = scheduler_on(clock, workers)
    clock.at(3, lambda: mailbox.put(Interruption()))

    def task() -> Task[list[object]]:
        try:
            yield Wait(1000.0 + 99, shielded=True) if kind == "wait" else Call(lambda: "never", shielded=True)
        except InterruptedRunError as interruption:
            seen = [interruption.message, interruption.certain, clock.elapsed]
        yield Wait(1000.0 + 40, shielded=True)
        return [*seen, clock.elapsed]

    assert scheduler.run([task()]) == [["interrupted (SIGINT)", False, 3 + SHIELD_SECONDS, 40]]
    assert workers.abandoned == ([] if kind == "wait" else [0])


def test_interruption_waits_ten_seconds_in_total_for_consecutive_shielded_effects(clock: FakeClock) -> None:
    def task() -> Task[float]:
        with contextlib.suppress(InterruptedRunError):
            while True:
                yield Wait(clock.monotonic() + 4, shielded=True)
        return clock.elapsed

    assert run(clock, task(), interrupt_at=3) == [13]


def test_interruption_waits_for_a_shielded_effect_that_begins_after_it(clock: FakeClock) -> None:
    effects = Wait(1000.0 + 5, shielded=True), Wait(1000.0 + 8, shielded=True), Wait(1000.0 + 99)
    assert run(clock, interrupted_at(clock, *effects), interrupt_at=3) == [("interrupted (SIGTERM)", 8)]


def test_low_priority_is_passed_on_to_the_workers(clock: FakeClock) -> None:
    seen: list[bool] = []

    class Noting(TimedWorkers):
        def submit(
            self, function: Callable[[], Any], on_done: DoneCallback, *, low_priority: bool = False
        ) -> Callable[[], None]:
            seen.append(low_priority)
            return super().submit(function, on_done, low_priority=low_priority)

    def task() -> Task[None]:
        yield Call(str, low_priority=True)
        yield Call(str)

    scheduler, _ = scheduler_on(clock, Noting(clock))
    scheduler.run([task()])
    assert seen == [True, False]


def test_shielded_call_returns_its_result_after_an_interruption(clock: FakeClock) -> None:
    workers = ManualWorkers()
    scheduler, mailbox = scheduler_on(clock, workers)
    clock.at(3, lambda: mailbox.put(Interruption()))
    clock.at(4, lambda: workers.finish(0))

    def task() -> Task[list[str]]:
        seen = [(yield Call(lambda: "started", shielded=True))]
        try:
            yield Call(lambda: "not made")
        except InterruptedRunError:
            seen.append("cancelled")
        return seen

    assert scheduler.run([task()]) == [["started", "cancelled"]]
    assert (len(workers.submitted), workers.abandoned) == (1, [])


def test_interruption_cancels_a_task_once_so_that_it_can_clean_up(clock: FakeClock) -> None:
    def task() -> Task[list[object]]:
        seen: list[object] = []
        try:
            yield Wait(clock.monotonic() + 60)
        except InterruptedRunError:
            seen.append((yield Call(lambda: "logged out")))
            yield Wait(clock.monotonic() + 2)
        return [*seen, clock.elapsed]

    assert run(clock, task(), interrupt_at=3) == [["logged out", 5]]


def test_interruption_does_not_change_the_result_of_a_finished_task(clock: FakeClock) -> None:
    finished = Wait(1000.0 + 1)
    results = run(clock, interrupted_at(clock, finished), interrupted_at(clock, Wait(1000.0 + 9)), interrupt_at=3)
    assert results == [("done", 1), ("interrupted (SIGTERM)", 3)]


def test_second_interruption_cancels_even_a_shielded_effect(clock: FakeClock) -> None:
    shielded = Wait(1000.0 + 99, shielded=True)
    assert run(clock, interrupted_at(clock, shielded), interrupt_at=3, again_at=4) == [
        ("interrupted twice (SIGTERM)", 4)
    ]


def test_second_interruption_cancels_a_task_until_it_returns(clock: FakeClock) -> None:
    def cleans_up() -> Task[list[object]]:
        seen: list[object] = []
        for effect in (Wait(1000.0 + 60), Call(lambda: "logged out", shielded=True), Wait(1000.0 + 70, shielded=True)):
            try:
                seen.append((yield effect))
            except InterruptedRunError as interruption:
                seen.append((interruption.message, interruption.certain))
        return [*seen, clock.elapsed]

    workers = ManualWorkers()
    scheduler, mailbox = scheduler_on(clock, workers)
    for moment in (3, 4):
        clock.at(moment, lambda: mailbox.put(Interruption()))
    again = "interrupted twice (SIGINT)"
    assert scheduler.run([cleans_up()]) == [[("interrupted (SIGINT)", True), (again, False), (again, False), 4]]
    assert workers.abandoned == [0]


def test_second_interruption_gives_up_on_a_task_that_does_not_return(clock: FakeClock) -> None:
    def stubborn() -> Task[None]:
        while True:
            with contextlib.suppress(InterruptedRunError):
                yield Wait(clock.monotonic() + 60)

    with pytest.raises(InterruptedRunError, match="interrupted twice") as caught:
        run(clock, stubborn(), interrupt_at=3, again_at=4)
    assert (caught.value.certain, caught.value.hint) == (False, LOOK)


def test_second_interruption_leaves_only_the_outcome_of_a_shielded_effect_unknown(clock: FakeClock) -> None:
    def seen(*, shielded: bool) -> Task[list[object]]:
        found: list[object] = []
        for effect in (Wait(1000.0 + 60), Wait(1000.0 + 70, shielded=shielded), Wait(1000.0 + 80)):
            try:
                yield effect
            except InterruptedRunError as interruption:
                found += [(interruption.certain, interruption.hint)]
        return found

    shielded, free = run(clock, seen(shielded=True), seen(shielded=False), interrupt_at=3, again_at=4)
    assert shielded == [(True, None), (False, LOOK), (True, None)]
    assert free == [(True, None), (True, None), (True, None)]


@pytest.mark.parametrize("shielded", [True, False])
def test_interruption_notifies_the_user_once_when_it_has_to_wait(shielded: bool, clock: FakeClock) -> None:
    mailbox: Mailbox = queue.SimpleQueue()
    said: list[str] = []
    clock.at(3, lambda: mailbox.put(Interruption("SIGTERM")))
    scheduler: Scheduler[Any] = Scheduler(clock, TimedWorkers(clock), mailbox, said.append)
    scheduler.run([interrupted_at(clock, Wait(1000.0 + 9, shielded=shielded)) for _ in range(2)])
    waits = f"SIGTERM: waiting up to 10 s for the request in progress; {wording.INTERRUPT_AGAIN} now"
    assert said == ([waits] if shielded else [])


def test_timers_of_finished_calls_do_not_pile_up(clock: FakeClock) -> None:
    scheduler, _ = scheduler_on(clock)
    most = 0

    def task() -> Task[float]:
        nonlocal most
        for _ in range(500):
            yield Call(lambda: None, until=clock.monotonic() + 9000)
            most = max(most, len(scheduler._timers))
        yield Wait(clock.monotonic() + 7)
        return clock.elapsed

    assert scheduler.run([interrupted_at(clock, Wait(1000.0 + 5)), task()]) == [("done", 5), 7]
    assert 64 <= most <= 64 + 2 * 2


@pytest.mark.parametrize(("after", "ended_at"), [(0.0, 13), (0.29, 13), (0.31, 3.31)])
def test_interruptions_are_debounced(after: float, ended_at: float, clock: FakeClock) -> None:
    shielded = Wait(1000.0 + 99, shielded=True)
    ((_, ended),) = run(clock, interrupted_at(clock, shielded, Wait(1000.0 + 100)), interrupt_at=3, again_at=3 + after)
    assert ended == pytest.approx(ended_at)


def test_interruption_that_arrives_while_the_first_is_handled_is_debounced(clock: FakeClock) -> None:
    mailbox: Mailbox = queue.SimpleQueue()
    for name in ("SIGTERM", "SIGHUP"):
        mailbox.put(Interruption(name))
    scheduler: Scheduler[Any] = Scheduler(clock, TimedWorkers(clock), mailbox, lambda _: clock.sleep(1))
    shielded = Wait(1000.0 + 5, shielded=True)
    assert scheduler.run([interrupted_at(clock, shielded, Wait(1000.0 + 9))]) == [("interrupted (SIGTERM)", 5)]


def test_interruption_is_marked_as_handled(clock: FakeClock) -> None:
    scheduler, mailbox = scheduler_on(clock)
    interruption = Interruption()
    clock.at(3, lambda: mailbox.put(interruption))
    scheduler.run([interrupted_at(clock, Wait(1000.0 + 9))])
    assert interruption.handled


def test_interruption_cancels_a_thousand_tasks_at_once(clock: FakeClock) -> None:
    tasks = [interrupted_at(clock, Wait(1000.0 + 10 + number)) for number in range(1000)]
    assert set(run(clock, *tasks, interrupt_at=3)) == {("interrupted (SIGTERM)", 3)}


# Worker threads


def test_interruption_is_handled_while_a_thread_hangs_in_a_call() -> None:
    mailbox: Mailbox = queue.SimpleQueue()
    gate = Gate()

    def task() -> Task[list[str]]:
        try:
            yield Call(gate)
        except InterruptedRunError as interruption:
            return [interruption.message, str((yield Call(lambda: "logged out")))]
        return []

    def interrupt() -> None:
        gate.entered.get(timeout=5)
        mailbox.put(Interruption())

    threading.Thread(target=interrupt, daemon=True).start()
    scheduler: Scheduler[list[str]] = Scheduler(SystemClock(), ThreadWorkers(limit=1), mailbox)
    assert scheduler.run([task()]) == [["interrupted (SIGINT)", "logged out"]]
    gate.open()


def test_many_tasks_share_a_few_threads() -> None:
    def task(number: int) -> Task[int]:
        total = 0
        for _ in range(5):
            total += yield Call(lambda: number)
        return total

    scheduler: Scheduler[int] = Scheduler(SystemClock(), ThreadWorkers(limit=8), queue.SimpleQueue())
    assert scheduler.run([task(number) for number in range(200)]) == [5 * number for number in range(200)]
