"""Several appliances in one run: their selection, settings and one exit code."""

import os
import re
import signal
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests import wording
from tests.support.command_line import LOCATION, PASSWORD, TO_APPLIANCE, USER, CommandLine, Run, configured
from tests.support.intercept import unreachable

HOSTS = ("vc01.example.com", "vc02.example.com", "vc03.example.com")
CONFIGURATION = f"""
[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"
location = "{LOCATION}/{{server}}"

[servers.vc01]
host = "{HOSTS[0]}"

[servers.vc02]
host = "{HOSTS[1]}"
comment = "the second"

[servers.vc03]
host = "{HOSTS[2]}"
location = "nfs://nfs.example.com/three"

[groups]
production = ["vc02", "vc01"]
"""


def fleet(
    folder: Path, text: str = CONFIGURATION, *, each: Mapping[str, Mapping[str, Any]] = {}, **options: Any
) -> CommandLine:
    """Return a command line with three appliances and a configuration file; ``each`` holds options by name."""
    others = {host: each.get(host.partition(".")[0], {}) for host in HOSTS}
    return configured(folder, text, others=others, **options)


def jobs(backupctl: CommandLine) -> dict[str, int]:
    return {host.partition(".")[0]: len(appliance.jobs) for host, appliance in backupctl.others.items()}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["-g", "production"], ["vc02", "vc01"]),
        (["--all"], ["vc01", "vc02", "vc03"]),
        (["-s", "vc03", "-g", "production"], ["vc03", "vc02", "vc01"]),
        (["-s", "vc01", "-s", "VC01.example.com", "-s", "https://vc01.example.com:443", "-s", "vc01"], ["vc01"]),
        (["-s", "vc02.example.com", "--all"], ["vc02", "vc01", "vc03"]),
        (["-g", "production", "-g", "production"], ["vc02", "vc01"]),
    ],
)
def test_servers_groups_and_all_select_each_appliance_once(tmp_path: Path, words: list[str], named: list[str]) -> None:
    backupctl = fleet(tmp_path)
    run = backupctl("create", *words, "-o", "json")
    results = run.json["results"]
    assert (run.code, [result["server"] for result in results]) == (0, named)
    assert [result["host"] for result in results] == [f"{name}.example.com" for name in named]
    assert jobs(backupctl) == {name: int(name in named) for name in ("vc01", "vc02", "vc03")}


