"""create --preflight and --together: no backup starts if a check fails."""

import pytest

from tests import wording
from tests.support.command_line import LOCATION, TO_APPLIANCE, CommandLine


def test_create_with_a_passing_preflight_makes_its_backup(backupctl: CommandLine) -> None:
    run = backupctl.create("--preflight", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (0, "SUCCEEDED")
    assert [path.rpartition("/")[2] for _, path, _ in backupctl.writes] == ["backup", "job"]


@pytest.mark.parametrize(
    ("fault", "words", "named"),
    [
        ("validate-fail", [], "appliance validation"),
        ("db-health=DEGRADED", [], "database health"),
        ("slow=1s", ["--part", "nope"], "parts"),
    ],
)
def test_create_with_a_failing_preflight_is_7_and_starts_nothing(fault: str, words: list[str], named: str) -> None:
    backupctl = CommandLine(faults=[fault])
    before = len(backupctl.appliance.jobs)
    run = backupctl.create("--preflight", *words, "-o", "json")
    assert (run.code, run.result["error"]["slug"], run.result["job"]) == (7, "backup-failed", None)
    assert named in run.result["error"]["message"]
    assert [detail for detail in run.result["error"]["details"] if detail.startswith(f"{named}: ")]
    assert not [path for _, path, _ in backupctl.writes if path.endswith("/job")]
    assert len(backupctl.appliance.jobs) == before


@pytest.mark.parametrize("flag", ["--preflight", "--together"])
@pytest.mark.parametrize(("if_running", "code"), [("fail", 9), ("wait", 0), ("attach", 9)])
def test_create_with_a_preflight_while_another_backup_runs_equals_one_without(
    flag: str, if_running: str, code: int
) -> None:
    """Compare both runs; attaching is 9, because the running backup has another location."""
    plain = CommandLine(faults=["busy=60s"]).create("--if-running", if_running, "-o", "json")
    checked = CommandLine(faults=["busy=60s"]).create("--if-running", if_running, flag, "-o", "json")
    assert plain.code == checked.code == code
    assert (checked.result["job"] or {}).get("state") == (plain.result["job"] or {}).get("state")
    assert "running job" in checked.err + str(checked.result["error"])


@pytest.mark.parametrize(
    ("if_running", "note"), [("wait", f" UTC); {wording.WAITING_FOR_IT}"), ("attach", " UTC); following it")]
)
def test_create_with_a_preflight_announces_how_it_treats_a_running_job(if_running: str, note: str) -> None:
    run = CommandLine(faults=["busy=60s"]).create("--preflight", "--if-running", if_running)
    assert "preflight: running job: backup job 2026" in run.err
    assert note in run.err


def test_create_with_a_failed_check_besides_a_running_job_is_7() -> None:
    run = CommandLine(faults=["busy=60s", "db-health=DEGRADED"]).create("--preflight", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (7, "backup-failed")
    assert "database health, running job" in run.result["error"]["message"]
    waiting = CommandLine(faults=["busy=60s", "db-health=DEGRADED"]).create("--preflight", "--if-running", "wait")
    assert waiting.code == 7


def test_validate_while_a_backup_runs_is_7() -> None:
    environ = TO_APPLIANCE | {"BACKUPCTL_IF_RUNNING": "wait"}
    assert CommandLine(faults=["busy=60s"], environ=environ)("validate", "--location", LOCATION).code == 7


# schedule run --together


@pytest.mark.parametrize(
    ("fault", "code", "named"),
    [("busy", 9, "running job"), ("db-health=DEGRADED", 7, "database health")],
)
def test_schedule_run_together_starts_nothing_if_a_check_fails(fault: str, code: int, named: str) -> None:
    backupctl = CommandLine(history=True, faults=[fault])
    before = len(backupctl.appliance.jobs)
    run = backupctl("schedule", "run", "--together", "-o", "json")
    assert (run.code, run.result["job"], backupctl.writes) == (code, None, [])
    assert named in str(run.result["error"])
    assert len(backupctl.appliance.jobs) == before


def test_schedule_run_together_reports_what_cannot_be_checked() -> None:
    run = CommandLine(history=True)("schedule", "run", "--together", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (0, "SUCCEEDED")
    assert f"preflight: {wording.LOCATION_NOT_CHECKED}" in run.err


@pytest.mark.parametrize(("if_running", "code"), [("wait", 0), ("attach", 9)])
def test_schedule_run_together_follows_if_running(if_running: str, code: int) -> None:
    backupctl = CommandLine(history=True, faults=["busy=60s"])
    assert backupctl("schedule", "run", "--together", "--if-running", if_running).code == code


def test_schedule_run_together_without_the_schedule_is_10() -> None:
    assert CommandLine()("schedule", "run", "--together").code == 10


def test_create_preflight_may_be_set_in_the_environment() -> None:
    backupctl = CommandLine(faults=["validate-fail"], environ=TO_APPLIANCE | {"BACKUPCTL_PREFLIGHT": "1"})
    assert backupctl.create().code == 7


@pytest.mark.parametrize(
    ("release", "location", "better"),
    [
        ("6.7", "sftp://backup.example.com/x", "SCP"),
        ("7.0", "scp://backup.example.com/x", "SFTP"),
        ("6.7", "nfs://backup.example.com/x", "SCP"),
    ],
)
def test_validate_warns_about_an_unsuitable_location_type_and_asks_the_appliance(
    release: str, location: str, better: str
) -> None:
    backupctl = CommandLine(release=release)
    run = backupctl("validate", "--location", location, "-o", "json")
    (check,) = [check for check in run.result["checks"] if check["name"] == "location type"]
    assert check["status"] == "WARNING"
    assert better in check["message"]
    assert "appliance validation" in {check["name"] for check in run.result["checks"]}


@pytest.mark.parametrize("release", ["6.5", "6.7", "7.0", "7.0U2", "8.0", "9.1"])
def test_validate_has_the_checks_of_each_release(release: str) -> None:
    run = CommandLine(release=release)("validate", "--location", "ftp://backup.example.com/x", "-o", "json")
    names = {check["name"] for check in run.result["checks"]}
    always = {"login and rights", "system health", "running job", "parts", "location type", "encryption"}
    since_67 = {"recovery"} if release != "6.5" else set()
    since_70 = {"database health"} if release >= "7" else set()
    assert (run.code, names) == (0, {*always, "appliance validation", *since_67, *since_70})


def test_validate_by_a_user_without_rights_is_4() -> None:
    run = CommandLine(faults=["forbidden"])("validate", "--location", LOCATION, "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (4, "forbidden")


def test_validate_that_is_unavailable_is_6() -> None:
    run = CommandLine(faults=["http-503@validate"])("validate", "--location", LOCATION)
    assert run.code == 6
    assert "503 SERVICE_UNAVAILABLE" in run.err
