"""``metrics``: what Prometheus is told about each appliance, the file that it is written to, and the alert rules."""

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from backupctl import __version__
from backupctl.monitoring.metrics import METRICS
from backupctl.simulator.backup_runs import BackupSpec
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, USER, CommandLine, configured
from tests.support.documents import rows, section, text_of
from tests.support.intercept import ReplacedAnswer, amend_jobs
from tests.support.prometheus_text import Series, series

HOUR = 3600
TYPES = ("MANUAL", "SCHEDULED")
NEVER = {
    **dict.fromkeys([f"last_success_timestamp_seconds{{type={each}}}" for each in TYPES], 0),
    **dict.fromkeys([f"last_end_timestamp_seconds{{type={each}}}" for each in TYPES], 0),
    **{f"jobs{{state={state}}}": 0 for state in ("INPROGRESS", "SUCCEEDED", "FAILED", "unreadable")},
    "running{}": 0,
    "scrape_success{}": 1,
}
"""The metrics of an appliance without a backup or a schedule, except for the versions."""


def exported(backupctl: CommandLine) -> Series:
    """Return the exported series of the only appliance, without its versions."""
    run = backupctl("metrics", "export")
    assert (run.code, run.err) == (0, "")
    found = series(run.out)[HOST]
    return {name: value for name, value in found.items() if not name.startswith("info{")}


def start(appliance: SimulatedAppliance, *, fail_at: int | None = None) -> None:
    appliance.start_backup(BackupSpec("SFTP", LOCATION), user=USER).fail_at = fail_at


def test_appliance_without_backups_has_zeros_for_never(backupctl: CommandLine) -> None:
    assert exported(backupctl) == NEVER


def test_history_becomes_metrics_of_each_type(clock: FakeClock) -> None:
    found = exported(CommandLine(clock=clock, history=True, job_duration=600))
    now = clock.now().timestamp()
    scheduled, manual = now - 2 * HOUR + 618, now - 44.5 * HOUR + 636
    assert found == {
        "last_success_timestamp_seconds{type=MANUAL}": manual,
        "last_success_timestamp_seconds{type=SCHEDULED}": scheduled,
        "last_end_timestamp_seconds{type=MANUAL}": manual,
        "last_end_timestamp_seconds{type=SCHEDULED}": scheduled,
        "last_result{type=MANUAL}": 1,
        "last_result{type=SCHEDULED}": 1,
        "last_duration_seconds{type=MANUAL}": 636,
        "last_duration_seconds{type=SCHEDULED}": 618,
        "last_size_bytes{type=MANUAL}": 2134900736,
        "last_size_bytes{type=SCHEDULED}": 2134900736,
        "running{}": 0,
        "jobs{state=INPROGRESS}": 0,
        "jobs{state=SUCCEEDED}": 6,
        "jobs{state=FAILED}": 1,
        "jobs{state=unreadable}": 0,
        "schedule_enabled{schedule=default}": 1,
        "next_run_timestamp_seconds{schedule=default}": now + 22 * HOUR,
        "scrape_success{}": 1,
    }


def test_release_without_details_has_no_series_of_what_is_unknown(clock: FakeClock) -> None:
    found = exported(CommandLine(clock=clock, history=True, release="6.5"))
    assert found["last_result{}"] == found["scrape_success{}"] == 1
    assert found["last_success_timestamp_seconds{}"] == found["last_end_timestamp_seconds{}"] > 0
    unknown = ("last_size_bytes", "schedule_enabled", "next_run_timestamp_seconds")
    assert not any("type" in name or name.startswith(unknown) for name in found)


REQUESTS = {
    "6.5": f"other login version last-poll list {'last-poll ' * 7}other logout",
    "6.7": "other login version last-poll read-schedule health logout",
    "7.0u2": "login version last-poll read-schedule health logout",
    "9.1": "login version last-poll read-schedule health logout",
}


@pytest.mark.parametrize(("release", "api"), [("6.5", "rest"), ("6.7", "rest"), ("7.0u2", "api"), ("9.1", "api")])
def test_each_release_exports_its_versions_in_few_requests(clock: FakeClock, release: str, api: str) -> None:
    backupctl = CommandLine(clock=clock, history=True, release=release)
    run = backupctl("metrics", "export")
    number = backupctl.appliance.release.version
    assert f'backupctl_info{{server="{HOST}",version="{__version__}",api="{api}",release="{number}"}} 1' in run.out
    assert backupctl.writes == []
    requests = [each.phase or "other" for each in backupctl.appliance.requests]
    assert requests == REQUESTS[release].split()


