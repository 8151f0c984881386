"""What holds for every test: an environment without settings, and no waiting for real."""

import os

import pytest

from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--moments",
        type=int,
        default=16,
        help="at how many moments of each command's life a signal strikes (-m real tests/real/test_interruptions.py)",
    )
    parser.addoption("--fleet", metavar="NxSECONDS", help="size and job time of the fleet that the benchmark measures")
    parser.addoption(
        "--fuzz-answers",
        type=int,
        default=20_000,
        help="how many answers of a hostile appliance the seeded runs of tests/fuzz make up (they print what they did)",
    )


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:  # noqa: TID251 - cleaned for the test
        if name.startswith("BACKUPCTL_") or name.lower().endswith("_proxy") or name == "NO_COLOR":
            monkeypatch.delenv(name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def backupctl(clock: FakeClock) -> CommandLine:
    return CommandLine(clock=clock)
