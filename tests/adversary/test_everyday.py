"""Everyday cases: correct result, fast, and in plain words."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from tests.adversary.faults import Fault
from tests.adversary.oracle import violations
from tests.adversary.play import run_scenario
from tests.adversary.scenario import ELSEWHERE, LOCATION, LOCATION_USER, OtherJob, Scenario, undisturbed
from tests.adversary.service import Habits

pytestmark = pytest.mark.real

AFTER_SUMMER: Final = datetime(2026, 10, 25, 1, 0, 10, tzinfo=UTC)
"""Ten seconds after Berlin sets its clocks back: a job of 02:50 is older than one of 02:00."""


@dataclass(frozen=True)
class Row:
    """A scenario and its expected result: code, slug, most virtual seconds, and words that must not appear."""

    scenario: Scenario
    code: int
    slug: str
    seconds: float
    unsaid: str = "safe to try again"


def _lost(label: str = "create", **options: Any) -> Fault:
    return Fault(label, "cut answer", at=0.0, **options)


def _html(label: str, status: int, **options: Any) -> Fault:
    return Fault(label, "status", status=status, body="html", **options)


_BAD_LOCATION: Final = Fault("create", "status", status=500, body="vapi", error="ERROR", works="no")
_THEIRS: Final = OtherJob(type="SCHEDULED", location=LOCATION, location_user=LOCATION_USER, seconds=15.0)
_SLOW_PROXY: Final = Fault("create", "late status", status=504, body="html", seconds=60.0)
_SUMMER: Final[dict[str, Any]] = {"start": AFTER_SUMMER, "id_zone": "Europe/Berlin"}
_SET_BACK: Final[dict[str, Any]] = {"jump_at": 0.0, "jump": -3600.0, "old": (600.0,)}
_65: Final = Habits(release="6.5")
_FOLDER: Final = Habits(location="folder")

TABLE: Final[dict[str, Row]] = {
    "a backup": Row(undisturbed("create"), 0, "", 130),
    "a backup with --no-wait": Row(undisturbed("create --no-wait"), 0, "", 1),
    "a backup that fails": Row(undisturbed("create", outcome="FAILED"), 7, "backup-failed", 130),
    "a backup on 6.5": Row(undisturbed("create", habits=_65), 0, "", 130),
    "a backup without old ones": Row(undisturbed("create", old=()), 0, "", 130),
    "a backup without a Date": Row(undisturbed("create", habits=Habits(date=False)), 0, "", 130),
    "a backup whose appliance has its clock set back": Row(undisturbed("create", **_SET_BACK), 0, "", 130),
    "a backup after the end of summer": Row(undisturbed("create", **_SUMMER), 0, "", 130),
    "a run of the schedule": Row(undisturbed("schedule run"), 0, "", 130),
    "a running backup, attached to": Row(undisturbed("create --if-running attach"), 0, "", 130),
    "a running backup, attached to by its folder": Row(
        undisturbed("create --if-running attach", habits=_FOLDER), 0, "", 130
    ),
    "a bad location": Row(undisturbed("create", _BAD_LOCATION), 6, "api", 2),
    "a bad location on 6.5": Row(undisturbed("create", _BAD_LOCATION, habits=_65), 6, "api", 2),
    "a closed port": Row(undisturbed("create", refused=True), 5, "connection", 1),
    "a page of the proxy for the login": Row(undisturbed("create", _html("login", 200, times=99)), 6, "api", 35),
    "a page of the proxy for the request": Row(
        undisturbed("create", _html("create", 200, works="no")), 6, "not-started", 65, unsaid="outcome-unknown"
    ),
    "a page of the proxy while the appliance works": Row(undisturbed("create", _html("create", 200)), 0, "", 130),
    "a 504 of the proxy while the appliance works": Row(undisturbed("create", _SLOW_PROXY), 0, "", 130),
    "the same, details by the folder": Row(undisturbed("create", _SLOW_PROXY, habits=_FOLDER), 0, "", 130),
    "the same, without a Date": Row(undisturbed("create", _SLOW_PROXY, habits=Habits(date=False)), 0, "", 130),
    "the same on 6.5": Row(undisturbed("create", _SLOW_PROXY, habits=_65), 5, "outcome-unknown", 125),
    "a lost answer": Row(undisturbed("create", _lost()), 0, "", 130),
    "a lost answer, clock set back": Row(undisturbed("create", _lost(), **_SET_BACK), 5, "outcome-unknown", 65),
    "a lost answer after the end of summer": Row(undisturbed("create", _lost(), **_SUMMER), 5, "outcome-unknown", 65),
    "a lost request": Row(undisturbed("create", _lost(works="no")), 5, "not-started", 65, unsaid="outcome-unknown"),
    "somebody's scheduled job before ours": Row(
        undisturbed("create", others=(OtherJob(before=True, seconds=300.0),)), 9, "busy", 2
    ),
    "somebody's scheduled job in the same minute": Row(
        undisturbed("create", _lost(works="no"), others=(_THEIRS,)), 5, "not-started", 65, unsaid="outcome-unknown"
    ),
    "somebody's scheduled job, still running": Row(
        undisturbed("create", _lost(works="no"), others=(OtherJob(location=ELSEWHERE, seconds=900.0),)),
        5,
        "outcome-unknown",
        95,
    ),
    "an expired session": Row(undisturbed("create", habits=Habits(session_seconds=10.0)), 0, "", 130),
    "a new schedule": Row(undisturbed("schedule set (new)"), 0, "", 1),
    "a changed schedule": Row(undisturbed("schedule set"), 0, "", 1),
    "a disabled schedule": Row(undisturbed("schedule disable"), 0, "", 1),
    "a deleted schedule": Row(undisturbed("schedule delete"), 0, "", 1),
    "a restore": Row(undisturbed("restore create"), 0, "", 130),
    "a restore whose answer is lost": Row(undisturbed("restore create", _lost("restore")), 5, "outcome-unknown", 1),
    "a cancelled job": Row(undisturbed("cancel"), 0, "", 10),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_everyday_case_has_the_expected_result_in_time(row: Row) -> None:
    record = run_scenario(row.scenario)
    assert violations(record) == []
    assert (record.code, record.slug) == (row.code, row.slug), record.out
    assert record.seconds <= row.seconds
    assert row.unsaid not in record.out + record.err


def test_bad_location_is_reported_in_the_words_of_the_appliance() -> None:
    record = run_scenario(TABLE["a bad location"].scenario)
    assert "It says error." in record.error["message"]
    assert record.error["attach"] is None
