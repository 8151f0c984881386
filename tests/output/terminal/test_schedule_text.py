"""Schedules as text: current values, changes and dry runs."""

from typing import Any

import pytest

from backupctl.errors import ApplianceAnswerError
from backupctl.results.result import Change, Envelope, PreparedRequest, Result
from backupctl.results.schedule_results import ScheduleResult, SchedulesResult
from tests import wording
from tests.output.samples import WHERE, Screen, Terminal, a_schedule

LOCATION = "sftp://backup.example.com/vcenter/vc01"
BLOCK = [
    "✓ vc01: schedule default is enabled",
    "  when           Sun, Wed at 02:30 (Etc/UTC)",
    "  next run       in 3 days · 2026-03-04 02:30 UTC",
    f"  location       {LOCATION}",
    "  location user  backup",
    "  parts          common, seat",
    "  keeps          7 backups",
    f"  encrypted      {wording.ENCRYPTION_UNKNOWN}",
    "  fast backup    no",
]
CHANGES = (
    Change(field="location", before="sftp://old.example.com/vc01", after=LOCATION),
    Change(field="location_password", before=None, after="***"),
    Change(field="enable", before=False, after=True),
    Change(field="parts", before=["common"], after=["common", "seat"]),
    Change(field="retention_info", before=None, after=7),
    Change(field="recurrence_info", before={"hour": 2}, after=[]),
)
DIFF = [
    f"location: sftp://old.example.com/vc01 -> {LOCATION}",
    f"location password: {wording.PASSWORD_UPDATED}",
    "enabled: no -> yes",
    "parts: common -> common, seat",
    "keeps: all backups -> 7 backups",
    'when: {"hour":2} -> (none)',
]
REQUEST = PreparedRequest(method="PATCH", url="https://vc01.example.com/api/x", body={"location_password": "***"})


def shown(result: Result, command: str = "schedule set", **options: Any) -> Screen:
    screen = Screen(**options)
    screen.view.finish(Envelope.of(command, [result]))
    return screen


def test_schedules_are_a_table() -> None:
    other = a_schedule(name="x", enable=False, hour=None, minute=None, days=(), parts=(), max_count=None, next_run=None)
    screen = shown(SchedulesResult(**WHERE, schedules=(a_schedule(), other)), "schedule list")
    assert screen.out.splitlines() == [
        "SCHEDULE  STATE     APPLIANCE TIME     NEXT RUN   KEEPS        PARTS         LOCATION",
        f"default   enabled   Sun, Wed at 02:30  in 3 days  7 backups    common, seat  {LOCATION}",
        f"x         disabled  at no set time     -          all backups  -             {LOCATION}",
    ]
    assert screen.err == ""


def test_schedules_at_80_columns_are_shown_with_their_next_run() -> None:
    environ = {"COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"}
    screen = shown(
        SchedulesResult(**WHERE, schedules=(a_schedule(),)), "schedule list", out=Terminal(), environ=environ
    )
    assert screen.out.splitlines()[1] == "default   enabled  Sun, Wed at 02:30  in 3 days"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"days": ()}, "  when           every day at 02:30 (Etc/UTC)\n"),
        ({"hour": 0, "minute": 0}, "  when           Sun, Wed at 00:00 (Etc/UTC)\n"),
        ({"time_zone": None}, f"  when           Sun, Wed at 02:30 {wording.IN_ITS_TIME}\n"),
        ({"time_zone": None, "next_run": None}, f"  next run       {wording.NO_TIME_ZONE}\n"),
        ({"next_run": None}, f"  next run       {wording.UNKNOWN_TIME_ZONE('Etc/UTC')}\n"),
        ({"encrypted": True}, "  encrypted      yes\n"),
        ({"encrypted": False}, "  encrypted      NOT ENCRYPTED\n"),
        ({"max_count": 1}, "  keeps          1 backup\n"),
        ({"fast_backup": True}, "  fast backup    yes\n"),
        ({"enable": None}, "! vc01: schedule default\n"),
    ],
)
def test_schedule_fact_texts(fields: dict[str, Any], text: str) -> None:
    assert text in shown(ScheduleResult(**WHERE, schedule=a_schedule(**fields)), "schedule show").out


