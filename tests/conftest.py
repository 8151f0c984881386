"""Options and fixtures of all tests: a clean environment, the fake clock, and the command line."""

import gc
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from backupctl.config import config_file
from backupctl.state import directory
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine

settings.register_profile("unhurried", deadline=None)  # the duration of an example depends on the machine
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--moments",
        type=int,
        default=12,
        help="number of moments of each command at which a signal is sent (-m real tests/real/test_interruptions.py)",
    )
    parser.addoption(
        "--whole-matrix",
        action="store_true",
        help="run each fault with each way of each command (-m exhaustive tests/faults/test_matrix.py)",
    )
    parser.addoption("--fleet", metavar="NxSECONDS", help="appliances and job duration of the fleet benchmark")
    parser.addoption(
        "--fuzz-answers",
        type=int,
        default=20_000,
        help="number of hostile responses in the seeded runs of tests/fuzz, which print their counts",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the folder of the real tests where the marker excludes all of them: reading it takes a second."""
    return (collection_path == Path(__file__).parent / "real" and "not real" in config.option.markexpr) or None


def pytest_collection_finish() -> None:
    """Exclude the collected tests and modules from garbage collection, as they live until the end."""
    gc.freeze()
    gc.set_threshold(50_000)  # the tests allocate much and leave little: a tenth of the time was collection


@pytest.fixture(scope="session", autouse=True)
def _signals_are_not_ignored() -> None:
    """Restore signal handlers; a background shell or nohup makes this process and its children ignore signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_this_machine() -> Iterator[None]:
    """Remove variables of the user, and keep the system's configuration file and journal out of reach."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):  # noqa: TID251 - cleaned for the tests
            if name.startswith("BACKUPCTL_") or name.lower().endswith("_proxy") or name == "NO_COLOR":
                patch.delenv(name)
        patch.setattr(config_file, "SYSTEM_PATH", Path("/dev/null/config.toml"))  # nor can root create this one
        patch.setattr(directory, "SYSTEM_DIRECTORY", Path("/dev/null/backupctl"))
        yield


@pytest.fixture(scope="session")
def _folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("tests")
    return (base / str(number) for number in itertools.count())


@pytest.fixture
def tmp_path(_folders: Iterator[Path]) -> Path:
    """Return a new folder; pytest's own fixture is slower, as it lists all existing folders each time."""
    folder = next(_folders)
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def backupctl(clock: FakeClock) -> CommandLine:
    return CommandLine(clock=clock)
