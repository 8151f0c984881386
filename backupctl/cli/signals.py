"""Signal handling: INT, TERM and HUP in every phase of the program, and Ctrl-Z during a prompt.

* While the program loads, ``__main__`` records signals.
* While it prepares a command and prompts, a signal raises SignalInterrupt.
* While the scheduler runs, a signal becomes an item in the scheduler's mailbox, which wakes the waiting thread.
* After that, the exit code is known: a signal only limits the time for writing the result.

Signals that were ignored at the start (nohup) stay ignored. During a prompt, Ctrl-Z restores the terminal.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, ClassVar, Final

from backupctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from backupctl.scheduler.scheduler import Mailbox

EXIT_SECONDS: Final = 5
"""Seconds in which an interrupted program must write its output, as its reader may have stopped reading."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalInterrupt(KeyboardInterrupt):
    """Raised when a signal interrupts the program.

    It is a subclass because CPython ends with SIGINT, whatever the exit code, if a plain KeyboardInterrupt has left an
    ``exec`` of a string, as in the creation of a dataclass.
    """


class _Received:
    """The signals that this process has received, and the exit code if they end it before its output is written."""

    signals: ClassVar[list[int]] = []
    last_code: ClassVar[int] = ExitCode.INTERRUPTED


def set_exit_code(code: int) -> None:
    """Set the exit code of a process that ends before its output is written."""
    _Received.last_code = code


def install_interrupt_handlers(received: list[int]) -> None:
    """Let signals raise SignalInterrupt until ``deliver_signals`` replaces the handlers.

    ``received`` holds the signals so far; later ones are appended. They are recorded because a handler may run inside
    a callback of the interpreter, which prints and discards the exception or converts it (``__set_name__``:
    RuntimeError); see ``interrupted``.

    Raises SignalInterrupt: if ``received`` is not empty.
    """

    def print_unless_interrupted(unraisable: sys.UnraisableHookArgs) -> None:
        # Interrupted code, such as a partly imported module, may fail again while it is cleaned up.
        if not _Received.signals:
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = print_unless_interrupted
    for number in _not_ignored():
        signal.signal(number, _interrupt_before_run)
    _Received.signals = received
    if received:
        raise SignalInterrupt


def interrupted() -> bool:
    """Return whether this process has received a signal, even if its SignalInterrupt was swallowed."""
    return bool(_Received.signals)


@contextmanager
def deliver_signals(mailbox: Mailbox, *, sets_exit_code: bool = True) -> Iterator[None]:
    """Put signals into ``mailbox`` while the block runs.

    ``sets_exit_code``: the block sets the exit code, and later signals do not change it in a process with our handlers.

    Raises SignalInterrupt: if an earlier one was swallowed.
    """
    from backupctl.scheduler.scheduler import Interruption

    sent: list[Interruption] = []

    def deliver(number: int, _frame: FrameType | None) -> None:
        sent.append(Interruption(signal.Signals(number).name))
        mailbox.put(sent[-1])
        _call_later(exit_if_unhandled)

    def exit_if_unhandled() -> None:
        if not sent[0].handled:
            _exit_now()
        # CPython (seen in 3.11) blocks forever in SimpleQueue.get if a signal arrives just as its timeout ends. This
        # alarm may be that signal, so it puts an item in, as every handler does.
        mailbox.put(sent[0])

    previous = {number: signal.getsignal(number) for number in _not_ignored()}
    exit_code_final = sets_exit_code and _interrupt_before_run in previous.values()
    for number in previous:
        signal.signal(number, deliver)
    try:
        if _Received.signals:
            raise SignalInterrupt
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, _exit_soon if exit_code_final else handler)
        if sent and exit_code_final:
            _exit_soon()
        elif sent and sent[0].handled:
            signal.alarm(0)  # A pending alarm would kill the interpreter while it ends.


@contextmanager
def suspension_hooks(suspend: Callable[[], None], resume: Callable[[], None]) -> Iterator[None]:
    r"""Call ``suspend`` before Ctrl-Z stops this process and ``resume`` when it continues; Ctrl-\ interrupts it."""

    def on_stop(number: int, _frame: FrameType | None) -> None:
        suspend()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # This returns when the process is continued.
        signal.signal(number, on_stop)

    def on_continue(_number: int, _frame: FrameType | None) -> None:
        resume()

    def on_quit(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handle({signal.SIGTSTP: on_stop, signal.SIGCONT: on_continue, signal.SIGQUIT: on_quit}):
        yield


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Leave Ctrl-C to another program on the terminal while the block runs, as a pager has its own use for it."""
    with _handle({signal.SIGINT: lambda _number, _frame: None}):
        yield


@contextmanager
def restored_handlers() -> Iterator[None]:
    """Restore the handlers and the exit code after a block that has set them, as more prompts follow."""
    previous, code = {number: signal.getsignal(number) for number in _not_ignored()}, _Received.last_code
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        set_exit_code(code)


@contextmanager
def _handle(handlers: Mapping[signal.Signals, Callable[[int, FrameType | None], object]]) -> Iterator[None]:
    """Install handlers while the block runs, except for signals that are ignored."""
    previous = {number: signal.getsignal(number) for number in handlers}
    replaced = [number for number in handlers if previous[number] is not signal.SIG_IGN]
    try:
        for number in replaced:
            signal.signal(number, handlers[number])
        yield
    finally:
        for number in replaced:
            signal.signal(number, previous[number])


def ignore_signals() -> None:
    """Ignore INT, TERM and HUP from now on."""
    for number in _not_ignored():
        signal.signal(number, signal.SIG_IGN)


def _not_ignored() -> list[signal.Signals]:
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _interrupt_before_run(number: int, _frame: FrameType | None) -> None:
    """Raise SignalInterrupt, only for the first signal: two often arrive together, and the output must not be cut."""
    if _Received.signals:
        _exit_soon()
        return
    _Received.signals.append(number)
    raise SignalInterrupt


def _exit_soon(_number: int = 0, _frame: FrameType | None = None) -> None:
    """Exit in ``EXIT_SECONDS``, whatever the process is doing then."""
    _call_later(_exit_now)


def _call_later(function: Callable[[], None]) -> None:
    signal.signal(signal.SIGALRM, lambda _number, _frame: function())
    signal.alarm(EXIT_SECONDS)


def _exit_now() -> None:
    os._exit(_Received.last_code)
