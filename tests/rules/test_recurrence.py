"""When a schedule runs next."""

from datetime import UTC, datetime

import pytest

from backupctl.rules.recurrence import next_run, time_zone

SUNDAY = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "minute", "days", "expected"),
    [
        (2, 31, (), "2026-03-01T02:31:00+00:00"),
        (2, 30, (), "2026-03-02T02:30:00+00:00"),
        (2, 29, ("SUNDAY",), "2026-03-08T02:29:00+00:00"),
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
