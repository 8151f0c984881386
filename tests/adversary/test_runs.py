"""Runs against the adversary: no wrong result, no second or lost job, no open session, no hang.

``python -m tests.adversary --runs 20000`` makes more runs, ``--seed N`` repeats one.
"""

from collections.abc import Iterator

import pytest

from tests.adversary.scenario import COMMANDS, scenario
from tests.adversary.tally import RunCounts, run_seed

pytestmark = pytest.mark.real

RUNS = 500
A_BATCH = 50

FOUND = (6064, 9004, 9244, 11841, 13206, 15372, 17947)
"""Seeds after the first 500 that revealed a bug: in the program (9004, 9244) or in the oracle."""


@pytest.fixture(scope="module")
def counts() -> Iterator[RunCounts]:
    """Return the counts of all runs; print their table at the end."""
    counted = RunCounts()
    yield counted
    print("", *counted.table(by_kind=False), sep="\n")  # noqa: T201 - the table is the result


@pytest.mark.parametrize("first", range(0, RUNS, A_BATCH))
def test_program_reports_the_real_result_under_all_faults(first: int, counts: RunCounts) -> None:
    batch = RunCounts()
    for seed in range(first, first + A_BATCH):
        line = run_seed(seed)
        batch.add(line)
        counts.add(line)
    batch.check()


@pytest.mark.parametrize("seed", FOUND)
def test_seed_that_revealed_a_bug_has_no_violation(seed: int) -> None:
    found = RunCounts()
    found.add(run_seed(seed))
    found.check()


def test_runs_cover_every_command_and_every_request_of_it() -> None:
    with_fault: dict[str, set[str]] = {command.name: set() for command in COMMANDS}
    for seed in range(20_000):
        found = scenario(seed)
        with_fault[found.command.name] |= {fault.label for fault in found.faults}
    assert with_fault == {command.name: set(command.labels) for command in COMMANDS}


def test_seed_always_gives_the_same_run() -> None:
    for seed in range(12):
        first, second = run_seed(seed), run_seed(seed)
        assert (first.code, first.slug, first.seconds) == (second.code, second.slug, second.seconds)
