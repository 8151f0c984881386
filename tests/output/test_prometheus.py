"""The text format of Prometheus: whatever appliances call their things, its own parser reads the file."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backupctl.monitoring.metrics import samples
from backupctl.output.printable import printable
from backupctl.output.prometheus import exposition
from backupctl.results.backup_history import BackupHistory, HistoryResult
from backupctl.results.job import Job
from backupctl.results.schedule_results import ScheduleInfo
from tests.support.clock import START
from tests.support.prometheus_text import parsed

FOREIGN = st.text(st.characters(codec=None) | st.sampled_from('\\"\n\r{},= #\x00\x1b\x85\u2028'), max_size=8)
JOBS = st.builds(
    Job,
    id=FOREIGN,
    state=st.just("SUCCEEDED") | FOREIGN,
    type=st.none() | FOREIGN,
    size_bytes=st.none() | st.integers(0, 10**15),
    end_time=st.none() | st.just(START),
)
HISTORIES = st.builds(
    BackupHistory,
    read_at=st.just(START),
    jobs=st.lists(JOBS, max_size=3).map(tuple),
    schedules=st.lists(st.builds(ScheduleInfo, name=FOREIGN, enable=st.booleans()), max_size=2).map(tuple),
)
RESULTS = st.builds(HistoryResult, server=FOREIGN, release=FOREIGN, history=st.none() | HISTORIES)


@pytest.mark.exhaustive
@settings(max_examples=100)
@given(results=st.lists(RESULTS, max_size=3))
def test_any_text_makes_a_valid_file(results: list[HistoryResult]) -> None:
    expected: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for result in results:
        for name, own, value in samples(result):
            labels = {"server": result.server, **own}
            shown = frozenset((key, printable(text)) for key, text in labels.items() if text)
            if value is not None:
                expected.setdefault((f"backupctl_{name}", shown), value)
    text = exposition(results)
    found = [((name, frozenset(labels.items())), value) for name, labels, value in parsed(text)]
    assert len(found) == len(expected)
    assert dict(found) == expected
    assert all(line.isprintable() for line in text.split("\n"))
