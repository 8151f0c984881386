"""Scheduler: run one task or thousands on one thread, and their calls on worker threads.

The scheduler only waits: for the next timer, a finished call or an interruption. So a signal is handled at once, and
not after a read timeout.

The first interruption cancels every task: InterruptedRunError is raised where the task is waiting, and the task may
still log out or cancel its job. A shielded call or wait ends first, within ``SHIELD_SECONDS``. The second interruption
cancels every task repeatedly, shielded or not, until it returns.
"""

import heapq
import itertools
import queue
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from backupctl.clock import Clock
from backupctl.errors import ApplianceUnreachableError, InterruptedRunError
from backupctl.scheduler.task import Call, Effect, Task
from backupctl.scheduler.workers import Workers

T = TypeVar("T")

DEBOUNCE_SECONDS: Final = 0.3
"""Interruptions closer together than this count as one.

``timeout`` signals its child and then its group, systemd sends HUP right after TERM (SendSIGHUP), and a shell passes on
the HUP that the terminal has already sent.
"""

SHIELD_SECONDS: Final = 10.0
"""How long the first interruption waits for a shielded call, such as the request that starts a backup.

systemd kills a process 90 s after TERM by default, and a person presses Ctrl-C again long before.
"""

MAX_CANCEL_ATTEMPTS: Final = 100
"""How often the second interruption cancels a task before it gives up on it."""


class Interruption(msgspec.Struct):
    """A request to end the run. A signal handler puts it into the mailbox and can see whether it was ``handled``."""

    signal: str = "SIGINT"
    handled: bool = False


class Completion(msgspec.Struct, frozen=True):
    """The end of a call or of a wait for an event: a result or an exception, under the key of what was pending."""

    key: int
    result: Any = None
    error: BaseException | None = None


Mailbox = queue.SimpleQueue[Completion | Interruption]


def _nothing() -> None:
    return None


class _RunningTask(msgspec.Struct, Generic[T], eq=False):
    """A task, the effect that it waits for, and its result, a list of one, when it has returned."""

    task: Task[T]
    effect: Effect | None = None
    abandon: Callable[[], None] = _nothing
    cancelled: bool = False
    result: list[T] = msgspec.field(default_factory=list)

    @property
    def shielded(self) -> bool:
        """Whether what it waits for is shielded from the first interruption."""
        return self.effect is not None and self.effect.shielded