def test_options_that_select_appliances_override_the_variables(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    environ = backupctl.environ | {"BACKUPCTL_SERVER": "vc01", "BACKUPCTL_GROUP": "production", "BACKUPCTL_ALL": "yes"}
    run = backupctl("list", "-s", "vc03", "-o", "json", environ=environ)
    assert [result["server"] for result in run.json["results"]] == ["vc03"]
    run = backupctl("list", "-o", "json", environ=environ)
    assert [result["server"] for result in run.json["results"]] == ["vc01", "vc02", "vc03"]


def test_each_appliance_gets_its_own_settings(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    assert backupctl("create", "--all").code == 0
    targets = [appliance.jobs[0].spec for appliance in backupctl.others.values()]
    assert [target.location for target in targets] == [
        f"{LOCATION}/vc01",
        f"{LOCATION}/vc02",
        "nfs://nfs.example.com/three",
    ]
    assert [target.comment or "" for target in targets] == ["", "the second", ""]


@pytest.mark.parametrize(
    ("faults", "codes", "verdict"),
    [
        ({}, [0, 0, 0], 0),
        ({"vc02": {"faults": ["fail-at=40"]}}, [0, 7, 0], 7),
        ({"vc02": {"faults": ["forbidden"]}}, [0, 4, 0], 4),
        ({"vc01": {"faults": ["forbidden"]}, "vc03": {"faults": ["fail-at=40"]}}, [4, 0, 7], 7),
        ({"vc01": {"faults": ["stall-at=40"]}, "vc03": {"faults": ["busy"]}}, [8, 0, 9], 8),
        ({"vc01": {"faults": ["busy"]}, "vc02": {"faults": ["drop=99@create"]}, "vc03": {}}, [9, 5, 0], 9),
    ],
)
def test_exit_code_is_the_gravest_and_every_result_has_its_own(
    tmp_path: Path, faults: dict[str, dict[str, Any]], codes: list[int], verdict: int
) -> None:
    backupctl = fleet(tmp_path, each=faults)
    run = backupctl("create", "--all", "-o", "json", "--timeout", "10m")
    results = run.json["results"]
    assert [result["exit_code"] for result in results] == codes
    assert [result["error"] is None for result in results] == [code == 0 for code in codes]
    assert (run.code, run.json["exit_code"]) == (verdict, verdict)
    gravest = next((result for result in results if result["exit_code"] == verdict and verdict), None)
    assert run.json["error"] == (gravest and {"server": gravest["server"], **gravest["error"]})


def test_unreachable_appliance_is_its_own_result_and_delays_no_other(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, job_duration=60.0)
    backupctl.lines["vc02.example.com"].intercept = unreachable
    run = backupctl("create", "--all", "-o", "json")
    assert [result["exit_code"] for result in run.json["results"]] == [0, 5, 0]
    assert run.code == 5
    assert backupctl.clock.elapsed < 75


def test_invalid_setting_of_one_is_its_result_and_the_others_are_backed_up(tmp_path: Path) -> None:
    text = CONFIGURATION.replace('comment = "the second"', 'password-file = "none.pass"')
    backupctl = fleet(tmp_path, text)
    run = backupctl("create", "--all", "-o", "json")
    assert [result["exit_code"] for result in run.json["results"]] == [0, 3, 0]
    assert "servers.vc02.password-file" in run.json["results"][1]["error"]["message"]
    assert jobs(backupctl) == {"vc01": 1, "vc02": 0, "vc03": 1}


def test_invalid_setting_of_all_is_reported_once_and_nothing_is_sent(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    environ = {"BACKUPCTL_CONFIG": backupctl.environ["BACKUPCTL_CONFIG"]}
    run = backupctl("create", "--all", "-o", "json", environ=environ)
    assert (run.code, run.json["results"]) == (3, [])
    assert wording.VARIABLE_NOT_SET("VC_PASSWORD") in run.json["error"]["message"]
    assert all(line.urls == [] for line in backupctl.lines.values())


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["list", "-g", "staging"], 3, wording.NO_SUCH_GROUP("staging")),
        (["status", "20260301-020000-1", "--all"], 2, wording.ONE_APPLIANCE_ONLY("-1", 3)),
        (
            ["watch", "20260301-020000-1", "-g", "production"],
            2,
            wording.ONE_APPLIANCE_ONLY("-1", 2),
        ),
        (["cancel", "20260301-020000-1", "--all"], 2, wording.ONE_APPLIANCE_ONLY("-1", 3)),
        (["restore", "create", "--all", "--yes"], 2, wording.RESTORE_OF_SEVERAL(3)),
        (["list", "--simulate", "-g", "production"], 2, wording.EXCLUDE_EACH_OTHER("--simulate", "--group")),
    ],
)
def test_options_for_one_appliance_are_rejected_for_several(
    tmp_path: Path, words: list[str], code: int, named: str
) -> None:
    run = fleet(tmp_path)(*words)
    assert run.code == code
    assert named in run.err


def test_missing_server_option_lists_the_configured_servers(tmp_path: Path) -> None:
    run = fleet(tmp_path)("list")
    assert run.code == 2
    assert wording.MISSING_OPTION("--server") in run.err
    assert "--group or --all" in run.err
    assert "vc01, vc02, vc03" in run.err


def test_all_without_a_configuration_has_a_hint_to_create_one() -> None:
    run = CommandLine(environ={})("list", "--all")
    assert run.code == 3
    assert wording.NO_SERVERS_CONFIGURED in run.err
    assert "config init" in run.err


def test_file_without_servers_or_groups_has_hints_with_the_tables_to_add(tmp_path: Path) -> None:
    backupctl = configured(tmp_path, "[defaults]\n")
    assert "hint: add a table [servers.NAME]" in backupctl("list", "--all").err
    assert "hint: add a table [groups]" in backupctl("list", "-g", "production").err


