"""A wrong system clock does not crash the program."""

from datetime import UTC, datetime, tzinfo

import pytest

from backupctl.clock import SystemClock
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine


class DatetimeAfter9999(datetime):
    """A datetime whose ``now`` fails as Python's does after the year 9999."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "DatetimeAfter9999":  # noqa: ARG003
        raise ValueError("year 10000 is out of range")


@pytest.mark.parametrize(
    "words", [("create", "--location", "ftp://h/{date}"), ("list", "--since", "30d"), ("schedule", "list")]
)
def test_wall_clock_after_the_year_9999_is_read_as_the_latest_time(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backupctl.clock.datetime", DatetimeAfter9999)
    latest = SystemClock().now()
    assert latest.astimezone(UTC).year == 9999
    assert CommandLine(clock=FakeClock(latest))(*words).code == 0
