"""Every fault on one appliance of a group: what it does to that one, and to no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backupctl.simulator.faults import KINDS, parse_fault
from tests.faults.commands import Command
from tests.faults.groups import COMMANDS, CONFIGURATION, PLACES, group_cases, group_findings, play_group
from tests.faults.tally import Tally
from tests.support.command_line import write_private

pytestmark = pytest.mark.exhaustive

FEWEST_CASES = 700

EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """Return what the cases are counted in; the table is printed at the end."""
    counted = Tally("One fault on one appliance of a group, by command")
    yield counted
    print("", *counted.lines(), sep="\n")  # noqa: T201 - the table is what the matrix is for


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_private(tmp_path_factory.mktemp("groups") / "config.toml", CONFIGURATION)


@EVERY_COMMAND
def test_fault_on_one_of_a_group_is_its_own_and_leaves_the_others_be(
    command: Command, tally: Tally, configuration: Path
) -> None:
    before = len(tally.wrong)
    for case in group_cases(command):
        code, records = play_group(case, configuration)
        tally.add(command.name, records[case.struck], group_findings(case, code, records))
    tally.check(since=before)


def test_matrix_of_groups_has_every_kind_phase_and_place() -> None:
    cases = [case for command in COMMANDS for case in group_cases(command)]
    faults = [parse_fault(case.fault) for case in cases]
    assert len(cases) >= FEWEST_CASES
    assert {fault.name for fault in faults} == set(KINDS)
    assert {fault.phase for fault in faults} >= {"", "login", "list", "create", "first-poll", "last-poll", "logout"}
    assert {(case.group, case.struck) for case in cases} == set(PLACES)
