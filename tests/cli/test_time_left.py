"""The time left of a followed backup: from its history, never in the way of following."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine
from tests.support.intercept import Send


def test_create_estimates_the_end_from_earlier_backups() -> None:
    backupctl = CommandLine(history=True, job_duration=1200)
    run = backupctl.create("-o", "jsonl")
    expected = [event["job"]["expected_end"] for event in run.events if event["event"] == "progress"]
    estimates = [datetime.fromisoformat(each) for each in expected if each]
    ended = datetime.fromisoformat(run.events[-1]["results"][0]["job"]["end_time"])
    assert len(estimates) > 10
    assert max(abs((each - ended).total_seconds()) for each in estimates) < 0.15 * 1200


@pytest.mark.parametrize("options", [{}, {"history": True}, {"release": "6.5"}], ids=str)
def test_following_costs_no_more_requests_than_promised(options: dict[str, Any]) -> None:
    backupctl = CommandLine(job_duration=1200, **options)
    assert backupctl("create", "--location", "ftp://backup.example.com/vcenter").code == 0
    following = [url for url in backupctl.line.urls if "/recovery/backup/job/" in url]
    assert len(following) <= 12 + backupctl.clock.elapsed / 10


def test_history_that_does_not_come_delays_the_end_by_a_few_seconds_at_most(clock: FakeClock) -> None:
    def never(request: httpx.Request, send: Send) -> httpx.Response:
        if request.url.path.endswith("/job/details") and not request.url.query:
            clock.sleep(3600)
        return send(request)

    backupctl = CommandLine(clock=clock, job_duration=60, intercept=never)
    assert backupctl.create().code == 0
    assert clock.elapsed <= 75
