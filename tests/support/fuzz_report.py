"""What the fuzz tests count, and how they say what they did."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

Show = Callable[[str], None]
"""Prints a line, whatever pytest captures."""


class FuzzTally:
    """How many answers were consumed, and how the calls or commands that consumed them ended."""

    def __init__(self) -> None:
        self.answers = 0
        self.ends: Counter[str] = Counter()

    def __str__(self) -> str:
        ends = ", ".join(f"{end} {count}" for end, count in self.ends.most_common())
        return f"{self.answers} answers consumed; {sum(self.ends.values())} ends: {ends}"


@contextlib.contextmanager
def failure_of(what: str) -> Iterator[None]:
    """Say at which of many rounds it was that something failed."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the round of {what}")
        raise