def test_failed_and_running_backups_are_told_apart(clock: FakeClock) -> None:
    backupctl = CommandLine(clock=clock, job_duration=600)
    start(backupctl.appliance, fail_at=50)
    running = exported(backupctl)
    assert running == NEVER | {"running{}": 1, "jobs{state=INPROGRESS}": 1}
    clock.sleep(HOUR)
    failed = exported(backupctl)
    assert failed["last_end_timestamp_seconds{type=MANUAL}"] > 0
    ended = {"last_end_timestamp_seconds{type=MANUAL}", "last_result{type=MANUAL}"}
    assert {name: value for name, value in failed.items() if name not in ended} == {
        name: value for name, value in (NEVER | {"jobs{state=FAILED}": 1}).items() if name not in ended
    }
    assert failed["last_result{type=MANUAL}"] == 0


def test_disabled_schedule_never_runs(clock: FakeClock) -> None:
    backupctl = CommandLine(clock=clock, history=True)
    backupctl("schedule", "disable")
    found = exported(backupctl)
    assert found["schedule_enabled{schedule=default}"] == found["next_run_timestamp_seconds{schedule=default}"] == 0


def test_schedules_that_cannot_be_read_have_no_series(clock: FakeClock) -> None:
    forbidden = ReplacedAnswer("GET", "/backup/schedules", {}, status=403)
    run = CommandLine(clock=clock, history=True, intercept=forbidden)("metrics", "export")
    (found,) = series(run.out).values()
    assert (run.code, found["scrape_success{}"], found["jobs{state=SUCCEEDED}"]) == (0, 1, 6)
    assert not any("schedule" in name for name in found)
    assert wording.NO_METRICS_OF_SCHEDULES in run.err


def test_backups_that_do_not_count_are_only_among_the_jobs() -> None:
    local = amend_jobs(details={"type": "LOCAL_BACKUP"})
    found = exported(CommandLine(history=True, release="9.0", intercept=local))
    assert found["jobs{state=SUCCEEDED}"] == 6
    assert {name: value for name, value in found.items() if name.startswith("last")} == {
        name: value for name, value in NEVER.items() if name.startswith("last")
    }


def test_backup_without_an_end_counts_from_its_start(clock: FakeClock) -> None:
    endless = amend_jobs(details={"end_time": None})
    found = exported(CommandLine(clock=clock, history=True, intercept=endless))
    assert found["last_success_timestamp_seconds{type=SCHEDULED}"] == clock.now().timestamp() - 2 * HOUR


CONFIGURATION = f"""
[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"
[servers.vc01]
host = "{HOST}"
[servers.vc02]
host = "vc02.example.com"
read-only = true
"""


def fleet(folder: Path, **second: Any) -> CommandLine:
    return configured(folder, CONFIGURATION, others={HOST: {}, "vc02.example.com": second}, history=True)


@pytest.mark.parametrize(
    ("fault", "code"), [("drop=999", 5), ("forbidden", 4), ("html-503=999", 6), ("account-locked", 4)]
)
def test_appliance_that_fails_costs_only_its_own_series(tmp_path: Path, fault: str, code: int) -> None:
    (tmp_path / "well").mkdir()
    well = series(fleet(tmp_path / "well")("metrics", "export", "--all").out)
    path = tmp_path / "backupctl.prom"
    run = fleet(tmp_path, faults=[fault])("metrics", "export", "--all", "-q", "--to", str(path))
    assert (run.code, run.out) == (code, "")
    assert "vc02" in run.err
    assert series(path.read_text()) == {"vc01": well["vc01"], "vc02": {"scrape_success{}": 0}}


@pytest.mark.parametrize("servers", [["vc02"], ["vc01", "vc02"]])
def test_missing_secret_costs_only_the_series_of_its_appliance(tmp_path: Path, servers: list[str]) -> None:
    path = tmp_path / "backupctl.prom"
    backupctl = configured(
        tmp_path,
        CONFIGURATION + 'password-file = "/nowhere/password"\n',
        others={HOST: {}, "vc02.example.com": {}},
        history=True,
    )
    run = backupctl("metrics", "export", *(word for name in servers for word in ("-s", name)), "--to", str(path))
    assert (run.code, "/nowhere/password" in run.err) == (3, True)
    expected = {"vc01": 1, "vc02": 0}
    assert {name: values["scrape_success{}"] for name, values in series(path.read_text()).items()} == {
        name: expected[name] for name in servers
    }


