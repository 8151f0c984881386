from datetime import UTC, datetime, timedelta

import pytest

from backupctl.monitoring.skew import skew_seconds
from backupctl.results.job import Job

START = datetime(2026, 3, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts", "skew"),
    [([], None), ([5], None), ([5, None], None), ([5, 5], 0), ([5, 1, None, 9], 8), ([0, 86_400 * 2], 172_800)],
)
def test_skew_is_the_time_between_the_first_and_the_last_start(starts: list[int | None], skew: int | None) -> None:
    times = [None if seconds is None else START + timedelta(seconds=seconds) for seconds in starts]
    jobs = [Job(id=str(number), state="SUCCEEDED", start_time=time) for number, time in enumerate(times)]
    assert skew_seconds([None, *jobs]) == skew
