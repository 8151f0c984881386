"""When a schedule runs."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from backupctl.rules.days import WEEK
from backupctl.rules.recurrence import next_run, occurrences, time_zone

SUNDAY = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "minute", "days", "expected"),
    [
        (2, 31, (), "2026-03-01T02:31:00+00:00"),
        (2, 30, (), "2026-03-02T02:30:00+00:00"),
        (2, 29, ("SUNDAY",), "2026-03-08T02:29:00+00:00"),
        (2, 30, ("SUNDAY",), "2026-03-08T02:30:00+00:00"),
        (0, 0, ("TUESDAY", "MONDAY"), "2026-03-02T00:00:00+00:00"),
        (24, 0, (), None),
        (0, -1, (), None),
        (0, 0, ("SOMEDAY",), None),
    ],
)
def test_next_run_is_the_first_after_a_time(
    hour: int, minute: int, days: tuple[str, ...], expected: str | None
) -> None:
    found = next_run(hour, minute, days, SUNDAY, UTC)
    assert (found and found.isoformat()) == expected


def test_next_run_has_the_offset_of_its_own_day() -> None:
    berlin = time_zone("Europe/Berlin")
    assert berlin is not None
    before_summer = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert str(next_run(12, 0, (), before_summer, berlin)) == "2026-03-29 12:00:00+02:00"


@pytest.mark.parametrize("name", ["", "Middle/Earth", "Europe", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_unknown_time_zone_is_none(name: str) -> None:
    assert time_zone(name) is None


BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (datetime(2026, 3, 29, tzinfo=UTC), [1.5, 0.5, 1.5]),  # 02:30 does not exist
        (datetime(2026, 10, 25, tzinfo=UTC), [0.5, 0.5, 1.5]),  # it exists twice
        (datetime(2026, 7, 1, tzinfo=UTC), [0.5, 0.5, 0.5]),
    ],
)
def test_time_on_the_day_of_a_clock_change_is_right_for_an_hour(day: datetime, hours: list[float]) -> None:
    (found,) = occurrences(time(2, 30), (), day, day + timedelta(hours=20), BERLIN)
    assert list(found) == [day + timedelta(hours=hour) for hour in hours]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "name",
    [
        *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland", "Etc/UTC"),
        *("America/Havana", "America/Santiago", "Asia/Beirut", "Africa/Casablanca", "Pacific/Chatham"),
    ],
)
@pytest.mark.parametrize("year", [2026, 2033])
def test_occurrences_are_the_minutes_that_show_the_time(name: str, year: int) -> None:
    zone = ZoneInfo(name)
    begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    shown: dict[time, dict[date, list[datetime]]] = {}
    skipped: dict[date, tuple[datetime, datetime, datetime]] = {}
    before = begin.astimezone(zone).replace(tzinfo=None)
    for moment in minutes(begin, end):
        local = moment.astimezone(zone).replace(tzinfo=None)
        shown.setdefault(local.time(), {}).setdefault(local.date(), []).append(moment)
        if local - before > MINUTE:
            skipped[local.date()] = moment, before, local
        before = local
    for at in (time(0, 0), time(0, 30), time(1, 59), time(2, 30), time(3, 0), time(12, 15), time(23, 59)):
        found = {
            each.due.astimezone(zone).date(): each
            for each in occurrences(at, (), begin, end, zone)
            if each.earliest >= begin and each.latest < end
        }
        walked = shown[at]
        assert found.keys() >= walked.keys()
        for day, each in found.items():
            if day in walked:
                assert each == (walked[day][0], walked[day][0], walked[day][-1])
            else:
                change, last, first = skipped[day]
                assert last < datetime.combine(day, at) < first
                assert each.earliest < change <= each.latest == each.due < change + (first - last)


def minutes(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += MINUTE


def test_occurrences_are_on_the_given_days_and_within_the_period() -> None:
    begin = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
    found = [each.due for each in occurrences(time(2, 30), ("MONDAY", "FRIDAY"), begin, begin + timedelta(days=7), UTC)]
    assert found == [begin, begin + timedelta(days=4)]
    assert [WEEK[due.weekday()] for due in found] == ["MONDAY", "FRIDAY"]