def test_empty_schedule_list_is_a_line_on_standard_error() -> None:
    screen = shown(SchedulesResult(**WHERE))
    assert (screen.out, screen.err) == ("", f"{wording.NO_SCHEDULES('vc01')}\n")


def test_schedules_quiet_are_names() -> None:
    screen = shown(SchedulesResult(**WHERE, schedules=(a_schedule(), a_schedule(name="x"))), quiet=True)
    assert (screen.out, screen.err) == ("default\nx\n", "")


@pytest.mark.parametrize("quiet", [False, True])
def test_schedule_show_is_the_block_even_when_quiet(quiet: bool) -> None:
    screen = shown(ScheduleResult(**WHERE, schedule=a_schedule()), "schedule show", quiet=quiet)
    assert (screen.out.splitlines(), screen.err) == (BLOCK, "")


def test_schedule_set_shows_the_changes_below_the_block() -> None:
    screen = shown(ScheduleResult(**WHERE, schedule=a_schedule(), changes=CHANGES))
    assert screen.out.splitlines() == [*BLOCK, "  changed", *(f"    {text}" for text in DIFF)]
    assert screen.err == ""


def test_created_schedule_is_shown_without_changes() -> None:
    created = (Change(field="location", before=None, after=LOCATION), *CHANGES[1:])
    screen = shown(ScheduleResult(**WHERE, schedule=a_schedule(), changes=created))
    assert screen.out.splitlines() == ["✓ vc01: schedule default is created and enabled", *BLOCK[1:]]
    assert screen.err == ""


def test_schedule_change_wider_than_the_terminal_has_two_lines() -> None:
    environ = {"COLUMNS": "60", "TERM": "xterm", "NO_COLOR": "1"}
    result = ScheduleResult(**WHERE, schedule=a_schedule(), changes=CHANGES[:1])
    assert shown(result, out=Terminal(), environ=environ).out.splitlines()[-2:] == [
        "    location: sftp://old.example.com/vc01",
        f"      -> {LOCATION}",
    ]


def test_schedule_change_has_the_colours_of_a_diff() -> None:
    result = ScheduleResult(**WHERE, schedule=a_schedule(), changes=CHANGES[2:3])
    out = shown(result, out=Terminal(), color="always").out
    assert "enabled: \x1b[31mno\x1b[0m -> \x1b[32myes\x1b[0m\n" in out


def test_schedule_set_without_changes_reports_it_unless_quiet() -> None:
    result = ScheduleResult(**WHERE, schedule=a_schedule())
    screen = shown(result)
    assert screen.out.splitlines() == BLOCK
    assert screen.err == f"vc01: {wording.SCHEDULE_UNCHANGED}\n"
    screen = shown(result, quiet=True)
    assert (screen.out, screen.err) == ("", "")


def test_schedule_deletion_is_reported_unless_quiet() -> None:
    result = ScheduleResult(**WHERE, changes=(Change(field="schedule", before="default", after=None),))
    assert shown(result, "schedule delete").out == "✓ vc01: schedule default is deleted\n"
    screen = shown(result, "schedule delete", quiet=True)
    assert (screen.out, screen.err) == ("", "")


@pytest.mark.parametrize("quiet", [False, True])
def test_schedule_dry_run_shows_changes_requests_and_a_note(quiet: bool) -> None:
    result = ScheduleResult(**WHERE, schedule=a_schedule(), changes=CHANGES, requests=(REQUEST,))
    screen = shown(result, quiet=quiet)
    assert screen.err == f"{wording.DRY_RUN_OF_CHANGES} to vc01:\n"
    assert screen.out.splitlines() == [
        *(f"  {text}" for text in DIFF),
        "PATCH https://vc01.example.com/api/x",
        "{",
        '  "location_password": "***"',
        "}",
    ]


def test_failed_schedule_set_shows_no_change() -> None:
    error = ApplianceAnswerError("an odd answer")
    gone = Change(field="schedule", before="default", after=None)
    screen = shown(ScheduleResult(**WHERE, exit_code=6, error=error, changes=(gone,)))
    assert screen.out.splitlines() == ["  to be changed", "    schedule: default -> (none)"]
    assert screen.err == "error: an odd answer\n"
