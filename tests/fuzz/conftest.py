"""The number of fuzzed responses, and a fixture that prints past the capture."""

import pytest

from tests.support.fuzz_report import Show


@pytest.fixture
def fuzz_answers(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--fuzz-answers"))


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    def show_line(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")  # noqa: T201 - the counts are the result

    return show_line
