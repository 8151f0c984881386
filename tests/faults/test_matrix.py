"""Every fault in every phase of every command: the right code, no lost or second job, no open session, no hang."""

from collections.abc import Iterator

import pytest

from backupctl.simulator.faults import KINDS, parse_fault
from tests.faults.cases import (
    BASIC_PHASES,
    OUTPUTS,
    STRENGTHS,
    cases_of,
    covering_cases,
    every_case,
    phases,
    undisturbed,
)
from tests.faults.commands import COMMANDS, WAYS, Command, ways
from tests.faults.oracle import NAMES, findings
from tests.faults.play import Case, run_case
from tests.faults.table import ROWS, all_findings, who
from tests.faults.tally import CaseCounts

pytestmark = pytest.mark.exhaustive

MIN_CASES, MIN_COVERING_CASES = 28_000, 9_000

EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@pytest.fixture(scope="module")
def counts() -> Iterator[CaseCounts]:
    """Return the counts of all cases; print their table at the end."""
    counted = CaseCounts("One fault at a time, by command")
    yield counted
    print("", *counted.lines(), sep="\n")  # noqa: T201 - the table is the result


@pytest.fixture(scope="module")
def selected(pytestconfig: pytest.Config) -> frozenset[Case]:
    """Return the cases to run: those that cover the matrix, or with ``--whole-matrix`` all of it."""
    return frozenset(every_case()) if pytestconfig.getoption("--whole-matrix") else covering_cases()


@EVERY_COMMAND
def test_command_without_a_fault_has_its_outcome_and_no_findings(command: Command) -> None:
    for way in ways(command):
        record = undisturbed(command, way)
        assert record.code == command.outcome, record.err
        assert findings(record) == []
        assert record.line.open == set()


@EVERY_COMMAND
def test_command_under_each_fault_in_each_phase_has_the_expected_outcome(
    command: Command, counts: CaseCounts, selected: frozenset[Case]
) -> None:
    before = len(counts.wrong)
    for case in cases_of(command):
        if case not in selected:
            continue
        record = run_case(case)
        counts.add(command.name, record, all_findings(record))
    counts.check(since=before)


def test_matrix_has_every_kind_phase_command_way_and_output() -> None:
    cases = every_case()
    faults = [parse_fault(fault) for case in cases for fault in case.faults]
    assert len(cases) >= MIN_CASES
    assert {fault.name for fault in faults} == set(KINDS) == set(NAMES)
    assert {kind.value for kind in KINDS.values()} == set(STRENGTHS)
    assert {fault.phase for fault in faults} == {"", *BASIC_PHASES}
    assert {(kind, phase) for kind in KINDS if KINDS[kind].phased for phase in BASIC_PHASES} <= {
        (fault.name, fault.phase) for fault in faults
    }
    assert {case.way for case in cases} == set(WAYS)
    assert {case.output for case in cases} == set(OUTPUTS)


def test_covering_cases_have_each_fault_with_each_command_and_each_way() -> None:
    cases = covering_cases()
    assert MIN_COVERING_CASES <= len(cases) < MIN_CASES / 2
    assert {(case.command, case.faults) for case in cases} == {(case.command, case.faults) for case in every_case()}
    assert {(case.way, case.faults) for case in cases} == {(case.way, case.faults) for case in every_case()}
    assert {case.output for case in cases} == set(OUTPUTS)


def test_matrix_reaches_every_phase_with_the_commands_that_have_it() -> None:
    reached = {
        phase: {command.task for command in COMMANDS if phase in phases(command, "/rest")} for phase in BASIC_PHASES
    }
    assert reached["create"] >= {"start", "start-only"}
    assert reached["last-poll"] >= {"start", "follow", "cancel"}
    assert reached["write-schedule"] == {"write"}
    assert all(reached[phase] for phase in BASIC_PHASES)


def test_every_row_of_the_table_decides_a_case() -> None:
    cases = {(who(case), case.faults): case for case in covering_cases()}
    decided = {next(row for row in ROWS if row.fits(case)) for case in cases.values()}
    assert set(ROWS) - decided == set()