def test_missing_user_or_location_has_a_hint_with_all_its_places() -> None:
    connected = CommandLine()
    for option, words, environ in (("location", ["create"], TO_APPLIANCE), ("username", ["list"], NO_USER)):
        run = connected(*words, environ=environ)
        assert run.code == 2
        variable = f"BACKUPCTL_{option.upper()}"
        places = (f"give --{option} ", f"set {variable}, ", f"or set {option} in the configuration file")
        assert all(place in run.err for place in places)


NO_USER = {name: value for name, value in TO_APPLIANCE.items() if name != "BACKUPCTL_USERNAME"}


def test_one_prompt_is_used_for_all_that_share_a_secret(tmp_path: Path) -> None:
    text = CONFIGURATION.replace('password-env = "VC_PASSWORD"\n', 'location-user = "backup"\n')
    backupctl = fleet(tmp_path, text)
    run = backupctl("create", "-g", "production", answers=[PASSWORD, "l0cation", ""])
    assert run.code == 0
    assert backupctl.prompter.questions == [
        f"Password for {USER}",
        wording.ASK_LOCATION_PASSWORD("backup", "backup.example.com"),
        wording.CHECKING_LOCATION("vc02"),
        wording.KEEP_THE_BACKUP_PASSWORD,
        wording.ASK_BACKUP_PASSWORD,
    ]
    assert jobs(backupctl) == {"vc01": 1, "vc02": 1, "vc03": 0}


def test_lines_off_a_terminal_name_their_appliance(tmp_path: Path) -> None:
    run = fleet(tmp_path, each={"vc01": {"faults": ["fail-at=40"]}})("create", "-g", "production")
    lines = [line for line in run.err.splitlines() if "backup started" in line]
    assert [name for line in lines for name in ("vc01", "vc02") if f" {name}: " in line] == ["vc02", "vc01"]
    rows = [line.split()[:3] for line in run.out.splitlines() if not line.startswith(" ")]
    assert rows == [["✓", "vc02:", "backup"], ["✗", "vc01:", "backup"]]
    assert "BackupManager encountered an exception" in run.out
    assert run.err.splitlines()[-1] == "1 done, 1 failed"


def test_quiet_run_of_several_prints_only_failures(tmp_path: Path) -> None:
    assert fleet(tmp_path)("create", "--all", "-q") == Run(0, "", "")
    run = fleet(tmp_path, each={"vc01": {"faults": ["fail-at=40"]}})("create", "--all", "-q")
    assert (run.code, run.out) == (7, "")
    assert "vc02" not in run.err
    assert run.err.splitlines()[-1] == "2 done, 1 failed"


def test_quiet_no_wait_run_of_several_prints_server_and_job(tmp_path: Path) -> None:
    run = fleet(tmp_path)("create", "-g", "production", "--no-wait", "-q")
    assert (run.code, run.err) == (0, "")
    assert [line.split()[0] for line in run.out.splitlines()] == ["vc02", "vc01"]


def test_watch_command_of_a_configured_appliance_is_short(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, job_duration=7200.0)
    run = backupctl("create", "-s", "vc01", "--timeout", "1m")
    assert run.code == 8
    assert "-s vc01 --config " in run.err
    assert " -u " not in run.err


