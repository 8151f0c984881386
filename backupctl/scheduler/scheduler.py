"""The scheduler: drives one task or a thousand with a heap of due times and a bounded pool of workers.

The thread that runs it only waits, for the next due time, an answer or a signal, so that a signal is answered at
once and not after a read timeout. The first interruption reaches each task as InterruptedRunError at what it waits for
(a task may still log out, or cancel its job); what is ``shielded`` is answered first, within ``SHIELD_SECONDS``. A
second one ends the run at once: each task is told again, shielded or not, and can only return what it knows.
"""

import heapq
import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from backupctl.clock import Clock
from backupctl.errors import ApplianceUnreachableError, InterruptedRunError
from backupctl.scheduler.task import Call, Task, Wait

T = TypeVar("T")

MAX_WORKERS: Final = 128
"""Requests under way at once: far more than a thousand appliances need that are polled every 10 s and answer at once.

What counts is how many of them may hang, each for 30 s or more, before the others are kept waiting. Of 500 appliances
of which 50 hung, the others were heard of 12 s late with 32 threads, 0.4 s with 128; they are made only when needed.
"""


DEBOUNCE_SECONDS: Final = 0.3
"""Interruptions this close together are one: ``timeout`` signals its child and then its group, systemd sends HUP right
behind TERM (SendSIGHUP), a shell passes on the HUP that the terminal has sent already."""

SHIELD_SECONDS: Final = 10.0
"""How long a first interruption waits for what is held, such as a request that starts a backup; systemd kills a process
90 s after TERM by default, and a person presses Ctrl-C again long before."""

MAX_CANCEL_ATTEMPTS: Final = 100
"""How often a task is told to end at once before it is given up."""


@dataclass
class Interruption:
    """Somebody wants the run to end; put into the mailbox by a signal handler, which can see whether it was taken."""

    signal: str = "SIGINT"
    taken: bool = False


@dataclass(frozen=True)
class Completion:
    """What a call came to: a result, or the exception that it raised."""

    ticket: int
    result: Any = None
    error: BaseException | None = None


Mailbox = queue.SimpleQueue[Completion | Interruption]


DoneCallback = Callable[[Any, BaseException | None], None]


