"""Every fault in every phase of every command: the right code, nothing lost, doubled, leaked or hanging."""

from collections.abc import Iterator

import pytest

from backupctl.simulator.faults import KINDS, parse_fault
from tests.faults.cases import NARROW, OUTPUTS, STRENGTHS, cases_of, covering_cases, every_case, phases, undisturbed
from tests.faults.commands import COMMANDS, WAYS, Command, ways
from tests.faults.oracle import NAMES, findings
from tests.faults.play import Case, play
from tests.faults.table import ROWS, judged, who
from tests.faults.tally import Tally

pytestmark = pytest.mark.exhaustive

FEWEST_CASES, FEWEST_COVERING_CASES = 28_000, 9_000

EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """Return what the cases are counted in; the table is printed at the end."""
    counted = Tally("One fault at a time, by command")
    yield counted
    print("", *counted.lines(), sep="\n")  # noqa: T201 - the table is what the matrix is for


@pytest.fixture(scope="module")
def played(pytestconfig: pytest.Config) -> frozenset[Case]:
    """Return the cases that are played: those that cover the matrix, or with ``--whole-matrix`` all of it."""
    return frozenset(every_case()) if pytestconfig.getoption("--whole-matrix") else covering_cases()


@EVERY_COMMAND
def test_command_without_a_fault_has_its_outcome_and_nothing_to_find(command: Command) -> None:
    for way in ways(command):
        record = undisturbed(command, way)
        assert record.code == command.outcome, record.err
        assert findings(record) == []
        assert record.line.open == set()


@EVERY_COMMAND
def test_command_under_each_fault_in_each_phase_has_the_right_outcome(
    command: Command, tally: Tally, played: frozenset[Case]
) -> None:
    before = len(tally.wrong)
    for case in cases_of(command):
        if case not in played:
            continue
        record = play(case)
        tally.add(command.name, record, judged(record))
    tally.check(since=before)


def test_matrix_has_every_kind_phase_command_way_and_output() -> None:
    cases = every_case()
    faults = [parse_fault(fault) for case in cases for fault in case.faults]
    assert len(cases) >= FEWEST_CASES
    assert {fault.name for fault in faults} == set(KINDS) == set(NAMES)
    assert {kind.value for kind in KINDS.values()} == set(STRENGTHS)
    assert {fault.phase for fault in faults} == {"", *NARROW}
    assert {(kind, phase) for kind in KINDS if KINDS[kind].phased for phase in NARROW} <= {
        (fault.name, fault.phase) for fault in faults
    }
    assert {case.way for case in cases} == set(WAYS)
    assert {case.output for case in cases} == set(OUTPUTS)


def test_part_of_the_matrix_has_each_fault_with_each_command_and_each_way() -> None:
    cases = covering_cases()
    assert FEWEST_COVERING_CASES <= len(cases) < FEWEST_CASES / 2
    assert {(case.command, case.faults) for case in cases} == {(case.command, case.faults) for case in every_case()}
    assert {(case.way, case.faults) for case in cases} == {(case.way, case.faults) for case in every_case()}
    assert {case.output for case in cases} == set(OUTPUTS)


def test_matrix_meets_every_phase_with_the_commands_that_have_it() -> None:
    met = {phase: {command.task for command in COMMANDS if phase in phases(command, "/rest")} for phase in NARROW}
    assert met["create"] >= {"start", "start-only"}
    assert met["last-poll"] >= {"start", "follow", "cancel"}
    assert met["write-schedule"] == {"write"}
    assert all(met[phase] for phase in NARROW)


def test_table_has_no_row_that_decides_nothing() -> None:
    cases = {(who(case), case.faults): case for case in covering_cases()}
    decided = {next(row for row in ROWS if row.fits(case)) for case in cases.values()}
    assert set(ROWS) - decided == set()
