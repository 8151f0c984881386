"""Several random faults at once, by seed: the rules of the oracle hold."""

import random

import pytest

from tests.faults.cases import OUTPUTS, faults_for
from tests.faults.commands import COMMANDS, ways
from tests.faults.oracle import findings
from tests.faults.play import Case, run_case
from tests.faults.tally import CaseCounts

pytestmark = pytest.mark.exhaustive

SEEDS = range(25)
CASES_PER_SEED = 200


def random_cases(seed: int) -> list[Case]:
    """Return cases with two to five faults each."""
    chance = random.Random(seed)
    cases = []
    for _ in range(CASES_PER_SEED):
        command = chance.choice(COMMANDS)
        way = chance.choice(ways(command))
        faults = chance.sample(list(faults_for(command, way)), chance.choice([2, 2, 3, 5]))
        cases.append(Case(command, way, tuple(faults), chance.choice(OUTPUTS), chance.choice([True, False])))
    return cases


@pytest.mark.parametrize("seed", SEEDS)
def test_command_under_several_faults_has_no_findings(seed: int) -> None:
    counts = CaseCounts("Several faults at once")
    for case in random_cases(seed):
        record = run_case(case)
        counts.add(case.command.name, record, findings(record))
    assert counts.cases.total() == CASES_PER_SEED
    counts.check()
