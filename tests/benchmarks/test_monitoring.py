"""The cost of monitoring many appliances in one run: time, memory, requests, TLS handshakes.

Run with ``pytest -m benchmark -s tests/benchmarks/test_monitoring.py``; ``--fleet 1000x0`` measures a thousand
appliances. They are simulated in the process of the test, on the same machine, and use part of its CPU.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.resource_usage import measure
from tests.support.served_fleet import serve_fleet

pytestmark = pytest.mark.benchmark

SIZE = 100
MOST_REQUESTS = 6
"""Login, version, details, schedules, time zone, logout."""
MOST_MILLISECONDS = 40.0
"""Time for each appliance, the simulated one included."""

COMMANDS = (
    (["check", "--all"], 90.0),
    (["check", "--all", "-o", "json"], 90.0),
    (["metrics", "export", "--all"], 90.0),
    (["schedule", "audit", "--all"], 90.0),
    (["report", "--all", "--format", "html"], 150.0),
)
"""Command lines, and the most MiB that each takes with a thousand appliances."""

Show = Callable[[Sequence[str], Sequence[Sequence[object]]], None]


def test_cost_of_monitoring_a_fleet(tmp_path: Path, show: Show, request: pytest.FixtureRequest) -> None:
    size = int((request.config.getoption("--fleet") or f"{SIZE}x0").partition("x")[0])
    rows = []
    with serve_fleet(tmp_path, appliances=size, history=True) as served:
        for words, most_memory in COMMANDS:
            requests, handshakes = served.requests, served.handshakes
            run = measure(words, tmp_path, served.environ)
            requests, handshakes = served.requests - requests, served.handshakes - handshakes
            rows.append([" ".join(words), size, run.wall, run.memory, requests / size, handshakes / size, run.code])
            assert (run.code, run.err) == (0, "")
            assert f"vc{size}" in run.out
            assert (handshakes, served.open_sessions) == (size, 0)
            assert requests <= MOST_REQUESTS * size
            assert run.memory < most_memory
            assert run.wall < 1 + MOST_MILLISECONDS / 1000 * size
    show(["command", "appliances", "wall s", "memory MiB", "requests each", "handshakes each", "code"], rows)
