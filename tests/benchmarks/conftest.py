"""The printing of tables."""

import sys
from collections.abc import Callable, Sequence

import pytest

Show = Callable[[Sequence[str], Sequence[Sequence[object]]], None]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    """Print a table."""

    def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        cells = [head, *([f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
        with capsys.disabled():
            sys.stdout.write("\n" + "\n".join(lines) + "\n")

    return table