def test_appliance_that_does_not_answer_delays_the_others_by_five_minutes(tmp_path: Path) -> None:
    path = tmp_path / "backupctl.prom"
    backupctl = fleet(tmp_path, faults=["slow=9000s@login"])
    run = backupctl("metrics", "export", "--all", "--to", str(path))
    found = series(path.read_text())
    assert (run.code, found["vc01"]["scrape_success{}"], found["vc02"]["scrape_success{}"]) == (5, 1, 0)
    assert backupctl.clock.elapsed <= 5 * 60


def test_json_has_the_history_of_each_appliance_in_one_envelope(tmp_path: Path) -> None:
    path = tmp_path / "backupctl.prom"
    run = fleet(tmp_path, faults=["forbidden"])("metrics", "export", "--all", "-o", "json", "--to", str(path))
    good, bad = run.json["results"]
    assert (run.code, run.json["command"], run.json["exit_code"]) == (4, "metrics export", 4)
    assert (bad["history"], bad["error"]["slug"]) == (None, "forbidden")
    failed = [job for job in good["history"]["jobs"] if job["state"] == "FAILED"]
    assert series(path.read_text())["vc01"]["jobs{state=FAILED}"] == len(failed) == 1


@pytest.fixture
def _private_umask() -> Any:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_private_umask")
@pytest.mark.parametrize("old", [None, 0o600])
def test_file_is_readable_by_every_user_and_the_only_one(
    backupctl: CommandLine, tmp_path: Path, old: int | None
) -> None:
    path = tmp_path / "backupctl.prom"
    if old is not None:
        path.write_text("old")
        path.chmod(old)
    run = backupctl("metrics", "export", "--to", str(path))
    assert (run.code, run.out, run.err) == (0, "", "")
    assert path.read_text() == backupctl("metrics", "export").out
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--to {}/backupctl.txt", 2, wording.NOT_A_PROM_FILE),
        ("--to {}/none/backupctl.prom", 11, "cannot write"),
        ("--to {}/backupctl.prom --config /dev/null/config.toml", 3, ""),
        ("--to {}/backupctl.prom --parallel many", 2, ""),
        ("--to {}/backupctl.prom --password-file x --password-command y", 2, "cannot both be given"),
        ("--to {}/folder.prom", 11, "folder.prom"),
    ],
)
def test_file_that_cannot_be_written_leaves_the_old_one(
    backupctl: CommandLine, tmp_path: Path, words: str, code: int, said: str
) -> None:
    old = tmp_path / "backupctl.prom"
    old.write_text("old")
    (tmp_path / "folder.prom").mkdir()
    run = backupctl("metrics", "export", *words.format(tmp_path).split())
    assert (run.code, old.read_text()) == (code, "old")
    assert said in run.err
    assert code == 11 or backupctl.line.urls == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backupctl.prom", "folder.prom"]


def test_interrupted_export_leaves_the_old_file(clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / "backupctl.prom"
    path.write_text("old")
    clock.at(5, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = CommandLine(clock=clock, faults=["slow=20s@login"])("metrics", "export", "--to", str(path))
    assert (run.code, path.read_text()) == (130, "old")


def test_rules_need_neither_appliance_nor_configuration_and_use_only_metrics_that_exist() -> None:
    run = CommandLine()("metrics", "rules", environ={"BACKUPCTL_CONFIG": "/dev/null/config.toml"})
    assert (run.code, run.err) == (0, "")
    expressions = re.sub(r"#.*|summary:.*|description:.*|alert:.*|name:.*", "", run.out)
    unused = {f"backupctl_{name}" for name in ("info", "jobs", "last_duration_seconds")}
    assert set(re.findall(r"backupctl_\w+", expressions)) == set(METRICS) - unused


def cells(heading: str) -> list[list[str]]:
    return [[cell.strip() for cell in row] for row in rows(section(text_of("prometheus"), heading))]


def test_topic_lists_each_metric_with_its_meaning_and_each_label(clock: FakeClock) -> None:
    assert {f"backupctl_{name.strip('`')}": text for name, text in cells("The metrics")} == METRICS
    out = CommandLine(clock=clock, history=True)("metrics", "export").out
    assert {f"`{label}`" for label in re.findall(r'(\w+)="', out)} <= set(
        re.findall(r"`\w+`", section(text_of("prometheus"), "The metrics"))
    )


def test_topic_lists_each_alert_with_its_severity(backupctl: CommandLine) -> None:
    rules = backupctl("metrics", "rules").out
    alerts = list(zip(re.findall(r"alert: (\w+)", rules), re.findall(r"severity: (\w+)", rules), strict=True))
    assert [(name.strip("`"), severity) for name, severity, _ in cells("The alerts")] == alerts