class Workers(Protocol):
    """Runs calls somewhere and delivers what they came to."""

    def submit(
        self, function: Callable[[], Any], deliver: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        """Run ``function`` and hand its result or its exception to ``deliver``.

        A ``low_priority`` call lets those go first that are not. Returns what gives the call up: one that has not begun
        is never made, one that has is no longer counted.
        """
        ...


@dataclass(eq=False)
class _Work:
    """A call on its way through the threads."""

    function: Callable[[], Any]
    deliver: DoneCallback
    begun: bool = False
    ended: bool = False
    given_up: bool = False


class ThreadWorkers:
    """Daemon threads, started when there is something to do; at most ``limit`` work for somebody at once.

    They are daemons because a call that was given up, such as a read from a dead host, must not keep the program. A
    thread that is stuck in one is replaced, and ends when it comes back and is not needed.
    """

    def __init__(self, limit: int = MAX_WORKERS) -> None:
        self._limit = limit
        self._threads = 0
        self._wanted = 0
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._queue: queue.PriorityQueue[tuple[bool, int, _Work]] = queue.PriorityQueue()

    def submit(
        self, function: Callable[[], Any], deliver: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        """Run ``function`` on the next free thread."""
        work = _Work(function, deliver)
        with self._lock:
            self._wanted += 1
            self._queue.put((low_priority, next(self._order), work))
            self._spawn()
        return partial(self._give_up, work)

    def _spawn(self) -> None:
        if self._threads < min(self._limit, self._wanted):
            self._threads += 1
            threading.Thread(target=self._work, name="worker", daemon=True).start()

    def _give_up(self, work: _Work) -> None:
        with self._lock:
            if work.ended or work.given_up:
                return
            work.given_up = True
            self._wanted -= 1
            if work.begun:
                self._threads -= 1
                self._spawn()

    def _work(self) -> None:
        staying = True
        while staying:
            _, _, work = self._queue.get()
            with self._lock:
                work.begun = not work.given_up
            if work.begun:
                result, error = _outcome(work.function)
                staying = self._end(work)
                work.deliver(result, error)

    def _end(self, work: _Work) -> bool:
        """Count a call as ended, and return whether its thread is still wanted."""
        with self._lock:
            work.ended = True
            if not work.given_up:
                self._wanted -= 1
                return True
            if self._threads >= self._limit:
                return False
            self._threads += 1
            return True


def _nothing() -> None:
    return None


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """Return what a call came to; every exception belongs to the task that asked for it."""
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001 - handed over to the task, in its thread
        return None, error


@dataclass(eq=False)
class _Run(Generic[T]):
    """A task under way; ``ticket`` names what it waits for, so that late answers are told apart."""

    task: Task[T]
    ticket: int = 0
    waits_for: Call | Wait | None = None
    give_up: Callable[[], None] = _nothing
    told: bool = False
    result: list[T] = field(default_factory=list)


def _again(interruption: Interruption, *, certain: bool) -> InterruptedRunError:
    """Return what tells a task to end at once; it is not ``certain`` what became of a call that was held."""
    return InterruptedRunError(
        f"interrupted twice ({interruption.signal})",
        hint=None if certain else "what was asked for may have been done all the same: look before you repeat it",
        certain=certain,
    )


class Scheduler(Generic[T]):
    """Drives tasks to their ends; ``tell`` gets a sentence where an interruption has to wait."""

    def __init__(
        self, clock: Clock, workers: Workers, mailbox: Mailbox, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._clock = clock
        self._tell_user = tell
        self._workers = workers
        self._mailbox = mailbox
        self._tickets = itertools.count(1)
        self._due: list[tuple[float, int]] = []
        self._waiting: dict[int, _Run[T]] = {}
        self._interruption: Interruption | None = None
        self._interrupted_at = 0.0

    def run(self, tasks: Sequence[Task[T]]) -> list[T]:
        """Return what the tasks return, in their order.

        Raises whatever a task raises, and InterruptedRunError for one that does not end when it is told to again.
        """
        runs = [_Run(task) for task in tasks]
        for run in runs:
            self._advance(run)
        while self._waiting:
            match self._clock.wait(self._mailbox, self._until_due()):
                case Completion(ticket, result, error):
                    self._deliver(ticket, result, error)
                case Interruption() as interruption:
                    self._interrupt(interruption)
            self._wake()  # also behind answers, of which there may be no end
        return [run.result[0] for run in runs]

    def _until_due(self) -> float | None:
        while self._due and self._due[0][1] not in self._waiting:
            heapq.heappop(self._due)
        return max(0.0, self._due[0][0] - self._clock.monotonic()) if self._due else None

    def _remember(self, until: float, ticket: int) -> None:
        """Put a due time on the heap, and drop those of calls that were answered when they become many."""
        heapq.heappush(self._due, (until, ticket))
        if len(self._due) > 64 + 2 * len(self._waiting):
            self._due = [(due, waiting) for due, waiting in self._due if waiting in self._waiting]
            heapq.heapify(self._due)

    def _deliver(self, ticket: int, result: object, error: BaseException | None) -> None:
        run = self._waiting.pop(ticket, None)
        if run is not None:
            self._advance(run, result, error)

    def _wake(self) -> None:
        now = self._clock.monotonic()
        while self._due and self._due[0][0] <= now:
            _, ticket = heapq.heappop(self._due)
            run = self._waiting.pop(ticket, None)
            if run is None:
                continue
            error = None
            if isinstance(run.waits_for, Call):
                run.give_up()
                error = ApplianceUnreachableError("no answer in time", certain=False)
            if self._held_for_too_long(run, now):
                self._cancel(run, certain=False)
            else:
                self._advance(run, None, error)

    def _held_for_too_long(self, run: _Run[T], now: float) -> bool:
        """Whether an interruption has waited long enough for what a task holds."""
        return self._interruption is not None and not run.told and now >= self._interrupted_at + SHIELD_SECONDS

    def _interrupt(self, interruption: Interruption) -> None:
        if interruption.taken:  # sent again, to wake whoever waits
            return
        interruption.taken = True
        now = self._clock.monotonic()
        if self._interruption is not None:
            if now - self._interrupted_at >= DEBOUNCE_SECONDS:
                self._quit(interruption)
            return
        self._interruption, self._interrupted_at = interruption, now
        if any(run.waits_for is not None and run.waits_for.shielded for run in self._waiting.values()):
            self._tell_user(
                f"{interruption.signal}: waiting up to {SHIELD_SECONDS:.0f} s for the request under way;"
                " interrupt again to quit at once"
            )
        for ticket, run in list(self._waiting.items()):
            if run.waits_for is not None and run.waits_for.shielded:
                self._remember(now + SHIELD_SECONDS, ticket)
            elif run.waits_for is not None:
                if isinstance(run.waits_for, Call):
                    run.give_up()
                del self._waiting[ticket]
                self._cancel(run)

    def _quit(self, interruption: Interruption) -> None:
        """End all tasks at once: whatever they want next, they are told to end, until they return."""
        waiting, self._waiting = list(self._waiting.values()), {}
        for run in waiting:
            run.give_up()
            for _ in range(MAX_CANCEL_ATTEMPTS):
                if run.result:
                    break
                self._tell_again(run, interruption)
            else:
                raise _again(interruption, certain=False)

    @staticmethod
    def _tell_again(run: _Run[T], interruption: Interruption) -> None:
        shielded = run.waits_for is not None and run.waits_for.shielded
        try:
            run.waits_for = run.task.throw(_again(interruption, certain=not shielded))
        except StopIteration as end:
            run.result.append(end.value)

    def _cancel(self, run: _Run[T], *, certain: bool = True) -> None:
        """Interrupt a task; it is not ``certain`` what became of a call that it held."""
        assert self._interruption is not None  # noqa: S101 - called only after one
        run.told = True
        self._advance(run, None, InterruptedRunError(f"interrupted ({self._interruption.signal})", certain=certain))

    def _advance(self, run: _Run[T], result: object = None, error: BaseException | None = None) -> None:
        try:
            effect = run.task.send(result) if error is None else run.task.throw(error)
        except StopIteration as end:
            run.result.append(end.value)
            return
        run.waits_for = effect
        if self._interruption is not None and not run.told and not effect.shielded:
            self._cancel(run)
            return
        run.ticket = ticket = next(self._tickets)
        self._waiting[ticket] = run
        if effect.until is not None:
            self._remember(effect.until, ticket)
        if self._interruption is not None and not run.told:
            self._remember(self._interrupted_at + SHIELD_SECONDS, ticket)
        if isinstance(effect, Call):
            run.give_up = self._workers.submit(
                effect.function,
                lambda result, error: self._mailbox.put(Completion(ticket, result, error)),
                low_priority=effect.low_priority,
            )
        elif effect.event is not None:
            effect.event.add_callback(lambda: self._mailbox.put(Completion(ticket)))
