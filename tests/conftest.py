"""What holds for every test: an environment without settings, and no waiting for real."""

import gc
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine

settings.register_profile("unhurried", deadline=None)  # how long an example takes says more about the machine
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--moments",
        type=int,
        default=12,
        help="at how many moments of each command's life a signal strikes (-m real tests/real/test_interruptions.py)",
    )
    parser.addoption(
        "--whole-matrix",
        action="store_true",
        help="play each fault in each way of each command (-m exhaustive tests/faults/test_matrix.py)",
    )
    parser.addoption("--fleet", metavar="NxSECONDS", help="size and job time of the fleet that the benchmark measures")
    parser.addoption(
        "--fuzz-answers",
        type=int,
        default=20_000,
        help="how many answers of a hostile appliance the seeded runs of tests/fuzz make up (they print what they did)",
    )


def pytest_collection_finish() -> None:
    """Look no more for garbage among the tests themselves and what they import: there is much of it, and it stays."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _signals_are_not_ignored() -> None:
    """Whoever starts the tests in the background of a shell, or with nohup, lets all that they start ignore signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_user() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):  # noqa: TID251 - cleaned for the tests
            if name.startswith("BACKUPCTL_") or name.lower().endswith("_proxy") or name == "NO_COLOR":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def _folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("tests")
    return (base / str(number) for number in itertools.count())


@pytest.fixture
def tmp_path(_folders: Iterator[Path]) -> Path:
    """Return a new folder; pytest's own looks at all the others each time, to have a name of the test in its own."""
    folder = next(_folders)
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def backupctl(clock: FakeClock) -> CommandLine:
    return CommandLine(clock=clock)