def test_dry_run_of_a_group_shows_each_request(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    run = backupctl("create", "-g", "production", "--dry-run", "-o", "json")
    bodies = [result["requests"][0]["body"] for result in run.json["results"]]
    assert [body["location"] for body in bodies] == [f"{LOCATION}/vc02", f"{LOCATION}/vc01"]
    assert jobs(backupctl) == {"vc01": 0, "vc02": 0, "vc03": 0}
    shown = backupctl("create", "-g", "production", "--dry-run")
    assert shown.err.splitlines()[0] == f"{wording.DRY_RUN_OF_EITHER}{wording.EITHER}:"
    assert shown.err.count(wording.DRY_RUN_OF_EITHER) == 1
    assert [line for line in shown.out.splitlines() if line.endswith(":")] == ["vc02:", "vc01:"]


def test_verbose_lines_name_their_appliance(tmp_path: Path) -> None:
    run = fleet(tmp_path)("list", "--all", "-vv")
    traced = [line for line in run.err.splitlines() if re.search(r"(> |< |GET |POST |DELETE )", line)]
    assert len(traced) > 100
    assert {line.split()[1] for line in traced} == {"vc01:", "vc02:", "vc03:"}
    assert "debug: GET" in fleet(tmp_path)("list", "-s", "vc01", "-v").err


def test_validate_of_several_shows_a_line_for_each_and_the_problems(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, each={"vc02": {"faults": ["validate-fail"]}})
    run = backupctl("validate", "--all")
    assert (run.code, [line[:13] for line in run.out.splitlines()]) == (
        7,
        [
            "! vc01: 8 pas",
            "✗ vc02: 7 pas",
            "  ✗ appliance",
            "! vc03: 8 pas",
            "! 3 appliance",
            "  ! encryptio",
        ],
    )
    quiet = backupctl("validate", "--all", "-q")
    told = [line[:7] for line in quiet.err.splitlines()]
    assert (quiet.out, told) == ("", ["✗ vc02:", "  ✗ app", "! 3 app", "  ! enc", "2 done,"])


@pytest.mark.parametrize("words", [[], ["-q"]])
def test_insecure_run_of_several_warns_once(tmp_path: Path, words: list[str]) -> None:
    run = fleet(tmp_path)("list", "--all", "--insecure", *words)
    warned = f"warning: {wording.INSECURE}"
    instead = f"hint: {wording.PIN_INSTEAD_OF_INSECURE}"
    assert [line for line in run.err.splitlines() if "insecure" in line] == [warned, instead]
    assert run.err.count("hint: ") == 1


# Order of starts


def started_after(backupctl: CommandLine) -> list[float]:
    """Return the start of each backup, in seconds since the start of the run."""
    begin = backupctl.clock.monotonic() - backupctl.clock.elapsed
    return [round(job.started - begin) for each in backupctl.others.values() for job in each.jobs]


@pytest.mark.parametrize(("parallel", "waves"), [("1", [0, 1, 2]), ("2", [0, 0, 1]), ("0", [0, 0, 0])])
def test_parallel_limits_the_backups_that_run_at_once(tmp_path: Path, parallel: str, waves: list[int]) -> None:
    backupctl = fleet(tmp_path, job_duration=100.0)
    assert backupctl("create", "--all", "--parallel", parallel).code == 0
    assert [start // 100 for start in started_after(backupctl)] == waves


def test_time_in_a_location_is_the_start_of_each_backup(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, job_duration=100.0)
    assert backupctl("create", "--all", "--parallel", "1", "--location", f"{LOCATION}/{{time}}").code == 0
    locations = [job.spec.location for each in backupctl.others.values() for job in each.jobs]
    assert [location[:-2] for location in locations] == [f"{LOCATION}/02-0{minute}-" for minute in (0, 1, 3)]


def test_time_in_a_location_is_after_the_wait_for_a_running_backup(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, job_duration=100.0)
    assert backupctl("create", "-s", "vc01", "--no-wait").code == 0
    words = ("--if-running", "wait", "--location", f"{LOCATION}/{{time}}", "--preflight")
    assert backupctl("create", "-s", "vc01", *words).code == 0
    locations = [job.spec.location for each in backupctl.others.values() for job in each.jobs]
    assert [location[:-2] for location in locations[1:]] == [f"{LOCATION}/02-01-"]


def test_parallel_may_be_set_in_the_file_and_does_not_limit_watch(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, CONFIGURATION.replace("[defaults]", "[defaults]\nparallel = 1"), job_duration=100.0)
    assert backupctl("create", "--all").code == 0
    assert [start // 100 for start in started_after(backupctl)] == [0, 1, 2]
    assert backupctl("create", "--all", "--no-wait").code == 0
    began = backupctl.clock.elapsed
    assert backupctl("watch", "--all").code == 0
    assert backupctl.clock.elapsed - began < 110


@pytest.mark.parametrize("fault", ["validate-fail", "forbidden", "busy"])
def test_together_starts_nothing_if_one_preflight_fails(tmp_path: Path, fault: str) -> None:
    backupctl = fleet(tmp_path, each={"vc03": {"faults": [fault]}}, job_duration=100.0)
    run = backupctl("create", "--all", "--together", "-o", "json")
    first, second, culprit = run.json["results"]
    assert [each["error"]["slug"] for each in (first, second)] == ["not-together"] * 2
    assert first["exit_code"] == second["exit_code"] == culprit["exit_code"] == run.code != 0
    assert "vc03" in first["error"]["message"]
    assert jobs(backupctl) | {"vc03": 0} == {"vc01": 0, "vc02": 0, "vc03": 0}
    assert all(line.writes == [] or "validate" in str(line.urls) for line in backupctl.lines.values())


def test_together_starts_nothing_if_one_has_invalid_settings(tmp_path: Path) -> None:
    text = CONFIGURATION.replace('comment = "the second"', 'password-file = "none.pass"')
    backupctl = fleet(tmp_path, text)
    run = backupctl("create", "--all", "--together", "-o", "json")
    assert [each["error"]["slug"] for each in run.json["results"]] == ["not-together", "config", "not-together"]
    assert (run.code, jobs(backupctl)) == (3, {"vc01": 0, "vc02": 0, "vc03": 0})


def test_together_starts_all_at_once_and_lifts_the_limit(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, job_duration=100.0)
    run = backupctl("create", "--all", "--together", "--parallel", "1")
    assert (run.code, run.err.splitlines()[-1]) == (0, f"3 done ({wording.STARTED_WITHIN('1s')})")
    assert len(set(started_after(backupctl))) == 1


def test_together_tells_how_far_apart_the_backups_started(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, each={"vc02": {"faults": ["busy=400s"]}}, job_duration=100.0)
    words = ("create", "--all", "--if-running", "wait", "-q", "-o", "json")
    run = backupctl(*words, "--together")
    starts = sorted(each["job"]["start_time"] for each in run.json["results"])
    apart = (datetime.fromisoformat(starts[-1]) - datetime.fromisoformat(starts[0])).total_seconds()
    assert (run.code, run.json["skew_seconds"], apart > 300) == (0, int(apart), True)
    assert wording.STARTED_TOO_FAR_APART("6m", "5m") in run.err
    assert "skew_seconds" not in backupctl(*words).json


def test_fail_fast_starts_nothing_after_a_failure_but_follows_running_backups(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, each={"vc01": {"faults": ["fail-at=10"]}}, job_duration=100.0)
    run = backupctl("create", "--all", "--parallel", "2", "--fail-fast", "-o", "json")
    slugs = [each["error"] and each["error"]["slug"] for each in run.json["results"]]
    assert slugs == ["backup-failed", None, "not-tried"]
    assert (run.code, jobs(backupctl)) == (7, {"vc01": 1, "vc02": 1, "vc03": 0})


def test_without_fail_fast_a_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, each={"vc01": {"faults": ["fail-at=10"]}}, job_duration=100.0)
    assert backupctl("create", "--all", "--parallel", "1").code == 7
    assert jobs(backupctl) == {"vc01": 1, "vc02": 1, "vc03": 1}


@pytest.mark.parametrize("command", ["create", "list", "status"])
def test_wrong_password_is_tried_on_one_appliance_only(tmp_path: Path, command: str) -> None:
    backupctl = fleet(tmp_path)
    run = backupctl(command, "--all", "-o", "json", environ=backupctl.environ | {"VC_PASSWORD": "wrong"})
    assert [each["exit_code"] for each in run.json["results"]] == [4, 4, 4]
    assert sum(appliance.failed_logins for appliance in backupctl.others.values()) == 1
    message = wording.LOGIN_SKIPPED("vc01")
    assert [each["error"]["message"] for each in run.json["results"][1:]] == [f"vc02: {message}", f"vc03: {message}"]


def test_wrong_password_of_one_user_does_not_affect_another_user(tmp_path: Path) -> None:
    text = CONFIGURATION.replace('comment = "the second"', 'password-env = "OTHER"')
    backupctl = fleet(tmp_path, text)
    run = backupctl("list", "--all", "-o", "json", environ=backupctl.environ | {"OTHER": "wrong"})
    assert [each["exit_code"] for each in run.json["results"]] == [0, 4, 0]


def test_each_appliance_of_several_has_an_ended_event_even_without_requests(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, CONFIGURATION.replace('comment = "the second"', 'password-env = "NO_SUCH"'))
    run = backupctl("create", "--all", "-o", "jsonl")
    ended = [(each["server"], each["exit_code"]) for each in run.events if each["event"] == "ended"]
    assert sorted(ended) == [(each["server"], each["exit_code"]) for each in run.events[-1]["results"]]
    assert dict(ended)["vc02"] != 0


def test_interruption_of_several_says_once_what_is_running_and_how_to_follow_it(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, job_duration=600.0)
    backupctl.clock.at(100, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = backupctl("create", "--all")
    assert (run.code, run.out) == (130, "")
    detached, follow, verdict = run.err.splitlines()[-3:]
    assert (detached, verdict) == (wording.DETACHED_SEVERAL("3 backups", "vc01, vc02, vc03"), "3 detached")
    command = follow.removeprefix(wording.TO_FOLLOW_THEM).split()
    assert command[:4] == ["backupctl", "watch", "latest", "--all"]
    assert [result["job"]["state"] for result in backupctl(*command[1:], "-o", "json").json["results"]] == [
        "SUCCEEDED"
    ] * 3


def test_default_parts_are_shown_once_and_are_an_event_of_each(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    assert backupctl("create", "--all").err.count(wording.DEFAULT_PARTS) == 1
    assert backupctl("create", "--all", "-v").err.count(wording.DEFAULT_PARTS) == 3
    events = backupctl("create", "--all", "-o", "jsonl").events
    assert len([each for each in events if each["event"] == "parts-selected"]) == 3


def test_summary_counts_only_ended_backups_as_done(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, each={"vc01": {"faults": ["forbidden"]}}, job_duration=100.0)
    assert backupctl("create", "--all", "--no-wait").err.splitlines()[-1] == "2 started, 1 refused"


def test_appliance_given_with_both_of_its_ports_is_backed_up_once(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    run = backupctl("create", "-s", "vc01", "-s", "vc01.example.com:5480", "--if-running", "wait", "-o", "json")
    assert (run.code, len(run.json["results"])) == (0, 1)
    assert jobs(backupctl) == {"vc01": 1, "vc02": 0, "vc03": 0}


def test_quiet_list_of_several_names_the_appliance_of_each_job(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    backupctl("create", "-g", "production")
    lines = backupctl("list", "-g", "production", "-q").out.splitlines()
    assert [line.split()[0] for line in lines] == ["vc02", "vc01"]


def test_schedule_keeps_its_location_when_the_file_has_another(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, history=True)
    before = backupctl("schedule", "show", "-s", "vc01", "-o", "json").json["results"][0]["schedule"]["location"]
    run = backupctl("schedule", "set", "-s", "vc01", "--at", "04:15", "-o", "json")
    assert run.json["results"][0]["schedule"]["location"] == before != f"{LOCATION}/vc01"
    assert "location" not in {change["field"] for change in run.json["results"][0]["changes"]}


def test_fail_fast_skips_an_appliance_that_waits_for_another_backup(tmp_path: Path) -> None:
    faults = {"vc01": {"faults": ["fail-at=10"]}, "vc02": {"faults": ["busy=300s"]}}
    backupctl = fleet(tmp_path, each=faults, job_duration=100.0)
    run = backupctl("create", "-s", "vc01", "-s", "vc02", "--if-running", "wait", "--fail-fast", "-o", "json")
    assert [each["error"]["slug"] for each in run.json["results"]] == ["backup-failed", "not-tried"]
