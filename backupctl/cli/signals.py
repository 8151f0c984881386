"""Signals become items in the scheduler's mailbox, so that the thread that waits there wakes at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from backupctl.operations.fleet import Interruption, Mailbox

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def delivered_to(mailbox: Mailbox) -> Iterator[None]:
    """Deliver INT, TERM and HUP to ``mailbox`` while the block runs; one that is ignored (nohup) stays so."""

    def deliver(number: int, _frame: FrameType | None) -> None:
        mailbox.put(Interruption(signal.Signals(number).name))

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    caught = [number for number in numbers if before[number] is not signal.SIG_IGN]
    try:
        for number in caught:
            signal.signal(number, deliver)
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])
