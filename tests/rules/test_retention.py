"""The keep rules against an oracle that is written apart from them: as sets, from the text of restic's manual."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from backupctl.rules.retention import KeepRules, keep_reasons

NEWEST = datetime(2026, 3, 1, 2, 0, 0, tzinfo=UTC)


def oracle(times: list[datetime], rules: KeepRules) -> set[int]:
    """Return the indices of kept archives.

    "For the last n days which have one or more snapshots, keep only the most recent one for each day"; "if there are
    not enough snapshots to keep one for each, the oldest snapshot is kept additionally".
    """
    kept = set(range(min(rules.last, len(times))))
    for count, form in ((rules.daily, "%Y%m%d"), (rules.weekly, "%G%V"), (rules.monthly, "%Y%m")):
        groups: dict[str, set[int]] = defaultdict(set)
        for index, time in enumerate(times):
            groups[time.strftime(form)].add(index)
        best = sorted(min(group) for group in groups.values())
        kept |= set(best[:count])
        if times and len(best) < count:
            kept.add(len(times) - 1)
    if times and rules.within:
        earliest = max(times).timestamp() - rules.within
        kept |= {index for index, time in enumerate(times) if time.timestamp() > earliest}
    return kept


def history(chance: random.Random) -> list[datetime]:
    """Return the times of a random history, the newest first; some are equal."""
    step = chance.choice([60, 3600, 6 * 3600, 86400, 3 * 86400, 20 * 86400])
    start = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(8 * 366 * 86400))
    times = [start - timedelta(seconds=chance.randrange(40) * step) for _ in range(chance.randrange(40))]
    return sorted(times, reverse=True)


def random_rules(chance: random.Random) -> KeepRules:
    last, daily, weekly, monthly = (chance.choice([0, 0, 1, 2, 3, 7, 100]) for _ in range(4))
    within = chance.choice([0.0, 0.0, 1.0, 3600.0, 86400.0, 30 * 86400.0, 315360000.0])
    return KeepRules(last, daily, weekly, monthly, within)


@pytest.mark.parametrize("number", [150, pytest.param(10_000, marks=pytest.mark.exhaustive)])
def test_rules_keep_what_the_oracle_keeps(number: int) -> None:
    chance = random.Random(20260301)
    lengths = set()
    for _ in range(number):
        times, rules = history(chance), random_rules(chance)
        reasons = keep_reasons(times, rules)
        kept = {index for index, each in enumerate(reasons) if each}
        assert (len(reasons), kept) == (len(times), oracle(times, rules)), (times, rules)
        assert not times or (0 in kept) == (rules != KeepRules())  # any rule keeps the newest
        lengths.add(len(kept))
    assert len(lengths) > 15  # not only trivial cases


@pytest.mark.parametrize(
    ("days", "rules", "reasons"),
    [
        ([0, 1, 2], KeepRules(), [(), (), ()]),
        ([0, 0, 1], KeepRules(last=1, daily=2), [("last", "daily"), (), ("daily",)]),
        ([0, 1, 8], KeepRules(weekly=2), [("weekly",), (), ("weekly",)]),
        # 2026-03-01 is a Sunday, so 02-28 is in its week and month, and it is the oldest
        ([0, 0.5, 0.6], KeepRules(weekly=2), [("weekly",), (), ("oldest weekly",)]),
        ([0, 0.5, 0.6], KeepRules(weekly=1), [("weekly",), (), ()]),
        ([0, 1, 20, 30], KeepRules(monthly=5), [("monthly",), ("monthly",), (), ("monthly",)]),
        # strictly within: a day before the newest is outside of one day
        ([0, 0.99, 1, 2], KeepRules(within=86400), [("within",), ("within",), (), ()]),
        ([0, 900], KeepRules(last=1, within=60), [("last", "within"), ()]),
        ([0], KeepRules(daily=3), [("daily",)]),
        ([], KeepRules(daily=3), []),
    ],
)
def test_reasons_name_the_rules(days: list[float], rules: KeepRules, reasons: list[tuple[str, ...]]) -> None:
    assert keep_reasons([NEWEST - timedelta(days=each) for each in days], rules) == reasons
