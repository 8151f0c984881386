"""The cost of a run over many appliances: time, CPU, memory, threads, requests, TLS handshakes.

Run with ``pytest -m benchmark -s tests/benchmarks/test_fleet.py``; ``--fleet 1000x180`` measures a thousand appliances
with jobs of 180 s, and so on. The appliances are simulated in the process of the test, on the same machine, and use
part of its CPU.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.resource_usage import CLOCK, Usage, measure
from tests.support.served_fleet import serve_fleet

pytestmark = pytest.mark.benchmark

FLEETS = ((10, 5.0), (100, 5.0))
MOST_MEMORY = 90.0
"""MiB, with a thousand appliances."""
SLOWEST = 1.05
"""The most time, as a multiple of the job duration, for jobs of three minutes."""
DETACHED_SECONDS = 6.0

Show = Callable[[Sequence[str], Sequence[Sequence[object]]], None]


def fleets(config: pytest.Config) -> Sequence[tuple[int, float]]:
    wanted = config.getoption("--fleet")
    if not wanted:
        return FLEETS
    size, _, seconds = wanted.partition("x")
    return [(int(size), float(seconds))]


def seconds_until(run: Usage, began: datetime, event: str) -> float:
    """Return when the last of such events came, in seconds from the start of the program."""
    times = [datetime.fromisoformat(line["time"]) for line in run.lines if line["event"] == event]
    return (max(times) - began).total_seconds()


def test_cost_of_a_fleet_grows_no_faster_than_its_size(
    tmp_path: Path, show: Show, request: pytest.FixtureRequest
) -> None:
    rows = []
    for size, seconds in fleets(request.config):
        with serve_fleet(tmp_path, appliances=size, job_duration=seconds) as served:
            run = measure(["create", "--all", "--parallel", "0", "-o", "jsonl"], tmp_path, served.environ)
            assert Counter(result["exit_code"] for result in run.lines[-1]["results"]) == {0: size}, run.err
            assert (run.code, served.jobs, served.open_sessions, served.handshakes) == (0, size, 0, size)
            each = 1000 * run.cpu / size
            requests = served.requests / size
        rows.append([size, seconds, run.wall, run.wall / seconds, run.cpu, each, run.memory, run.threads, requests])
        assert run.memory < MOST_MEMORY
        assert seconds < 180 or run.wall < SLOWEST * seconds
    head = ["appliances", "job s", "wall s", "ratio", "CPU s", "CPU ms each", "memory MiB", "threads", "requests each"]
    show(head, rows)
    costs = [row[5] for row in rows]
    assert costs == sorted(costs, reverse=True) or costs[-1] < 2 * costs[0]


def test_hundred_slow_appliances_start_and_detach_quickly(tmp_path: Path, show: Show) -> None:
    left: list[float] = []

    def interrupt(pid: int, seconds: float) -> None:
        if seconds > 5 and not left:
            left.append(seconds)
            os.kill(pid, signal.SIGINT)

    with serve_fleet(tmp_path, appliances=100, job_duration=60.0, faults=("slow=0.05s",)) as served:
        began = CLOCK.now()
        words = ["create", "-g", "production", "--parallel", "0", "-o", "jsonl"]
        run = measure(words, tmp_path, served.environ, meanwhile=interrupt)
        sessions, jobs = served.open_sessions, served.jobs
    results = run.lines[-1]["results"]
    hints = [result["error"]["hint"] for result in results]
    assert all(f"backupctl watch {each['job']['id']} " in hint for each, hint in zip(results, hints, strict=True))
    last, detached = seconds_until(run, began, "started"), run.wall - left[0]
    show(
        ["appliances", "latency ms", "last POST after s", "detached in s", "lines to attach", "sessions left"],
        [[100, 50, last, detached, len(hints), sessions]],
    )
    assert (run.code, jobs, len(hints), sessions) == (130, 100, 100, 0)
    assert detached < DETACHED_SECONDS


def test_hanging_appliances_do_not_delay_the_others(tmp_path: Path, show: Show) -> None:
    hang = range(0, 100, 10)
    with serve_fleet(tmp_path, appliances=100, job_duration=5.0) as served:
        for number in hang:
            served.server.simulated[number].inject("slow=60s@poll")
        words = ["create", "--all", "--parallel", "0", "--timeout", "12s", "-o", "jsonl"]
        run = measure(words, tmp_path, served.environ)
    ended = {result["server"]: result["job"]["end_time"] for result in run.lines[-1]["results"]}
    lags = [
        (datetime.fromisoformat(line["time"]) - datetime.fromisoformat(ended[line["server"]])).total_seconds()
        for line in run.lines
        if line["event"] == "ended" and line["exit_code"] == 0
    ]
    show(["appliances", "hang", "mean lag s", "longest lag s"], [[100, len(hang), sum(lags) / len(lags), max(lags)]])
    assert (len(lags), max(lags) < 5) == (90, True)


def test_one_list_costs_one_handshake_and_four_requests(tmp_path: Path, show: Show) -> None:
    with serve_fleet(tmp_path, history=True) as served:
        runs = [measure(["list", "-s", "vc1", "-o", "json"], tmp_path, served.environ) for _ in range(5)]
        requests, handshakes = served.requests / len(runs), served.handshakes / len(runs)
    best = min(runs, key=lambda run: run.wall)
    head = ["command", "wall s", "CPU s", "memory MiB", "threads", "requests", "handshakes"]
    show(head, [["list", best.wall, best.cpu, best.memory, best.threads, requests, handshakes]])
    assert {run.code for run in runs} == {0}
    assert (requests, handshakes) == (4, 1)
