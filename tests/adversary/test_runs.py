"""Runs against the adversary: nothing is claimed wrongly, doubled, lost or left open, and nothing hangs.

``python -m tests.adversary --runs 20000`` makes more of them, ``--seed N`` repeats one.
"""

from collections.abc import Iterator

import pytest

from tests.adversary.scenario import COMMANDS, scenario
from tests.adversary.tally import Tally, run_seed

pytestmark = pytest.mark.real

RUNS = 500
A_BATCH = 50

FOUND = (6064, 9004, 9244, 11841, 13206, 15372, 17947)
"""Seeds behind the first 500 in which something was found: in the program (9004, 9244), or in the oracle."""


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """Return what the runs are counted in; the table is printed at the end."""
    counted = Tally()
    yield counted
    print("", *counted.table(by_kind=False), sep="\n")  # noqa: T201 - the table is what the runs are for


@pytest.mark.parametrize("first", range(0, RUNS, A_BATCH))
def test_program_tells_the_truth_whatever_the_adversary_does(first: int, tally: Tally) -> None:
    batch = Tally()
    for seed in range(first, first + A_BATCH):
        line = run_seed(seed)
        batch.add(line)
        tally.add(line)
    batch.check()


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_once_is_right(seed: int) -> None:
    found = Tally()
    found.add(run_seed(seed))
    found.check()


def test_runs_have_every_command_and_strike_every_request_of_it() -> None:
    struck: dict[str, set[str]] = {command.name: set() for command in COMMANDS}
    for seed in range(20_000):
        found = scenario(seed)
        struck[found.command.name] |= {fault.label for fault in found.faults}
    assert struck == {command.name: set(command.labels) for command in COMMANDS}


def test_seed_makes_one_run_and_no_other() -> None:
    for seed in range(12):
        first, second = run_seed(seed), run_seed(seed)
        assert (first.code, first.slug, first.seconds) == (second.code, second.slug, second.seconds)
