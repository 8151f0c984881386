"""The audit of a schedule as text: what is shown of one appliance, and of one of several."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from backupctl.output.terminal.audit_text import audit_block
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, UNICODE_SYMBOLS
from backupctl.results.audit_results import AuditResult, ExpectedRun, RunVerdict
from backupctl.results.schedule_results import ScheduleInfo
from tests.support.clock import START

ENABLED = ScheduleInfo(name="default", enable=True, hour=2, minute=30, time_zone="UTC")
DISABLED = replace(ENABLED, enable=False)


def audit(*verdicts: RunVerdict, schedule: ScheduleInfo = ENABLED) -> AuditResult:
    start = START + timedelta(minutes=90)
    runs = tuple(ExpectedRun(due=START, verdict=each, start_time=start) for each in verdicts)
    counts = {verdict: verdicts.count(verdict) for verdict in RunVerdict}
    gaps = tuple(run for run in runs if run.is_gap)
    return AuditResult(server="vc01", runs=runs, gaps=gaps, counts=counts, judged_since=START, schedule=schedule)


MADE, LATE, MISSED, NOT_JUDGED = RunVerdict.MADE, RunVerdict.LATE, RunVerdict.MISSED, RunVerdict.NOT_JUDGED


@pytest.mark.parametrize(
    ("result", "headline", "facts"),
    [
        (audit(MADE, MADE), ("✓ ", GOOD, "no gap in 2 scheduled runs"), []),
        (audit(MADE, LATE), ("! ", ODD, "no gap in 2 scheduled runs"), [("late", ODD)]),
        (audit(MADE, MISSED, LATE), ("✗ ", BAD, "1 gap in 3 scheduled runs"), [("missed", BAD), ("late", ODD)]),
        (audit(MADE, NOT_JUDGED), ("! ", ODD, "no gap in 1 scheduled run"), [("runs", ODD)]),
        (audit(MADE, schedule=DISABLED), ("! ", ODD, "no gap in 1 scheduled run"), [("schedule", ODD)]),
    ],
)
def test_of_several_appliances_only_the_odd_facts_are_shown(
    result: AuditResult, headline: tuple[str, str, str], facts: list[tuple[str, str]]
) -> None:
    options = RenderOptions(width=None, symbols=UNICODE_SYMBOLS, zone=None, now=START)
    first, *rest = audit_block(result, options._replace(number=2))
    assert (*first.pieces[0], first.pieces[2][0]) == headline
    labels = [line.pieces[1] for line in rest]
    assert labels == facts
    all_labels = [line.pieces[1] for line in audit_block(result, options)[1:]]
    assert [label for label in all_labels if label in facts or label[1]] == facts
    assert {name for name, _ in all_labels} == {"schedule", "runs", *(name for name, _ in facts)}
