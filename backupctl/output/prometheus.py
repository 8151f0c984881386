"""Write metrics in the text format of Prometheus.

Samples have no time of their own: with one, the node exporter discards the whole file
(https://prometheus.io/docs/instrumenting/exposition_formats/, https://github.com/prometheus/node_exporter).
"""

from collections.abc import Mapping, Sequence

from backupctl.monitoring.metrics import METRICS, samples
from backupctl.output.printable import printable
from backupctl.results.backup_history import HistoryResult


def exposition(results: Sequence[HistoryResult]) -> str:
    """Return the metrics of all appliances; of a series that occurs twice, which is invalid, only the first."""
    series: dict[str, dict[str, float]] = {name: {} for name in METRICS}
    for result in results:
        for name, labels, value in samples(result):
            if value is not None:
                series[f"backupctl_{name}"].setdefault(_labels({"server": result.server, **labels}), value)
    lines: list[str] = []
    for name, values in series.items():
        lines += [f"# HELP {name} {METRICS[name]}", f"# TYPE {name} gauge"] if values else []
        lines += [f"{name}{{{labels}}} {value:.15g}" for labels, value in values.items()]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    """Return labels without empty ones, which mean the same as missing ones."""
    escaped = {name: printable(text).replace("\\", r"\\").replace('"', r"\"") for name, text in labels.items()}
    return ",".join(f'{name}="{text}"' for name, text in escaped.items() if text)
