"""The text format of Prometheus: whatever appliances call their things, its own parser reads the file."""

from hypothesis import given, settings
from hypothesis import strategies as st

from backupctl.monitoring.metrics import METRICS
from backupctl.output.printable import printable
from backupctl.output.prometheus import exposition
from backupctl.results.metrics_results import MetricsResult, Sample
from tests.support.prometheus_text import parsed

FOREIGN = st.text(st.characters(codec=None) | st.sampled_from('\\"\n\r{},= #\x00\x1b\x85\u2028'), max_size=8)
SAMPLES = st.builds(
    Sample,
    st.sampled_from(list(METRICS)),
    st.dictionaries(st.sampled_from(["type", "state", "schedule"]), FOREIGN, max_size=2),
    st.integers(0, 2**53) | st.floats(0, 1e18),
)
RESULTS = st.builds(MetricsResult, server=FOREIGN, metrics=st.lists(SAMPLES, max_size=4).map(tuple))


@settings(max_examples=25)
@given(results=st.lists(RESULTS, max_size=3))
def test_any_text_makes_a_valid_file(results: list[MetricsResult]) -> None:
    expected: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for result in results:
        for sample in result.metrics:
            labels = {"server": result.server, **sample.labels}
            shown = frozenset((name, printable(text)) for name, text in labels.items() if text)
            expected.setdefault((sample.name, shown), sample.value)
    text = exposition(results)
    found = [((name, frozenset(labels.items())), value) for name, labels, value in parsed(text)]
    assert len(found) == len(expected)
    assert dict(found) == expected
    assert all(line.isprintable() for line in text.split("\n"))
