"""The scheduler: who is told what when a signal comes, whose late answers count, how many workers there are."""

import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from backupctl.clock import SystemClock
from backupctl.errors import ApplianceUnreachableError, InterruptedRunError
from backupctl.scheduler.scheduler import SHIELD_SECONDS, Interruption, Mailbox, Scheduler, ThreadWorkers, Workers
from backupctl.scheduler.task import Call, Event, Task, Wait
from tests.support.clock import FakeClock
from tests.support.workers import TimedWorkers

DoneCallback = Callable[[Any, BaseException | None], None]


class HeldWorkers:
    """Workers that work only when told to, and remember which calls were given up."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Callable[[], Any], DoneCallback]] = []
        self.given_up: list[int] = []

    def submit(
        self, function: Callable[[], Any], deliver: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        self.submitted.append((function, deliver))
        number = len(self.submitted) - 1
        return lambda: self.given_up.append(number)

    def finish(self, number: int) -> None:
        function, deliver = self.submitted[number]
        deliver(function(), None)


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


def told_at(clock: FakeClock, *effects: Wait) -> Task[tuple[str, float]]:
    """Do the effects and return what ended them, and when."""
    try:
        yield from effects
    except InterruptedRunError as interruption:
        return interruption.message, clock.elapsed
    return "done", clock.elapsed


def test_tasks_return_in_their_order_whenever_they_end(clock: FakeClock) -> None:
    assert run(clock, returns("a", after=9), returns("b"), returns("c", after=3)) == ["a", "b", "c"]
    assert clock.elapsed == 9


def test_tasks_that_are_none_end_at_once(clock: FakeClock) -> None:
    assert run(clock) == []


def test_tasks_wait_side_by_side_and_calls_bring_their_results(clock: FakeClock) -> None:
    def task(number: int) -> Task[int]:
        total = 0
        for _ in range(10):
            total += yield Call(lambda: number)
            yield Wait(clock.monotonic() + 60)
        return total

    assert run(clock, *(task(number) for number in range(1000))) == [10 * number for number in range(1000)]
    assert clock.elapsed == 600


def test_call_that_raises_raises_in_its_task_alone(clock: FakeClock) -> None:
    def fails() -> None:
        raise KeyError("x")

    def task() -> Task[str]:
        try:
            yield Call(fails)
        except KeyError as error:
            return repr(error)
        return "nothing was raised"

    assert run(clock, task(), returns("other", after=5)) == ["KeyError('x')", "other"]


def test_task_that_raises_ends_the_run_with_its_exception(clock: FakeClock) -> None:
    def task() -> Task[None]:
        yield Wait(clock.monotonic() + 1)
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(clock, returns(1, after=9), task())
    assert clock.elapsed == 1


# Calls that are given up


def test_call_without_an_answer_in_time_is_given_up_and_its_late_answer_ignored(clock: FakeClock) -> None:
    workers = HeldWorkers()
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

    assert scheduler.run([task()]) == [["no answer in time", False, 5, "in time", 8]]
    assert workers.given_up == [0]


def test_call_answered_in_time_is_not_given_up_later(clock: FakeClock) -> None:
    def task() -> Task[str]:
        answer = yield Call(lambda: "x", until=clock.monotonic() + 5)
        yield Wait(clock.monotonic() + 60)
        return str(answer)

    assert run(clock, task()) == ["x"]


@pytest.mark.parametrize(("seconds", "expected"), [(4, ["answer", 4]), (6, ["no answer in time", 5])])
def test_call_is_given_up_when_it_takes_longer_than_it_may(
    seconds: int, expected: list[object], clock: FakeClock
) -> None:
    def slow() -> str:
        clock.sleep(seconds)
        return "answer"

    def task() -> Task[list[object]]:
        try:
            return [(yield Call(slow, until=clock.monotonic() + 5)), clock.elapsed]
        except ApplianceUnreachableError as error:
            return [error.message, clock.elapsed]

    assert run(clock, task()) == [expected]


# Latches


def test_event_lets_those_who_wait_go_on_in_their_order(clock: FakeClock) -> None:
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


def test_event_that_is_open_keeps_nobody(clock: FakeClock) -> None:
    event = Event()
    event.set()
    assert run(clock, told_at(clock, Wait(None, event=event))) == [("done", 0)]


def test_event_is_waited_for_no_longer_than_was_said(clock: FakeClock) -> None:
    event = Event()

    def sets() -> Task[None]:
        yield Wait(clock.monotonic() + 9)
        event.set()

    waits = told_at(clock, Wait(1000.0 + 5, event=event), Wait(1000.0 + 20))
    assert run(clock, waits, sets()) == [("done", 20), None]


def test_interruption_reaches_one_who_waits_for_an_event(clock: FakeClock) -> None:
    assert run(clock, told_at(clock, Wait(None, event=Event())), interrupt_at=3) == [("interrupted (SIGTERM)", 3)]


# Interruptions


@pytest.mark.parametrize("kind", ["wait", "call"])
def test_interruption_reaches_what_is_waited_for_at_once(kind: str, clock: FakeClock) -> None:
    workers = HeldWorkers()
    scheduler, mailbox = scheduler_on(clock, workers)
    clock.at(3, lambda: mailbox.put(Interruption("SIGTERM")))

    def task() -> Task[tuple[str, float]]:
        try:
            yield Wait(clock.monotonic() + 60) if kind == "wait" else Call(lambda: "never")
        except InterruptedRunError as interruption:
            return interruption.message, clock.elapsed
        return "not told", clock.elapsed

    assert scheduler.run([task()]) == [("interrupted (SIGTERM)", 3)]
    assert workers.given_up == ([] if kind == "wait" else [0])


def test_interruption_during_what_is_held_waits_for_it(clock: FakeClock) -> None:
    shielded, free = Wait(1000.0 + 10, shielded=True), Wait(1000.0 + 99)
    told = run(clock, told_at(clock, shielded, free), told_at(clock, free), interrupt_at=3)
    assert told == [("interrupted (SIGTERM)", 10), ("interrupted (SIGTERM)", 3)]


@pytest.mark.parametrize("kind", ["wait", "call"])
def test_interruption_waits_ten_seconds_for_what_is_held_and_then_says_that_its_outcome_is_unknown(
    kind: str, clock: FakeClock
) -> None:
    workers = HeldWorkers()
    scheduler, mailbox = scheduler_on(clock, workers)
    clock.at(3, lambda: mailbox.put(Interruption()))

    def task() -> Task[list[object]]:
        try:
            yield Wait(1000.0 + 99, shielded=True) if kind == "wait" else Call(lambda: "never", shielded=True)
        except InterruptedRunError as told:
            seen = [told.message, told.certain, clock.elapsed]
        yield Wait(1000.0 + 40, shielded=True)
        return [*seen, clock.elapsed]

    assert scheduler.run([task()]) == [["interrupted (SIGINT)", False, 3 + SHIELD_SECONDS, 40]]
    assert workers.given_up == ([] if kind == "wait" else [0])


def test_interruption_waits_ten_seconds_in_all_for_one_held_effect_after_another(clock: FakeClock) -> None:
    def task() -> Task[float]:
        with contextlib.suppress(InterruptedRunError):
            while True:
                yield Wait(clock.monotonic() + 4, shielded=True)
        return clock.elapsed

    assert run(clock, task(), interrupt_at=3) == [13]


def test_interruption_waits_for_a_held_effect_that_begins_behind_it(clock: FakeClock) -> None:
    effects = Wait(1000.0 + 5, shielded=True), Wait(1000.0 + 8, shielded=True), Wait(1000.0 + 99)
    assert run(clock, told_at(clock, *effects), interrupt_at=3) == [("interrupted (SIGTERM)", 8)]


def test_patient_calls_are_handed_over_as_such(clock: FakeClock) -> None:
    seen: list[bool] = []

    class Noting(TimedWorkers):
        def submit(
            self, function: Callable[[], Any], deliver: DoneCallback, *, low_priority: bool = False
        ) -> Callable[[], None]:
            seen.append(low_priority)
            return super().submit(function, deliver, low_priority=low_priority)

    def task() -> Task[None]:
        yield Call(str, low_priority=True)
        yield Call(str)

    scheduler, _ = scheduler_on(clock, Noting(clock))
    scheduler.run([task()])
    assert seen == [True, False]


def test_interruption_during_a_held_call_lets_its_result_through(clock: FakeClock) -> None:
    workers = HeldWorkers()
    scheduler, mailbox = scheduler_on(clock, workers)
    clock.at(3, lambda: mailbox.put(Interruption()))
    clock.at(4, lambda: workers.finish(0))

    def task() -> Task[list[str]]:
        seen = [(yield Call(lambda: "started", shielded=True))]
        try:
            yield Call(lambda: "not asked")
        except InterruptedRunError:
            seen.append("told")
        return seen

    assert scheduler.run([task()]) == [["started", "told"]]
    assert (len(workers.submitted), workers.given_up) == (1, [])


def test_interruption_is_told_once_so_that_a_task_can_tidy_up(clock: FakeClock) -> None:
    def task() -> Task[list[object]]:
        seen: list[object] = []
        try:
            yield Wait(clock.monotonic() + 60)
        except InterruptedRunError:
            seen.append((yield Call(lambda: "logged out")))
            yield Wait(clock.monotonic() + 2)
        return [*seen, clock.elapsed]

    assert run(clock, task(), interrupt_at=3) == [["logged out", 5]]


def test_interruption_of_a_finished_task_is_no_matter(clock: FakeClock) -> None:
    ended = Wait(1000.0 + 1)
    told = run(clock, told_at(clock, ended), told_at(clock, Wait(1000.0 + 9)), interrupt_at=3)
    assert told == [("done", 1), ("interrupted (SIGTERM)", 3)]


def test_second_interruption_ends_the_run_even_when_held(clock: FakeClock) -> None:
    shielded = Wait(1000.0 + 99, shielded=True)
    assert run(clock, told_at(clock, shielded), interrupt_at=3, again_at=4) == [("interrupted twice (SIGTERM)", 4)]


def test_second_interruption_lets_each_task_return_what_it_knows_at_once(clock: FakeClock) -> None:
    def tidies_up() -> Task[list[object]]:
        seen: list[object] = []
        for effect in (Wait(1000.0 + 60), Call(lambda: "logged out", shielded=True), Wait(1000.0 + 70, shielded=True)):
            try:
                seen.append((yield effect))
            except InterruptedRunError as told:
                seen.append((told.message, told.certain))
        return [*seen, clock.elapsed]

    workers = HeldWorkers()
    scheduler, mailbox = scheduler_on(clock, workers)
    for moment in (3, 4):
        clock.at(moment, lambda: mailbox.put(Interruption()))
    again = "interrupted twice (SIGINT)"
    assert scheduler.run([tidies_up()]) == [[("interrupted (SIGINT)", True), (again, False), (again, False), 4]]
    assert workers.given_up == [0]


def test_second_interruption_ends_even_a_task_that_will_not(clock: FakeClock) -> None:
    def stubborn() -> Task[None]:
        while True:
            with contextlib.suppress(InterruptedRunError):
                yield Wait(clock.monotonic() + 60)

    with pytest.raises(InterruptedRunError, match="interrupted twice"):
        run(clock, stubborn(), interrupt_at=3, again_at=4)


LOOK = "what was asked for may have been done all the same: look before you repeat it"


def test_second_interruption_says_that_the_outcome_is_unknown_only_of_what_was_held(clock: FakeClock) -> None:
    def seen(*, shielded: bool) -> Task[list[object]]:
        found: list[object] = []
        for effect in (Wait(1000.0 + 60), Wait(1000.0 + 70, shielded=shielded), Wait(1000.0 + 80)):
            try:
                yield effect
            except InterruptedRunError as told:
                found += [(told.certain, told.hint)]
        return found

    shielded, free = run(clock, seen(shielded=True), seen(shielded=False), interrupt_at=3, again_at=4)
    assert shielded == [(True, None), (False, LOOK), (True, None)]
    assert free == [(True, None), (True, None), (True, None)]


def test_second_interruption_of_a_task_that_will_not_end_leaves_its_outcome_unknown(clock: FakeClock) -> None:
    def stubborn() -> Task[None]:
        while True:
            with contextlib.suppress(InterruptedRunError):
                yield Wait(clock.monotonic() + 60)

    with pytest.raises(InterruptedRunError) as caught:
        run(clock, stubborn(), interrupt_at=3, again_at=4)
    assert (caught.value.certain, caught.value.hint) == (False, LOOK)


@pytest.mark.parametrize("shielded", [True, False])
def test_interruption_that_has_to_wait_says_so_once(shielded: bool, clock: FakeClock) -> None:
    mailbox: Mailbox = queue.SimpleQueue()
    said: list[str] = []
    clock.at(3, lambda: mailbox.put(Interruption("SIGTERM")))
    scheduler: Scheduler[Any] = Scheduler(clock, TimedWorkers(clock), mailbox, said.append)
    scheduler.run(
        [told_at(clock, Wait(1000.0 + 9, shielded=shielded)), told_at(clock, Wait(1000.0 + 9, shielded=shielded))]
    )
    waits = "SIGTERM: waiting up to 10 s for the request under way; interrupt again to quit at once"
    assert said == ([waits] if shielded else [])


def test_due_times_of_answered_calls_do_not_pile_up(clock: FakeClock) -> None:
    scheduler, _ = scheduler_on(clock)
    most = 0

    def task() -> Task[float]:
        nonlocal most
        for _ in range(500):
            yield Call(lambda: None, until=clock.monotonic() + 9000)
            most = max(most, len(scheduler._due))
        yield Wait(clock.monotonic() + 7)
        return clock.elapsed

    assert scheduler.run([told_at(clock, Wait(1000.0 + 5)), task()]) == [("done", 5), 7]
    assert 64 <= most <= 64 + 2 * 2


@pytest.mark.parametrize(("after", "ended_at"), [(0.0, 13), (0.29, 13), (0.31, 3.31)])
def test_interruptions_close_together_are_one(after: float, ended_at: float, clock: FakeClock) -> None:
    shielded = Wait(1000.0 + 99, shielded=True)
    ((_, ended),) = run(clock, told_at(clock, shielded, Wait(1000.0 + 100)), interrupt_at=3, again_at=3 + after)
    assert ended == pytest.approx(ended_at)


def test_interruption_that_was_seen_says_so(clock: FakeClock) -> None:
    scheduler, mailbox = scheduler_on(clock)
    interruption = Interruption()
    clock.at(3, lambda: mailbox.put(interruption))
    scheduler.run([told_at(clock, Wait(1000.0 + 9))])
    assert interruption.taken


def test_interruption_reaches_a_thousand_tasks_at_once(clock: FakeClock) -> None:
    tasks = [told_at(clock, Wait(1000.0 + 10 + number)) for number in range(1000)]
    assert set(run(clock, *tasks, interrupt_at=3)) == {("interrupted (SIGTERM)", 3)}


# Real threads


class Gate:
    """A call that blocks until it is opened; counts how many are inside at once."""

    def __init__(self) -> None:
        self.entered: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()
        self._open = threading.Event()

    def __call__(self) -> str:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self.entered.put(self._inside)
        assert self._open.wait(5)
        with self._lock:
            self._inside -= 1
        return "through"

    def open(self) -> None:
        self._open.set()


def collector() -> tuple["queue.SimpleQueue[Any]", DoneCallback]:
    delivered: queue.SimpleQueue[Any] = queue.SimpleQueue()
    return delivered, lambda result, error: delivered.put(result if error is None else error)


def test_threads_work_at_most_so_many_at_once() -> None:
    workers, gate = ThreadWorkers(limit=3), Gate()
    delivered, deliver = collector()
    for _ in range(9):
        workers.submit(gate, deliver)
    for _ in range(3):
        gate.entered.get(timeout=5)
    gate.open()
    assert [delivered.get(timeout=5) for _ in range(9)] == ["through"] * 9
    assert gate.most == 3


def test_threads_are_used_again() -> None:
    workers = ThreadWorkers(limit=4)
    delivered, deliver = collector()
    threads = set()
    for _ in range(20):
        workers.submit(threading.current_thread, deliver)
        threads.add(delivered.get(timeout=5))
    (thread,) = threads
    assert (thread.name, thread.daemon) == ("worker", True)


def test_thread_whose_call_was_given_up_is_not_replaced_while_nothing_waits() -> None:
    workers, gate = ThreadWorkers(limit=4), Gate()
    delivered, deliver = collector()
    give_up = workers.submit(gate, deliver)
    gate.entered.get(timeout=5)
    give_up()
    give_up()
    assert workers._threads == 0
    gate.open()
    assert delivered.get(timeout=5) == "through"


def test_call_given_up_after_its_end_keeps_its_thread() -> None:
    workers = ThreadWorkers(limit=1)
    delivered, deliver = collector()
    give_up = workers.submit(partial(str, "ended"), deliver)
    assert delivered.get(timeout=5) == "ended"
    give_up()
    assert workers._threads == 1


def test_threads_deliver_exceptions_of_every_kind() -> None:
    workers = ThreadWorkers()
    delivered, deliver = collector()

    def fails() -> None:
        raise SystemExit(3)

    workers.submit(fails, deliver)
    assert isinstance(delivered.get(timeout=5), SystemExit)


def test_thread_that_hangs_in_a_call_given_up_is_replaced_for_those_that_wait() -> None:
    workers, gate = ThreadWorkers(limit=1), Gate()
    delivered, deliver = collector()
    give_up = workers.submit(gate, deliver)
    gate.entered.get(timeout=5)
    workers.submit(lambda: "next", deliver)
    give_up()
    assert delivered.get(timeout=5) == "next"
    gate.open()
    assert delivered.get(timeout=5) == "through"


def test_threads_are_replaced_after_those_that_wait_were_served() -> None:
    workers, gate = ThreadWorkers(limit=1), Gate()
    delivered, deliver = collector()
    for word in ("first", "second"):
        workers.submit(partial(str, word), deliver)
    assert [delivered.get(timeout=5) for _ in range(2)] == ["first", "second"]
    give_up = workers.submit(gate, deliver)
    gate.entered.get(timeout=5)
    give_up()
    workers.submit(lambda: "third", deliver)
    assert delivered.get(timeout=5) == "third"
    gate.open()


def test_threads_that_come_back_late_do_not_raise_the_limit() -> None:
    workers, gate = ThreadWorkers(limit=2), Gate()
    delivered, deliver = collector()
    late = [workers.submit(gate, deliver) for _ in range(2)]
    for _ in late:
        gate.entered.get(timeout=5)
    for give_up in late:
        give_up()
    gate.open()
    for _ in late:
        delivered.get(timeout=5)
    again = Gate()
    for _ in range(6):
        workers.submit(again, deliver)
    for _ in range(2):
        again.entered.get(timeout=5)
    again.open()
    for _ in range(6):
        delivered.get(timeout=5)
    assert again.most == 2


def test_thread_that_comes_back_late_and_was_replaced_ends() -> None:
    workers, stuck, busy = ThreadWorkers(limit=1), Gate(), Gate()
    delivered, deliver = collector()
    give_up = workers.submit(stuck, deliver)
    stuck.entered.get(timeout=5)
    give_up()
    workers.submit(busy, deliver)
    busy.entered.get(timeout=5)
    stuck.open()
    assert delivered.get(timeout=5) == "through"
    assert workers._threads == 1
    busy.open()
    assert delivered.get(timeout=5) == "through"


def test_call_given_up_before_a_thread_took_it_is_never_made() -> None:
    workers, gate, made = ThreadWorkers(limit=1), Gate(), list[str]()
    delivered, deliver = collector()
    workers.submit(gate, deliver)
    gate.entered.get(timeout=5)
    give_up = workers.submit(lambda: made.append("given up"), deliver)
    workers.submit(lambda: "after it", deliver)
    give_up()
    gate.open()
    assert [delivered.get(timeout=5) for _ in range(2)] == ["through", "after it"]
    assert made == []


def test_threads_let_patient_calls_wait_for_those_that_are_not() -> None:
    workers, gate = ThreadWorkers(limit=1), Gate()
    delivered, deliver = collector()
    workers.submit(gate, deliver)
    gate.entered.get(timeout=5)
    for word, low_priority in (("poll", True), ("start", False), ("another poll", True)):
        workers.submit(partial(str, word), deliver, low_priority=low_priority)
    gate.open()
    assert [delivered.get(timeout=5) for _ in range(4)] == ["through", "start", "poll", "another poll"]


def test_fleet_on_threads_answers_an_interruption_while_a_call_hangs() -> None:
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


def test_fleet_on_threads_drives_many_tasks() -> None:
    def task(number: int) -> Task[int]:
        total = 0
        for _ in range(5):
            total += yield Call(lambda: number)
        return total

    scheduler: Scheduler[int] = Scheduler(SystemClock(), ThreadWorkers(limit=8), queue.SimpleQueue())
    assert scheduler.run([task(number) for number in range(200)]) == [5 * number for number in range(200)]
