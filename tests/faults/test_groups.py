"""Every fault on one appliance of a group: it affects that appliance only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backupctl.simulator.faults import KINDS, parse_fault
from tests.faults.commands import Command
from tests.faults.groups import COMMANDS, CONFIGURATION, PLACES, group_cases, group_findings, run_group_case
from tests.faults.tally import CaseCounts
from tests.support.command_line import write_private

pytestmark = pytest.mark.exhaustive

MIN_CASES = 700

EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@pytest.fixture(scope="module")
def counts() -> Iterator[CaseCounts]:
    """Return the counts of all cases; print their table at the end."""
    counted = CaseCounts("One fault on one appliance of a group, by command")
    yield counted
    print("", *counted.lines(), sep="\n")  # noqa: T201 - the table is the result


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_private(tmp_path_factory.mktemp("groups") / "config.toml", CONFIGURATION)


@EVERY_COMMAND
def test_fault_on_one_appliance_of_a_group_does_not_affect_the_others(
    command: Command, counts: CaseCounts, configuration: Path
) -> None:
    before = len(counts.wrong)
    for case in group_cases(command):
        code, records = run_group_case(case, configuration)
        counts.add(command.name, records[case.faulty], group_findings(case, code, records))
    counts.check(since=before)


def test_matrix_of_groups_has_every_kind_phase_and_faulty_appliance() -> None:
    cases = [case for command in COMMANDS for case in group_cases(command)]
    faults = [parse_fault(case.fault) for case in cases]
    assert len(cases) >= MIN_CASES
    assert {fault.name for fault in faults} == set(KINDS)
    assert {fault.phase for fault in faults} >= {"", "login", "list", "create", "first-poll", "last-poll", "logout"}
    assert {(case.group, case.faulty) for case in cases} == set(PLACES)
