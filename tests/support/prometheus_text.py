"""The text format of Prometheus, read with the parser of its own client library."""

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

Series = dict[str, float]
"""Values by series: the name and all labels but the server, such as ``backupctl_jobs{state=FAILED}``."""


def parsed(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield name, labels and value of each sample; each must have a family with help and type, and no timestamp."""
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            assert (sample.name, sample.timestamp) == (family.name, None)
            yield sample.name, sample.labels, sample.value


def series(text: str) -> dict[str, Series]:
    """Return the series of each server."""
    found: dict[str, Series] = {}
    for name, labels, value in parsed(text):
        own = ",".join(f"{key}={text}" for key, text in labels.items() if key != "server")
        of_server = found.setdefault(labels["server"], {})
        key = f"{name.removeprefix('backupctl_')}{{{own}}}"
        assert key not in of_server
        of_server[key] = value
    return found
