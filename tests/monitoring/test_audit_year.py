"""A year of simulated nights with many kinds of trouble: the audit finds every gap and invents none."""

import random
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.monitoring.simulated_nights import (
    DAY,
    TROUBLES,
    WEEK,
    SimulatedNights,
    appliance_off,
    missed_on,
    target_full_for_a_week,
)
from tests.support.command_line import NFS

pytestmark = pytest.mark.exhaustive


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Etc/UTC")


def audited(nights: SimulatedNights, since: str = "500d") -> Any:
    run = nights.backupctl("schedule", "audit", "--since", since, "-o", "json")
    gaps = {due: gap for due, (_, gap) in nights.truth.items()}
    assert run.code == (7 if any(gaps.values()) else 0)
    result = run.result
    if run.code:
        judged = sum(verdict != "not-judged" for verdict, _ in nights.truth.values())
        assert result["error"]["message"].startswith(f"{sum(gaps.values())} of {judged} scheduled run")
    found = {moment(run["due"]): run["verdict"] for run in result["runs"]}
    assert found == {due: verdict for due, (verdict, _) in nights.truth.items()}
    assert [moment(gap["due"]) for gap in result["gaps"]] == sorted(due for due, gap in gaps.items() if gap)
    assert {job["id"] for job in result["unexplained"]} == nights.extra
    return result


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "at"), list(zip(ZONES, (time(2, 30), time(2, 30), time(1, 59), time(0, 0), time(23, 55)), strict=True))
)
def test_year_of_trouble(zone: str, at: time) -> None:
    nights, chance = SimulatedNights(zone=zone, at=at), random.Random(f"{zone} {at}")
    for trouble in [*chance.sample(TROUBLES, len(TROUBLES)), *chance.sample(TROUBLES, len(TROUBLES))]:
        nights.nights(chance.randint(2, 16))
        nights.nights(1, trouble)
    nights.nights(max(3, 365 - len(nights.truth)))
    audited(nights)


@pytest.mark.parametrize("seed", range(5))
def test_year_in_which_the_time_changes_often(seed: int) -> None:
    """Runs at earlier times are judged by these."""
    chance = random.Random(seed)
    nights = SimulatedNights(zone=chance.choice(ZONES), at=any_time(chance))
    for _ in range(8):
        nights_with_trouble(nights, chance)
        nights.change(at=any_time(chance))
    nights.nights(20)
    audited(nights)


@pytest.mark.parametrize("seed", range(5))
def test_year_in_which_the_time_zone_changes(seed: int) -> None:
    chance = random.Random(seed)
    nights = SimulatedNights(zone=chance.choice(ZONES), at=any_time(chance))
    nights_with_trouble(nights, chance)
    nights.change(zone=chance.choice(ZONES))
    while len(nights.truth) < 365:
        nights_with_trouble(nights, chance)
    audited(nights)


def nights_with_trouble(nights: SimulatedNights, chance: random.Random) -> None:
    for _ in range(2):
        nights.nights(chance.randint(4, 12))
        nights.nights(1, chance.choice(TROUBLES))
    nights.nights(chance.randint(4, 12))


def any_time(chance: random.Random) -> time:
    return time(chance.randrange(24), chance.choice((0, 30)))


@pytest.mark.parametrize("seed", range(3))
def test_year_in_which_every_run_on_one_day_is_missed(seed: int) -> None:
    """All runs on it are gaps, whether or not it ran on that day long ago."""
    chance = random.Random(seed)
    nights, off = SimulatedNights(at=any_time(chance)), missed_on(chance.choice(WEEK))
    nights.nights(chance.choice((1, 1, 20)))
    nights.nights(365, off)
    audited(nights)


@pytest.mark.parametrize("seed", range(3))
def test_runs_on_a_day_before_the_first_one_are_not_judged(seed: int) -> None:
    """The day may have been added; runs that are missed later are gaps."""
    chance = random.Random(seed)
    nights = SimulatedNights(at=any_time(chance))
    nights.nights(1)
    first = WEEK[max(nights.truth).astimezone(ZoneInfo(nights.zone)).weekday()]
    off = missed_on(chance.choice([day for day in WEEK if day != first]))
    nights.nights(7 * chance.randint(3, 30), off)
    nights.truth = {
        due: ("not-judged", False) if gap else (verdict, gap) for due, (verdict, gap) in nights.truth.items()
    }
    nights.nights(7)
    nights.nights(30, off)
    audited(nights)


def test_schedule_that_never_ran_missed_its_newest_run() -> None:
    nights = SimulatedNights()
    for _ in range(60):
        nights.run("create", "--location", NFS)
        nights.nights(1, appliance_off)
    nights.truth = {due: nights.truth[due] for due in (max(nights.truth),)}
    audited(nights)


def test_year_in_an_unknown_time_zone_is_not_judged() -> None:
    nights = SimulatedNights()
    nights.nights(200)
    nights.nights(1, appliance_off)
    nights.nights(164)
    nights.appliance.schedules.time_zone = "Middle/Earth"
    audit = nights.backupctl("schedule", "audit", "--since", "500d", "-o", "json")
    assert (audit.code, audit.result["runs"], audit.result["gaps"]) == (6, [], [])


@pytest.mark.parametrize("seed", range(3))
def test_added_days_are_judged_from_their_first_run(seed: int) -> None:
    """A weekly schedule becomes a daily one, at the same time; no run is missed before."""
    chance = random.Random(seed)
    nights = SimulatedNights(days=(chance.choice(WEEK),), at=any_time(chance))
    nights.nights(chance.randint(4, 12))
    weekly, zone = sorted(nights.truth), ZoneInfo(nights.zone)
    nights.change(days=WEEK)
    nights.nights(chance.randint(8, 20))
    nights.nights(1, appliance_off)
    nights.nights(9)
    first = weekly[0].astimezone(zone).replace(tzinfo=None)
    between = [first + day * DAY for day in range((weekly[-1] - weekly[0]).days)]
    due = [day.replace(tzinfo=zone).astimezone(UTC) for day in between]
    nights.truth = dict.fromkeys(due, ("not-judged", False)) | nights.truth
    audited(nights)


@pytest.mark.parametrize("seed", range(3))
def test_runs_on_days_that_were_removed_are_unexplained(seed: int) -> None:
    chance = random.Random(seed)
    nights = SimulatedNights()
    nights.nights(30)
    days = tuple(sorted(chance.sample(WEEK, 3), key=WEEK.index))
    removed = [due for due in nights.truth if WEEK[due.astimezone(ZoneInfo(nights.zone)).weekday()] not in days]
    for due in removed:
        del nights.truth[due]
    nights.extra |= {job.job_id for job in nights.appliance.jobs if job.start_time in removed}
    nights.change(days=days)
    nights.nights(10)
    nights.nights(1, appliance_off)
    nights.nights(10)
    audited(nights)


@pytest.mark.parametrize("kept", [1, 2, 10, 40])
def test_what_the_appliance_has_forgotten_is_no_gap(kept: int) -> None:
    nights = SimulatedNights()
    nights.nights(20)
    nights.nights(1, target_full_for_a_week)
    nights.nights(20)
    nights.nights(1, appliance_off)
    nights.nights(20)
    del nights.appliance.jobs[:-kept]
    oldest = nights.appliance.jobs[0].start_time
    nights.truth = {due: truth for due, truth in nights.truth.items() if due >= oldest}
    assert moment(audited(nights)["judged_since"]) == oldest
