"""A bug in the output affects only that output; the work and the other appliances continue."""

import io
from collections.abc import Mapping
from typing import Final

import pytest

from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine

NAMES: Final = ("vc01", "vc02", "vc03")
EVENTS: Final = ("connected", "started", "progress", "ended")
FLEET: Final[Mapping[str, str]] = {
    "BACKUPCTL_USERNAME": "administrator@vsphere.local",
    "BACKUPCTL_PASSWORD": "VMware1!",
    "BACKUPCTL_LOCATION": "ftp://backup.example.com/{server}",
}


class Broken(io.StringIO):
    """Standard output that raises at an event of one appliance, as a bug would."""

    def __init__(self, event: str) -> None:
        super().__init__()
        self._event = event

    def write(self, text: str) -> int:
        if f'"event":"{self._event}"' in text and '"server":"vc02"' in text:
            raise ZeroDivisionError("a bug")
        return super().write(text)


def fleet() -> CommandLine:
    return CommandLine(clock=FakeClock(), environ=FLEET, others={name: {} for name in NAMES})


@pytest.mark.parametrize("event", EVENTS)
def test_bug_in_the_output_of_an_event_affects_only_that_event(event: str) -> None:
    backupctl = fleet()
    backupctl.make_stdout = lambda: Broken(event)
    run = backupctl("create", *(f"-s{name}" for name in NAMES), "-o", "jsonl")
    result = run.events[-1]
    assert (run.code, result["exit_code"]) == (0, 0)
    assert [each["job"]["state"] for each in result["results"]] == ["SUCCEEDED"] * 3
    assert [each.open_sessions for each in backupctl.others.values()] == [0] * 3
    seen = {each["server"] for each in run.events if each["event"] == event}
    assert seen == {"vc01", "vc03"}
    assert wording.EVENT_CANNOT_BE_SHOWN("vc02", "ZeroDivisionError") in run.err
