"""The counts of the fuzz tests, and notes about the failed round."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

Show = Callable[[str], None]
"""Prints a line past pytest's capture."""


class FuzzCounts:
    """Counts of consumed responses, and of how the calls or commands ended."""

    def __init__(self) -> None:
        self.answers = 0
        self.ends: Counter[str] = Counter()

    def __str__(self) -> str:
        ends = ", ".join(f"{end} {count}" for end, count in self.ends.most_common())
        return f"{self.answers} answers consumed; {sum(self.ends.values())} ends: {ends}"


@contextlib.contextmanager
def note_round(what: str) -> Iterator[None]:
    """Add the name of the round to an exception."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the round of {what}")
        raise
