"""The budget of the fuzz tests, and a way to print what was done with it."""

import pytest

from tests.support.fuzz_report import Show


@pytest.fixture
def fuzz_answers(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--fuzz-answers"))


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    def show_line(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")  # noqa: T201 - that the budget was used is to be seen

    return show_line
