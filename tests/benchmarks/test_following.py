"""Lag and requests of the follower, compared with a loop that polls every ten seconds.

Run with ``pytest -m benchmark -s tests/benchmarks/test_following.py``. Lag is in seconds; ``ratio`` is the
number of the follower's requests, details included, divided by that of the loop. The limits apply to all lengths of a
shape together.
"""

from dataclasses import dataclass
from functools import cache
from statistics import fmean

import pytest

from backupctl.operations.poll_interval import PollSchedule
from tests.benchmarks.traces import LENGTHS, SHAPES, SUDDEN_DEATH, Following, follow, follow_in_fixed_loop, trace

pytestmark = pytest.mark.benchmark

TRACES = 300
UNUSUAL = ("ragged", "at 100 %", "silent")


@dataclass(frozen=True)
class Score:
    follower: list[Following]
    loop: list[Following]

    @property
    def lag(self) -> float:
        return fmean(run.lag for run in self.follower)

    @property
    def longest_lag(self) -> float:
        return max(run.lag for run in self.follower)

    @property
    def loop_lag(self) -> float:
        return fmean(run.lag for run in self.loop)

    @property
    def ratio(self) -> float:
        return sum(run.requests for run in self.follower) / sum(run.requests for run in self.loop)

    def row(self, shape: str, length: str) -> str:
        p95 = sorted(run.lag for run in self.follower)[int(0.95 * len(self.follower))]
        requests = fmean(run.requests for run in self.follower)
        return (
            f"{shape:<13}{length:<9}{self.lag:>6.2f}{p95:>7.1f}{self.longest_lag:>7.1f}{self.loop_lag:>10.2f}"
            f"{requests:>10.1f}{self.ratio:>8.3f}"
        )


@cache
def scores(shape: str) -> Score:
    """Follow every trace of a shape, print the table of its lengths, and return the score of all lengths."""
    of_length = {name: score(shape, seconds) for name, seconds in LENGTHS.items()}
    together = Score(
        [run for one in of_length.values() for run in one.follower],
        [run for one in of_length.values() for run in one.loop],
    )
    show(shape, of_length | {"all": together})
    return together


def score(shape: str, length: float | None) -> Score:
    traces = [trace(shape, length, seed) for seed in range(TRACES)]
    return Score([follow(one, PollSchedule()) for one in traces], [follow_in_fixed_loop(one) for one in traces])


def show(shape: str, of_length: dict[str, Score]) -> None:
    head = f"\n{'shape':<13}{'length':<9}{'lag':>6}{'p95':>7}{'max':>7}{'loop lag':>10}{'requests':>10}{'ratio':>8}"
    rows = [one.row(shape, name) for name, one in of_length.items()]
    print("\n".join([head, *rows]))  # noqa: T201 - the table is the result


@pytest.mark.parametrize("shape", ["linear", "noisy", "stepped", "mid-stall"])
def test_following_a_steady_job_halves_the_lag_of_the_loop_with_fewer_requests(shape: str) -> None:
    overall = scores(shape)
    assert overall.lag <= 2.5
    assert overall.ratio <= 0.9


def test_following_a_job_that_stalls_near_its_end_is_no_worse_than_the_loop() -> None:
    overall = scores("late stall")
    assert overall.lag <= overall.loop_lag
    assert overall.ratio <= 1.0


def test_following_a_job_that_fails_suddenly_detects_it_within_twenty_seconds() -> None:
    overall = scores(SUDDEN_DEATH)
    assert overall.lag <= 11
    assert overall.longest_lag <= 20


@pytest.mark.parametrize("shape", UNUSUAL)
def test_following_an_unusual_job_stays_within_the_longest_interval(shape: str) -> None:
    assert scores(shape).longest_lag <= 20


@pytest.mark.parametrize("shape", [*SHAPES, SUDDEN_DEATH])
def test_following_any_job_stays_within_the_token_bucket(shape: str) -> None:
    for run in scores(shape).follower:
        assert run.requests <= 12 + run.seconds / 10


def test_following_a_job_of_a_minute_has_little_lag_and_few_requests() -> None:
    short = score("linear", 60)
    show("linear", {"1 min": short})
    assert short.lag <= 2.5
    assert max(run.requests for run in short.follower) <= 18
