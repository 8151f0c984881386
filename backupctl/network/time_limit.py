"""The total time of a request, which may wait for a socket many times."""

import contextlib
import contextvars
from collections.abc import Iterator

from backupctl.clock import Clock

_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline", default=float("inf"))


@contextlib.contextmanager
def time_limit(clock: Clock, seconds: float) -> Iterator[None]:
    """End each wait in the block ``seconds`` from now at the latest."""
    token = _deadline.set(clock.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left(clock: Clock) -> float:
    """Return the seconds until the deadline, infinity outside of ``time_limit``."""
    return _deadline.get() - clock.monotonic()
