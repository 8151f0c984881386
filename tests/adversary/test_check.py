"""The monitoring plugin against the adversary: no wrong state, no late one, and no other exit code."""

from dataclasses import replace

import pytest

from tests.adversary.oracle import CHECK_STATES, violations
from tests.adversary.play import run_scenario
from tests.adversary.scenario import CHECKS, check_scenario
from tests.adversary.service import Habits
from tests.adversary.tally import RunCounts, run_seed

pytestmark = pytest.mark.real

RUNS = 300
A_BATCH = 50


@pytest.mark.parametrize("first", range(0, RUNS, A_BATCH))
def test_check_reports_the_real_state_under_all_faults(first: int) -> None:
    batch = RunCounts()
    for seed in range(first, first + A_BATCH):
        batch.add(run_seed(seed, check_scenario))
    batch.check()


def test_checks_have_every_state_and_faults_of_every_request() -> None:
    found = [check_scenario(seed) for seed in range(2_000)]
    labels = {(each.command.name, fault.label) for each in found for fault in each.faults}
    assert labels == {(command.name, label) for command in CHECKS for label in command.labels}
    assert {run_seed(seed, check_scenario).code for seed in range(A_BATCH)} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("old", "state", "wrong"), [(3600.0, 0, {1, 2, 4}), (30 * 3600.0, 1, {0, 2, 4}), (60 * 3600.0, 2, {0, 1, 4})]
)
def test_wrong_state_would_be_found(old: float, state: int, wrong: set[int]) -> None:
    calm = replace(
        check_scenario(0), faults=(), habits=Habits(), old=(old,), old_failures=(), signal_at=None, output="text"
    )
    record = run_scenario(calm)
    assert (record.code, violations(record)) == (state, [])
    claims = {code: replace(record, code=code, out=f"BACKUP {' '.join(CHECK_STATES)}") for code in range(5)}
    assert {code for code, claim in claims.items() if violations(claim)} == wrong


def test_late_check_would_be_found() -> None:
    record = run_scenario(check_scenario(0))
    late = replace(record, seconds=record.scenario.timeout + 3.0)
    assert "hang" in {column for column, _ in violations(late)}
