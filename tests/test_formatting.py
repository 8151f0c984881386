from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backupctl.formatting import (
    duration,
    duration_option,
    percent,
    plural,
    relative,
    seconds_between,
    size,
    size_of_megabytes,
    time_left,
    timestamp,
)
from backupctl.rules.duration import parse_duration

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (812_345_678, "812 MB"),
        (999_600_000, "1.0 GB"),
        (1_234_000_000, "1.2 GB"),
        (99_960_000_000, "100 GB"),
        (1_500_000_000_000, "1.5 TB"),
        (5_000_000_000_000_000, "5000 TB"),
    ],
)
def test_size_bytes_are_rounded_to_a_decimal_unit(count: int, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 MB"), (1, "1 MB"), (12_345, "12.3 GB")])
def test_size_of_megabytes_keeps_the_unit_of_zero(count: int, words: str) -> None:
    assert size_of_megabytes(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *[(-5, "0s"), (0, "0s"), (9.9, "9s"), (60, "1m"), (730, "12m")],
        *[(3599, "59m"), (3730, "1h 02m"), (90_061, "1d 01h")],
    ],
)
def test_duration_has_one_unit_below_an_hour_and_two_from_then_on(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(9, "9s"), (60, "1m 00s"), (730, "12m 10s"), (3730, "1h 02m")])
def test_exact_duration_keeps_the_seconds_below_an_hour(seconds: float, words: str) -> None:
    assert duration(seconds, exact=True) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *[(0, "0s"), (0.5, "0.5s"), (59.25, "59.25s"), (90, "1m30s"), (5400, "1h30m"), (86400, "1d"), (-3, "0s")],
        *[(90061, "1d1h1m1s"), (3600.1, "1h0.1s"), (0.000001, "0.000001s"), (59.9999999, "1m")],
    ],
)
def test_duration_as_written_has_the_units_of_options(seconds: float, text: str) -> None:
    assert duration_option(seconds) == text


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**11))
def test_duration_as_written_is_read_back(milliseconds: int) -> None:
    assert parse_duration(duration_option(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("seconds", "usual", "words"),
    [
        (0, 1260, ""),
        (-5, None, ""),
        (60, None, "less than 1m left"),
        (61, None, "about 2m left"),
        (840, 1260, "about 14m left (usually 21m)"),
        (4200, 7300, "about 1h 10m left (usually 2h 01m)"),
    ],
)
def test_time_left_is_rounded_up_to_minutes(seconds: float, usual: float | None, words: str) -> None:
    assert time_left(seconds, usual) == words


def test_percent_has_a_space_before_the_sign() -> None:
    assert percent(40) == "40 %"


def test_time_is_shown_with_the_zone_of_that_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert timestamp(datetime(2026, 3, 1, 2, 0, 10, 5, tzinfo=UTC), berlin) == "2026-03-01 03:00 CET"
    assert timestamp(datetime(2026, 7, 1, 2, 0, 10, tzinfo=UTC), berlin, seconds=True) == "2026-07-01 04:00:10 CEST"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *[(0, "just now"), (59, "just now"), (60, "1 min ago"), (7199, "119 min ago"), (7200, "2 h ago")],
        *[(172_799, "47 h ago"), (172_800, "2 days ago"), (-300, "in 5 min"), (-3 * 86_400, "in 3 days")],
    ],
)
def test_relative_time_is_said_in_the_largest_unit_of_which_there_are_two(seconds: int, words: str) -> None:
    assert relative(NOW - timedelta(seconds=seconds), NOW) == words


def test_relative_time_of_never_is_empty() -> None:
    assert relative(datetime.min.replace(tzinfo=UTC), NOW) == ""


@pytest.mark.parametrize("time", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_time_out_of_range_is_shown_unchanged(time: datetime) -> None:
    for zone in (timezone(timedelta(hours=-5)), timezone(timedelta(hours=5))):
        assert timestamp(time, zone)


def test_seconds_between_needs_both_times_in_order() -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    assert seconds_between(start, end) == 86400
    assert seconds_between(end, start) is None
    assert seconds_between(None, end) is None
    assert seconds_between(start, end.replace(tzinfo=None)) is None


@pytest.mark.parametrize(("number", "text"), [(0, "0 checks"), (1, "1 check"), (2, "2 checks")])
def test_count_is_singular_or_plural(number: int, text: str) -> None:
    assert plural(number, "check") == text
