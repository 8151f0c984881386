"""The result of ``metrics export``."""

from collections.abc import Mapping

import msgspec

from backupctl.results.result import Result


class Sample(msgspec.Struct, frozen=True):
    """A value of a metric; the server is not among the labels."""

    name: str
    labels: Mapping[str, str]
    value: float


class MetricsResult(Result, frozen=True, kw_only=True):
    """The metrics of one appliance."""

    metrics: tuple[Sample, ...] = ()
