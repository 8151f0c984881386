"""The command schedule audit."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import wording
from tests.monitoring.simulated_nights import SimulatedNights, appliance_off, failed, failed_and_run_by_hand, late_start
from tests.support.clock import FakeClock
from tests.support.command_line import NFS, CommandLine
from tests.support.intercept import ReplacedAnswer

SPEC = {"parts": [], "location": NFS, "enable": True, "recurrence_info": {"hour": 2, "minute": 30}}
AUDIT = ("schedule", "audit")


def test_audit_finds_the_gaps_and_what_was_made_up_for() -> None:
    nights = SimulatedNights()
    for trouble in (None, appliance_off, None, failed, failed, failed_and_run_by_hand, None):
        nights.nights(1, trouble)
    audit = nights.backupctl(*AUDIT, "-o", "json")
    result = audit.result
    assert (audit.code, result["error"]["slug"], result["schedule"]["time_zone"]) == (7, "audit-gap", "Europe/Berlin")
    assert [run["verdict"] for run in result["runs"]] == ["made", "missed", "made", *["failed"] * 3, "made"]
    assert [gap["due"] for gap in result["gaps"]] == [f"2026-01-{day:02}T02:30:00+01:00" for day in (7, 9, 10)]
    assert result["runs"][5]["made_up_by"] == nights.appliance.jobs[-2].job_id
    assert {verdict: count for verdict, count in result["counts"].items() if count} == {
        "made": 3,
        "missed": 1,
        "failed": 3,
    }
    text = nights.backupctl(*AUDIT)
    assert text.out.splitlines() == [
        "✗ vc01.example.com: 3 gaps in 7 scheduled runs since 2026-01-06 02:30 CET",
        "  schedule   default, every day at 02:30 (Europe/Berlin)",
        "  runs       3 made, 1 missed, 3 failed",
        "  missed     2026-01-07 02:30 CET",
        "  failed     2026-01-09 02:30 CET to 2026-01-10 02:30 CET (2 runs)",
        f"  made up    2026-01-11 02:30 CET (failed) by {nights.appliance.jobs[-2].job_id}",
        f"  note       {wording.NO_OLDER_RUN('2026-01-06 02:30 CET')}",
    ]
    quiet = nights.backupctl(*AUDIT, "-q")
    assert (quiet.code, quiet.out, quiet.err.startswith(text.out)) == (7, "", True)


def test_audit_of_a_period_without_gaps_is_0() -> None:
    nights = SimulatedNights()
    nights.nights(1, appliance_off)
    nights.nights(4)
    audit = nights.backupctl(*AUDIT, "--since", "2d", "-o", "json")
    assert (audit.code, audit.result["counts"]["made"], audit.result["notes"]) == (0, 2, [])
    assert nights.backupctl(*AUDIT, "--since", "2d", "-q").out == ""


def test_audit_without_a_schedule_is_0_and_says_so(backupctl: CommandLine) -> None:
    audit = backupctl(*AUDIT)
    assert (audit.code, audit.out) == (0, "")
    assert wording.NO_SCHEDULES(backupctl.appliance.host) in audit.err
    assert backupctl(*AUDIT, "-o", "json").result["schedule"] is None


def test_audit_before_67_is_6_as_no_schedules_exist() -> None:
    audit = CommandLine(release="6.5", history=True)(*AUDIT, "-o", "json")
    assert (audit.code, audit.result["error"]["slug"]) == (6, "not-supported")


def test_schedule_that_never_ran_is_7_when_three_runs_were_due() -> None:
    nights = SimulatedNights()
    assert nights.backupctl(*AUDIT, "-o", "json").code == 0
    nights.run("create", "--location", NFS, "--no-wait")
    nights.nights(3, appliance_off)
    audit = nights.backupctl(*AUDIT, "-o", "json")
    assert (audit.code, [run["due"] for run in audit.result["gaps"]]) == (7, ["2026-01-08T02:30:00+01:00"])
    assert audit.result["notes"] == [wording.NEVER_RAN]


def test_disabled_schedule_has_no_tick_and_is_named_for_each_of_several_appliances() -> None:
    nights = SimulatedNights()
    nights.nights(3)
    nights.run("schedule", "disable")
    text = nights.backupctl(*AUDIT)
    assert text.out.startswith("! vc01.example.com: no gap in 3 scheduled runs since 2026-01-06 02:30 CET\n")
    assert "every day at 02:30 (Europe/Berlin), disabled" in text.out


def test_late_runs_are_listed() -> None:
    nights = SimulatedNights()
    for trouble in (None, late_start, None, late_start, late_start):
        nights.nights(1, trouble)
    ids = [job.job_id for job in nights.appliance.jobs]
    audit = nights.backupctl(*AUDIT)
    assert audit.code == 0
    assert audit.out.splitlines()[3:5] == [
        f"  late       2026-01-07 02:30 CET (3h 17m late, backup {ids[1]})",
        "  late       2026-01-09 02:30 CET to 2026-01-10 02:30 CET (2 runs, up to 3h 17m late)",
    ]


def test_each_of_several_appliances_is_audited() -> None:
    clock = FakeClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    backupctl = CommandLine(clock=clock, history=True, others={"vc02.example.com": {"history": False}})
    servers = ["-s", "vc01.example.com", "-s", "vc02.example.com"]
    audit = backupctl(*AUDIT, *servers, "-o", "json")
    assert [len(result["runs"]) for result in audit.json["results"]] == [5, 0]
    backupctl.appliance.jobs[-2].fail_at = 10
    audit = backupctl(*AUDIT, *servers)
    assert audit.code == 7
    assert audit.out.startswith("✗ vc01.example.com: 1 gap in 5 scheduled runs")
    assert "every day" not in audit.out


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/recovery/backup/schedules", {"default": SPEC, "weekly": SPEC}),
        ("/recovery/backup/schedules", {"default": "odd"}),
        ("/recovery/backup/schedules", {"default": SPEC, "weekly": "odd"}),
        ("/recovery/backup/schedules", {"default": {**SPEC, "recurrence_info": None}}),
        ("/recovery/backup/job/details", {"20260226-020000-20519528": "odd"}),
        ("/system/time/timezone", "Middle/Earth"),
        ("/system/time/timezone", {}),
    ],
)
def test_what_cannot_be_judged_is_6(path: str, answer: object) -> None:
    backupctl = CommandLine(history=True, intercept=ReplacedAnswer("GET", path, answer))
    audit = backupctl(*AUDIT, "-o", "json")
    assert (audit.code, audit.result["error"]["slug"], audit.result["runs"]) == (6, "api", [])
    assert ("tzdata" in audit.result["error"]["message"]) is (answer == "Middle/Earth")


@pytest.mark.parametrize("since", ["ever", "", "-1d", "2027-01-01"])
def test_invalid_period_is_2(backupctl: CommandLine, since: str) -> None:
    assert backupctl(*AUDIT, "--since", since).code == 2


def test_backup_that_only_the_journal_knows_makes_up_for_a_run(tmp_path: Path) -> None:
    nights = SimulatedNights()
    nights.nights(2)
    nights.nights(1, appliance_off)
    nights.backupctl.environ |= {"BACKUPCTL_JOURNAL": "1", "BACKUPCTL_STATE_DIR": str(tmp_path)}
    nights.run("create", "--location", NFS)
    made_up_by = nights.appliance.jobs.pop().job_id
    nights.nights(1)
    audit = nights.backupctl(*AUDIT, "-o", "json")
    assert (audit.code, audit.result["runs"][2]["made_up_by"]) == (0, made_up_by)
