"""What holds for every test: an environment without settings, and no waiting for real."""

import os
import signal

import pytest

from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--moments",
        type=int,
        default=12,
        help="at how many moments of each command's life a signal strikes (-m real tests/real/test_interruptions.py)",
    )
    parser.addoption("--fleet", metavar="NxSECONDS", help="size and job time of the fleet that the benchmark measures")
    parser.addoption(
        "--fuzz-answers",
        type=int,
        default=20_000,
        help="how many answers of a hostile appliance the seeded runs of tests/fuzz make up (they print what they did)",
    )


@pytest.fixture(scope="session", autouse=True)
def _signals_are_not_ignored() -> None:
    """Whoever starts the tests in the background of a shell, or with nohup, lets all that they start ignore signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


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
