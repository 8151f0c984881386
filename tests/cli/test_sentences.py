"""Error messages that no other module covers."""

import pytest

from tests import wording
from tests.support.command_line import LOCATION, CommandLine
from tests.support.intercept import ReplacedAnswer

WEEK = "MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["schedule", "set", "--location", LOCATION, "--at", "02:30", "--day", "x"],
            2,
            wording.INVALID_DAY("x", WEEK),
        ),
        (
            ["schedule", "set", "--location", LOCATION, "--at", "02:30", "--day", "SUNDAY", "--day", "every"],
            2,
            wording.EVERY_WITH_OTHER_DAYS,
        ),
        (["simulator", "serve", "--fault", "flood"], 2, wording.UNKNOWN_SIMULATOR_FAULT("flood")),
    ],
)
def test_invalid_value_is_reported(words: list[str], code: int, message: str) -> None:
    run = CommandLine()(*words)
    assert run.code == code
    assert message in run.err


def test_response_about_another_job_names_both() -> None:
    other = {"id": "20260301-000000-2", "state": "SUCCEEDED", "messages": []}
    line = CommandLine(intercept=ReplacedAnswer("GET", "/backup/job/2026", other))
    run = line("status", "20260301-000000-1")
    assert run.code == 6
    reason = wording.ANOTHER_JOB_ANSWERED("20260301-000000-1", "20260301-000000-2")
    assert f"wrong response to the request to read the backup job: {reason}" in run.err
