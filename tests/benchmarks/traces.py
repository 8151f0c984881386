"""Seeded traces of backup jobs, and a simulated follower that polls them; no I/O, no real time.

A trace is a job's true end and the times at which its whole percents were reached. Lengths vary by 5 % around their
nominal value, so that no fixed interval divides them by chance.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from backupctl.operations.poll_interval import PollSchedule

LATENCY = 0.05
LOOP_SECONDS = 10.0
LENGTHS = {"10 min": 600.0, "30 min": 1800.0, "60 min": 3600.0, "120 min": 7200.0, "between": None}


@dataclass(frozen=True)
class Trace:
    """A job that ends after ``end`` seconds and reaches 1, 2, 3, ... percent at the times of ``percents``."""

    end: float
    percents: list[float]

    def progress(self, seconds: float) -> int:
        return bisect_right(self.percents, seconds)


@dataclass(frozen=True)
class Following:
    """The cost of following a job: ``lag`` is the time from its end to the response that reports it."""

    seconds: float
    lag: float
    polls: int
    details: int

    @property
    def requests(self) -> int:
        return self.polls + self.details


def follow(trace: Trace, schedule: PollSchedule) -> Following:
    """Poll a job as the real follower does: poll, perhaps read the details, wait."""
    now, polls, details = 0.0, 0, 0
    while True:
        asked = now
        now += LATENCY
        polls += 1
        if asked >= trace.end:
            return Following(now, now - trace.end, polls, details)
        schedule.observe(now, trace.progress(asked))
        if schedule.details_due(now):
            details += 1
            now += LATENCY
            schedule.observe_details(now)
        now += schedule.next_interval(now)


def follow_in_fixed_loop(trace: Trace) -> Following:
    """Poll a job every ten seconds from its start, without its details."""
    period = LOOP_SECONDS + LATENCY
    rounds = math.ceil(trace.end / period)
    seen = rounds * period + LATENCY
    return Following(seen, seen - trace.end, rounds + 1, 0)


def linear(length: float, _: random.Random) -> list[float]:
    return [length * percent / 100 for percent in range(1, 100)]


def noisy(length: float, chance: random.Random) -> list[float]:
    """Ten to sixty slices of equal work; the slowest takes many times as long as the fastest."""
    slices = chance.randint(10, 60)
    taken = [math.exp(chance.gauss(0, 0.8)) for _ in range(slices)]
    reached = [0.0]
    for one in taken:
        reached.append(reached[-1] + one / sum(taken) * length)
    percents = []
    for percent in range(1, 100):
        whole, part = divmod(percent * slices, 100)
        percents.append(reached[whole] + part / 100 * (reached[min(whole + 1, slices)] - reached[whole]))
    return percents


def stepped(length: float, chance: random.Random) -> list[float]:
    """Ten steps of 10 %, each 0.4 to 1.6 times as long as the mean."""
    return _jumps(length, [10] * 10, [chance.uniform(0.4, 1.6) for _ in range(10)])


def mid_stall(length: float, chance: random.Random) -> list[float]:
    at, pause = chance.uniform(30, 80), length * chance.uniform(0.05, 0.3)
    return [(length - pause) * percent / 100 + (pause if percent > at else 0) for percent in range(1, 100)]


def late_stall(length: float, chance: random.Random) -> list[float]:
    at, pause = chance.randint(95, 99), length * chance.uniform(0.1, 0.5)
    return [(length - pause) * percent / at for percent in range(1, at + 1)]


def ragged(length: float, chance: random.Random) -> list[float]:
    """Jumps of 3 to 20 %, each after a time that says nothing about the next."""
    jumps: list[int] = []
    while sum(jumps) < 100:
        jumps.append(min(chance.randint(3, 20), 100 - sum(jumps)))
    return _jumps(length, jumps, [0.1 + chance.expovariate(1) for _ in jumps])


def stands_at_100(length: float, chance: random.Random) -> list[float]:
    """All work is done, but the job still runs for 2 to 20 % of its time."""
    work = length * (1 - chance.uniform(0.02, 0.2))
    return [work * percent / 100 for percent in range(1, 101)]


def silent(_: float, __: random.Random) -> list[float]:
    return []


def _jumps(length: float, percents: list[int], shares: list[float]) -> list[float]:
    now, reached = 0.0, []
    for percent, share in zip(percents[:-1], shares[:-1], strict=True):
        now += share / sum(shares) * length
        reached += [now] * percent
    return reached


SHAPES: dict[str, Callable[[float, random.Random], list[float]]] = {
    "linear": linear,
    "noisy": noisy,
    "stepped": stepped,
    "mid-stall": mid_stall,
    "late stall": late_stall,
    "ragged": ragged,
    "at 100 %": stands_at_100,
    "silent": silent,
}
SUDDEN_DEATH = "sudden death"


def trace(shape: str, length: float | None, seed: int) -> Trace:
    """Return the same trace for the same arguments, ever; ``length`` None takes one of ten minutes to two hours."""
    chance = random.Random(f"{shape} {length} {seed}")
    seconds = chance.uniform(600, 7200) if length is None else length * chance.uniform(0.95, 1.05)
    if shape == SUDDEN_DEATH:
        living = chance.choice([linear, noisy, stepped, mid_stall])
        return Trace(chance.uniform(0, seconds), living(seconds, chance))
    return Trace(seconds, SHAPES[shape](seconds, chance))
