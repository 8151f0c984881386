"""Signals: items in the mailbox of the scheduler, whose thread wakes at once, and what they do to a question."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from backupctl.operations.fleet import Interruption, Mailbox

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def delivered_to(mailbox: Mailbox) -> Iterator[None]:
    """Deliver INT, TERM and HUP to ``mailbox`` while the block runs; one that is ignored (nohup) stays so."""

    def deliver(number: int, _frame: FrameType | None) -> None:
        mailbox.put(Interruption(signal.Signals(number).name))

    with _handled(dict.fromkeys(_SIGNALS, deliver)):
        yield


@contextmanager
def around_suspension(leave: Callable[[], None], resume: Callable[[], None]) -> Iterator[None]:
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

    with _handled({"SIGTSTP": stop, "SIGCONT": go_on, "SIGQUIT": quit_now}):
        yield


@contextmanager
def _handled(handlers: Mapping[str, Callable[[int, FrameType | None], Any]]) -> Iterator[None]:
    """Handle signals while the block runs, those that this system has and that are not ignored."""
    wanted = {getattr(signal, name): handler for name, handler in handlers.items() if hasattr(signal, name)}
    before = {number: signal.getsignal(number) for number in wanted}
    caught = [number for number in wanted if before[number] is not signal.SIG_IGN]
    try:
        for number in caught:
            signal.signal(number, wanted[number])
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])
