"""Several faults at once, at random with a seed: whatever happens, what must always hold does."""

import random

import pytest

from tests.faults.cases import OUTPUTS, faults_for
from tests.faults.commands import COMMANDS, ways
from tests.faults.oracle import findings
from tests.faults.play import Case, play
from tests.faults.tally import Tally

pytestmark = pytest.mark.exhaustive

SEEDS = range(25)
CASES_A_SEED = 200


def some_cases(seed: int) -> list[Case]:
    """Return cases with two to five faults each."""
    chance = random.Random(seed)
    cases = []
    for _ in range(CASES_A_SEED):
        command = chance.choice(COMMANDS)
        way = chance.choice(ways(command))
        faults = chance.sample(list(faults_for(command, way)), chance.choice([2, 2, 3, 5]))
        cases.append(Case(command, way, tuple(faults), chance.choice(OUTPUTS), chance.choice([True, False])))
    return cases


@pytest.mark.parametrize("seed", SEEDS)
def test_command_under_several_faults_tells_the_truth_and_leaves_nothing_behind(seed: int) -> None:
    tally = Tally("Several faults at once")
    for case in some_cases(seed):
        record = play(case)
        tally.add(case.command.name, record, findings(record))
    assert tally.cases.total() == CASES_A_SEED
    tally.check()