class Scheduler(Generic[T]):
    """Run tasks until they return; ``notify`` takes a sentence for the user when an interruption has to wait."""

    def __init__(
        self, clock: Clock, workers: Workers, mailbox: Mailbox, notify: Callable[[str], None] = lambda _: None
    ) -> None:
        self._clock = clock
        self._notify = notify
        self._workers = workers
        self._mailbox = mailbox
        self._keys = itertools.count()
        self._timers: list[tuple[float, int]] = []
        self._pending: dict[int, _RunningTask[T]] = {}
        self._interruption: Interruption | None = None
        self._interrupted_at = self._debounced_until = 0.0

    def run(self, tasks: Sequence[Task[T]]) -> list[T]:
        """Return the results of ``tasks``, in their order.

        Raises what a task raises, and InterruptedRunError when a task does not return after the second interruption.
        """
        all_running = [_RunningTask(task) for task in tasks]
        for running in all_running:
            self._step(running)
        while self._pending:
            match self._clock.wait(self._mailbox, self._seconds_to_next_timer()):
                case Completion(key, result, error):
                    if key in self._pending:  # else it was abandoned
                        self._step(self._pending.pop(key), result, error)
                case Interruption() as interruption:
                    self._on_interruption(interruption)
            self._run_timers()  # after each completion too, because the mailbox may never be empty
        return [running.result[0] for running in all_running]

    def _step(self, running: _RunningTask[T], result: object = None, error: BaseException | None = None) -> None:
        """Resume a task with a result or an error, up to its next effect or to its end."""
        try:
            effect = running.task.send(result) if error is None else running.task.throw(error)
        except StopIteration as end:
            running.result.append(end.value)
            return
        running.effect, running.abandon = effect, _nothing
        must_cancel = self._must_cancel(running)
        if must_cancel and not effect.shielded:
            self._cancel(running)
            return
        key = next(self._keys)
        self._pending[key] = running
        if effect.until is not None:
            self._add_timer(effect.until, key)
        if must_cancel:
            self._add_timer(self._interrupted_at + SHIELD_SECONDS, key)
        if isinstance(effect, Call):
            running.abandon = self._workers.submit(
                effect.function,
                lambda result, error: self._mailbox.put(Completion(key, result, error)),
                low_priority=effect.low_priority,
            )
        elif effect.event is not None:
            effect.event.add_callback(lambda: self._mailbox.put(Completion(key)))

    def _seconds_to_next_timer(self) -> float | None:
        while self._timers and self._timers[0][1] not in self._pending:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - self._clock.monotonic()) if self._timers else None

    def _add_timer(self, when: float, key: int) -> None:
        """Add a timer, and remove those of finished calls when they pile up."""
        heapq.heappush(self._timers, (when, key))
        if len(self._timers) > 64 + 2 * len(self._pending):
            self._timers = [timer for timer in self._timers if timer[1] in self._pending]
            heapq.heapify(self._timers)

    def _run_timers(self) -> None:
        now = self._clock.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, key = heapq.heappop(self._timers)
            if key not in self._pending:
                continue
            running = self._pending.pop(key)
            running.abandon()
            if self._must_cancel(running) and now >= self._interrupted_at + SHIELD_SECONDS:
                self._cancel(running, certain=False)
            elif isinstance(running.effect, Call):
                self._step(running, error=ApplianceUnreachableError("the request timed out", certain=False))
            else:
                self._step(running)

    def _on_interruption(self, interruption: Interruption) -> None:
        if interruption.handled:  # a signal handler sends it a second time, only to wake the thread that waits
            return
        interruption.handled = True
        now = self._clock.monotonic()
        if self._interruption is not None:
            if now >= self._debounced_until:
                self._cancel_until_returned(interruption)
            return
        self._interruption, self._interrupted_at = interruption, now
        if any(running.shielded for running in self._pending.values()):
            self._notify(
                f"{interruption.signal}: waiting up to {SHIELD_SECONDS:.0f} s for the request in "
                "progress; interrupt again to quit now"
            )
        for key, running in list(self._pending.items()):
            if running.shielded:
                self._add_timer(now + SHIELD_SECONDS, key)
            else:
                del self._pending[key]
                running.abandon()
                self._cancel(running)
        # Only from now on: on a busy machine, the notice alone may take longer, while the next signal waits.
        self._debounced_until = self._clock.monotonic() + DEBOUNCE_SECONDS

    def _must_cancel(self, running: _RunningTask[T]) -> bool:
        """Whether the first interruption has not reached a task yet."""
        return self._interruption is not None and not running.cancelled

    def _cancel(self, running: _RunningTask[T], *, certain: bool = True) -> None:
        """Raise InterruptedRunError in a task; ``certain`` is False where a shielded call may have taken effect."""
        assert self._interruption is not None  # noqa: S101 - called only after one
        running.cancelled = True
        error = InterruptedRunError(f"interrupted ({self._interruption.signal})", certain=certain)
        self._step(running, error=error)

    def _cancel_until_returned(self, interruption: Interruption) -> None:
        """Raise InterruptedRunError in every task, whatever it waits for next, until it returns."""
        pending, self._pending = list(self._pending.values()), {}
        for running in pending:
            running.abandon()
            for _ in range(MAX_CANCEL_ATTEMPTS):
                try:
                    running.effect = running.task.throw(_interrupted_twice(interruption, certain=not running.shielded))
                except StopIteration as end:
                    running.result.append(end.value)
                    break
            else:
                raise _interrupted_twice(interruption, certain=False)


def _interrupted_twice(interruption: Interruption, *, certain: bool) -> InterruptedRunError:
    """Return the error for the second interruption; ``certain`` as for ``Scheduler._cancel``."""
    return InterruptedRunError(
        f"interrupted twice ({interruption.signal})",
        hint=None
        if certain
        else "check the appliance before you run the command again: the request may have succeeded",
        certain=certain,
    )
