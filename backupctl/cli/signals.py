"""What INT, TERM and HUP do: one home, from the first line of the program to its last.

While the program loads, a signal is noted (``__main__``). While it asks its questions, a signal interrupts it like
Ctrl-C. While the scheduler works, it becomes an item in the scheduler's mailbox, so that the thread that waits there
wakes at once. When that is over, it is known how the run ended: a signal changes nothing any more, but sets a limit to
how long the result is written.
A signal that is ignored (nohup) stays ignored. Around a question, Ctrl-Z leaves the terminal as it was found.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from backupctl.scheduler.scheduler import Mailbox

EXIT_SECONDS: Final = 5
"""How long an interrupted program may be busy with what it has to say: whoever reads it may have stopped reading."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalInterrupt(KeyboardInterrupt):
    """A signal that ends the program.

    A class of its own, because an interpreter that sees a plain KeyboardInterrupt leave an ``exec`` of a string, as
    when a dataclass is made, kills itself with SIGINT at its end, whatever the exit code.
    """


class _Noted:
    """What this process was told; signals are the process's, and so is this."""

    signals: ClassVar[list[int]] = []


def install_interrupt_handlers(noted: list[int]) -> None:
    """Let signals interrupt this process, until the scheduler takes over; raise SignalInterrupt for an early one.

    ``noted`` holds the signals that have come, and takes further ones.

    A handler may run inside a callback of the interpreter, which swallows the exception and complains of it, or makes
    another one of it (``__set_name__``: RuntimeError); so the signal is noted too, see ``interrupted``.
    """

    def complain(unraisable: sys.UnraisableHookArgs) -> None:
        if not _Noted.signals:  # what was cut, such as a module half read, leaves things behind
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = complain
    for number in _caught():
        signal.signal(number, _interrupt)
    _Noted.signals = noted
    if noted:
        raise SignalInterrupt


def interrupted() -> bool:
    """Whether a signal has interrupted this process, whatever became of its SignalInterrupt."""
    return bool(_Noted.signals)


@contextmanager
def deliver_signals(mailbox: Mailbox, *, decides: bool = True) -> Iterator[None]:
    """Deliver signals to ``mailbox`` while the block runs; raise SignalInterrupt at once if one was swallowed.

    Where the block ``decides`` how the run ends, they change nothing any more afterwards in a process of ours.
    """
    from backupctl.scheduler.scheduler import Interruption

    sent: list[Interruption] = []

    def deliver(number: int, _frame: FrameType | None) -> None:
        sent.append(Interruption(signal.Signals(number).name))
        mailbox.put(sent[-1])
        _in_a_while(look_after)

    def look_after() -> None:
        if not sent[0].handled:
            _quit()
        # CPython (seen: 3.11) waits for ever in SimpleQueue.get when a signal comes just as its time is over, as this
        # one may: the handler of every signal has to put something in.
        mailbox.put(sent[0])

    before = {number: signal.getsignal(number) for number in _caught()}
    decided = decides and _interrupt in before.values()
    for number in before:
        signal.signal(number, deliver)
    try:
        if _Noted.signals:
            raise SignalInterrupt
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, _hurry if decided else handler)
        if sent and decided:
            _hurry()
        elif sent and sent[0].handled:
            signal.alarm(0)  # there is nobody left to look after, and an alarm would kill an interpreter that ends


@contextmanager
def suspension_hooks(leave: Callable[[], None], resume: Callable[[], None]) -> Iterator[None]:
    r"""Call ``leave`` before Ctrl-Z stops this process, and ``resume`` when it goes on; let Ctrl-\ interrupt it."""

    def stop(number: int, _frame: FrameType | None) -> None:
        leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # returns when somebody lets us go on
        signal.signal(number, stop)

    def go_on(_number: int, _frame: FrameType | None) -> None:
        resume()

    def quit_now(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled({signal.SIGTSTP: stop, signal.SIGCONT: go_on, signal.SIGQUIT: quit_now}):
        yield


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Callable[[int, FrameType | None], object]]) -> Iterator[None]:
    """Handle signals while the block runs, those that are not ignored."""
    before = {number: signal.getsignal(number) for number in handlers}
    caught = [number for number in handlers if before[number] is not signal.SIG_IGN]
    try:
        for number in caught:
            signal.signal(number, handlers[number])
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])


def ignore() -> None:
    """Ignore signals from now on."""
    for number in _caught():
        signal.signal(number, signal.SIG_IGN)


def _caught() -> list[signal.Signals]:
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Interrupt the program; what it has to say to that is not cut by a second signal, as two often come together."""
    if _Noted.signals:
        _hurry()
        return
    _Noted.signals.append(number)
    raise SignalInterrupt


def _hurry(_number: int = 0, _frame: FrameType | None = None) -> None:
    """End the process in a while, whatever it is doing then."""
    _in_a_while(_quit)


def _in_a_while(act: Callable[[], None]) -> None:
    signal.signal(signal.SIGALRM, lambda _number, _frame: act())
    signal.alarm(EXIT_SECONDS)


def _quit() -> None:
    os._exit(130)
