"""The clock of a machine that is set wrong is no fault of the program."""

from datetime import UTC, datetime, tzinfo

import pytest

from backupctl.clock import SystemClock
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine


class Beyond(datetime):
    """What Python knows of a time that its calendar does not have."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Beyond":  # noqa: ARG003
        raise ValueError("year 10000 is out of range")


@pytest.mark.parametrize(
    "words", [("create", "--location", "ftp://h/{date}"), ("list", "--since", "30d"), ("schedule", "list")]
)
def test_wall_clock_beyond_the_year_9999_is_no_bug(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backupctl.clock.datetime", Beyond)
    latest = SystemClock().now()
    assert latest.astimezone(UTC).year == 9999
    assert CommandLine(clock=FakeClock(latest))(*words).code == 0
