"""The cost of masking secrets by length and content of the text: linear at most.

Run with ``pytest -m benchmark -s tests/benchmarks/test_mask.py``. Columns with a ``*`` are for texts in pieces of
the maximum length, the others for one long text, which is truncated.
"""

import base64
import itertools
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from backupctl.secrets.redaction import MAX_TEXT_LENGTH, Redactor
from backupctl.secrets.secret import Secret

SECRETS: Final = (
    "!VMware1",
    "root:!VMware1",
    "Pä\"s\\w'%<&> {ü}$1/+=😀",
    "''''\"x",
    "%%%%y",
    r'\\\\"',
    "a" * 4094 + "ba",
)
"""Difficult secrets: without letters, with escaped characters, and a session id that nearly repeats itself."""

KINDS: Final = {
    "backslashes": "\\",
    "base64 alphabet": "QUJD",
    "base64, a fold each": "A\n",
    "base64, echoed": base64.b64encode(b"root:!VMware1").decode(),
    "single quotes": "'",
    "double quotes": '"',
    "percent signs": "%",
    "percent escapes": "%25",
    "plus signs": "+",
    "HTML entities": "&amp;",
    "ampersands": "&#",
    "JSON escapes": '\\"',
    "near-matches": "!VMware2",
    "session id, nearly": "a" * 4095 + "b",
    "hexadecimal": "21564d",
    "echoes": "!VMware1 ",
}
LENGTHS: Final = (10_000, 100_000, 1_000_000)

pytestmark = pytest.mark.benchmark


def text_of(kind: str, length: int) -> str:
    unit = KINDS[kind]
    return (unit * (length // len(unit) + 1))[:length]


def seconds(known: Redactor, *texts: str) -> float:
    """Return the CPU seconds of masking the texts, the best of three runs."""
    taken = []
    for _ in range(3):
        started = time.thread_time()
        for text in texts:
            known.redact(text)
        taken.append(time.thread_time() - started)
    return min(taken)


def in_pieces(text: str) -> list[str]:
    return [text[start : start + MAX_TEXT_LENGTH] for start in range(0, len(text), MAX_TEXT_LENGTH)]


@pytest.fixture(scope="module")
def known() -> Redactor:
    known = Redactor()
    known.add(*map(Secret, SECRETS))
    return known


def test_masking_time_is_linear_in_the_length(known: Redactor, capsys: pytest.CaptureFixture[str]) -> None:
    measured = {}
    for kind in KINDS:
        whole = [seconds(known, text_of(kind, length)) for length in LENGTHS]
        parts = [seconds(known, *in_pieces(text_of(kind, length))) for length in LENGTHS]
        measured[kind] = [*whole, *parts]
    head = [*(f"{length:,}" for length in LENGTHS), *(f"{length:,} *" for length in LENGTHS)]
    rows = [f"{kind:22}" + "".join(f"{1000 * each:>11.1f} ms" for each in row) for kind, row in measured.items()]
    with capsys.disabled():
        sys.stdout.write("\n".join(["", " " * 22 + "".join(f"{cell:>14}" for cell in head), *rows, ""]))
    for kind, (_, _, longest, short, _, long) in measured.items():
        assert longest < 1, kind
        assert long < 4 * 100 * max(short, 0.001), kind  # quadratic time would be 10,000 times as long


@contextmanager
def heartbeat() -> Iterator[list[float]]:
    """Yield the times at which another thread ran, about a thousand a second."""
    beats: list[float] = []
    ended = threading.Event()

    def beat() -> None:
        while not ended.is_set():
            beats.append(time.perf_counter())
            ended.wait(0.001)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield beats
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("kind", KINDS)
def test_masking_does_not_block_other_threads(kind: str, known: Redactor) -> None:
    text = text_of(kind, 8_000_000)
    with heartbeat() as beats:
        for piece in in_pieces(text)[:5]:
            known.redact(piece)
        known.redact(text)
    gaps = [later - earlier for earlier, later in itertools.pairwise(beats)]
    assert max(gaps, default=0) < 0.5
