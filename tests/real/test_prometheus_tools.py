"""Prometheus's own tools judge the metrics and the alert rules, and a real node exporter reads the file."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from tests.support.backup_nights import HOURS, MINUTE, NIGHTLY, Days, Night, nights
from tests.support.command_line import CommandLine
from tests.support.processes import Program, Programs, Simulators, require_program
from tests.support.prometheus_text import parsed

pytestmark = pytest.mark.real


def rules(folder: Path) -> Path:
    path = folder / "backupctl.yml"
    path.write_text(CommandLine()("metrics", "rules").out)
    return path


def promtool(programs: Programs, *words: str, stdin: Path | None = None) -> str:
    """Run promtool, which must succeed, and return what it prints."""
    path = require_program("promtool")
    with (stdin or Path("/dev/null")).open("rb") as file:
        run = programs.start([path, *words], programs.environ({}), stdin=file).wait(60)
    assert run.code == 0, run.out + run.err
    return run.out + run.err


@pytest.mark.parametrize("release", ["6.5", "6.7", "9.1"])
def test_promtool_accepts_the_metrics(programs: Programs, tmp_path: Path, release: str) -> None:
    path = tmp_path / "backupctl.prom"
    assert CommandLine(release=release, history=True)("metrics", "export", "--to", str(path)).code == 0
    assert promtool(programs, "check", "metrics", stdin=path) == ""


def test_promtool_accepts_the_rules(programs: Programs, tmp_path: Path) -> None:
    assert "SUCCESS: 10 rules found" in promtool(programs, "check", "rules", str(rules(tmp_path)))


class Scenario(NamedTuple):
    """What exporters tell, and the alerts that fire at some hours."""

    days: Sequence[Days]
    alerts: Mapping[float, set[str]]


DAY = 24
NIGHT = 3 * DAY + 2
"""The night in which something happens."""
QUIET: Mapping[float, set[str]] = {hour: set() for hour in range(1, HOURS)}
WELL = Days()
FAILED = Night(NIGHT, succeeds=False)
MOVED = {"SCHEDULED": [Night(hour) for hour in (2, 26, 50, NIGHT + 20, NIGHT + 44)]}

SCENARIOS: Mapping[str, Scenario] = {
    "all is well": Scenario([WELL], QUIET),
    "all is well, started by cron": Scenario([Days(nights(type_="MANUAL"), schedule={})], QUIET),
    "all is well, 6.5": Scenario([Days(nights(type_=""), schedule={})], QUIET),
    "never": Scenario([Days({"MANUAL": []}, schedule={})], {23: set(), 25: {"NeverBackedUp"}, 60: {"NeverBackedUp"}}),
    "missed": Scenario(
        [Days(nights(NIGHT))], {NIGHT + 1: set(), NIGHT + 3: {"Missed"}, NIGHT + 20: {"Missed"}, NIGHT + 28: set()}
    ),
    "missed for days": Scenario([Days(nights(NIGHT, NIGHT + DAY))], {NIGHT + 32: {"Missed", "Stale"}}),
    "missed, made by hand": Scenario([Days(nights(NIGHT, Night(NIGHT + 1)))], {NIGHT + 3: {"Missed"}}),
    "failed": Scenario([Days(nights(FAILED))], {NIGHT: set(), NIGHT + 3: {"Failed"}, NIGHT + 25: set()}),
    "failed, 6.5": Scenario([Days(nights(FAILED, type_=""), schedule={})], {NIGHT + 3: {"Failed"}}),
    "failed, repeated by hand": Scenario([Days(nights(FAILED, Night(NIGHT + 1)))], {NIGHT + 3: set()}),
    "small": Scenario([Days(nights(Night(NIGHT, size=900_000_000)))], {NIGHT + 3: {"SizeChanged"}}),
    "large": Scenario([Days(nights(Night(NIGHT, size=3_100_000_000)))], {NIGHT + 3: {"SizeChanged"}}),
    "somewhat larger": Scenario([Days(nights(Night(NIGHT, size=2_900_000_000)))], QUIET),
    "long": Scenario([Days(nights(Night(NIGHT, hours=20)))], {NIGHT + 5: set(), NIGHT + 7: {"RunningTooLong"}}),
    "rather long": Scenario([Days(nights(Night(NIGHT, hours=5.5)))], QUIET),
    "disabled": Scenario(
        [Days(schedule={0: NIGHTLY, NIGHT: ()})], {NIGHT + 23: set(), NIGHT + 25: {"ScheduleDisabled"}}
    ),
    "moved to the evening": Scenario([Days(MOVED, {0: NIGHTLY, NIGHT - 1: (NIGHT + 20, NIGHT + 44)})], QUIET),
    "every third day": Scenario([Days({"SCHEDULED": [Night(2)]}, {0: (2, 3 * DAY + 2)})], {51: set(), 60: {"Stale"}}),
    "unreadable": Scenario(
        [Days(unreadable=NIGHT)],
        {NIGHT + 0.5: set(), NIGHT + 2: {"ScrapeFailed"}, NIGHT + 30: {"ScrapeFailed", "Stale"}},
    ),
    "never readable": Scenario(
        [Days(unreadable=0)], {0.5: set(), 2: {"ScrapeFailed"}, 30: {"NeverBackedUp", "ScrapeFailed"}}
    ),
    "no longer written": Scenario([Days(frozen=NIGHT - 1)], {NIGHT + 0.5: set(), NIGHT + 2: {"ExportStale"}}),
    "no file": Scenario([Days(gone=NIGHT)], {NIGHT + 0.5: set(), NIGHT + 2: {"ExportMissing"}}),
    "never a file": Scenario([], {0.5: set(), 2: {"ExportMissing"}}),
    "one appliance less": Scenario(
        [WELL, Days(server="vc02", gone=NIGHT)],
        {NIGHT + 0.5: set(), NIGHT + 2: {"ExportMissing"}, NIGHT + 45: {"ExportMissing"}},
    ),
    "two hosts export": Scenario([WELL, Days(instance="host2:9100")], QUIET),
    "one of two hosts cannot read": Scenario([WELL, Days(instance="host2:9100", unreadable=30)], QUIET),
    "one of two hosts stops during a backup": Scenario(
        [WELL, Days(instance="host2:9100", frozen=26.2)], {NIGHT + 3: {"ExportStale"}}
    ),
    "one of two hosts stops before a failure": Scenario(
        [Days(nights(FAILED)), Days(instance="host2:9100", frozen=30)], {NIGHT + 3: {"ExportStale", "Failed"}}
    ),
}

SAID: Mapping[str, tuple[float, dict[str, str], str, str]] = {
    "missed": (
        NIGHT + 3,
        {"alertname": "BackupctlMissed", "severity": "warning", "server": "vc01", "schedule": "default"},
        "vc01: the schedule default made no backup",
        "It was due at 1970-01-04 02:00:00 +0000 UTC. Find out why: backupctl list -s vc01",
    ),
    "failed": (
        NIGHT + 3,
        {"alertname": "BackupctlFailed", "severity": "warning", "server": "vc01", "type": "SCHEDULED"},
        "vc01: the last backup failed (SCHEDULED)",
        "Find out why: backupctl status latest -s vc01",
    ),
    "failed, 6.5": (
        NIGHT + 3,
        {"alertname": "BackupctlFailed", "severity": "warning", "server": "vc01"},
        "vc01: the last backup failed",
        "Find out why: backupctl status latest -s vc01",
    ),
    "every third day": (
        60,
        {"alertname": "BackupctlStale", "severity": "critical", "server": "vc01"},
        "vc01: the newest successful backup is 2d 9h 30m 0s old",
        "Back it up: backupctl create -s vc01",
    ),
}
"""What an alert of a scenario says: its hour, labels, summary and description."""


def test_each_alert_fires_when_it_must_and_none_when_all_is_well(programs: Programs, tmp_path: Path) -> None:
    path = rules(tmp_path)
    alerts = {each for scenario in SCENARIOS.values() for names in scenario.alerts.values() for each in names}
    assert sorted(f"Backupctl{name}" for name in alerts) == sorted(re.findall(r"alert: (\w+)", path.read_text()))
    tests = [unit_test(name, scenario) for name, scenario in SCENARIOS.items()]
    document = {"rule_files": [path.name], "evaluation_interval": "30m", "tests": tests}
    (tmp_path / "tests.yml").write_text(json.dumps(document))
    assert "SUCCESS" in promtool(programs, "test", "rules", str(tmp_path / "tests.yml"))


def unit_test(name: str, scenario: Scenario) -> dict[str, Any]:
    """Return a unit test of promtool, which reads JSON as it reads YAML."""
    return {
        "name": name,
        "interval": "10m",
        "input_series": [each for days in scenario.days for each in days.series()],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{hour / MINUTE:.0f}m",
                "exp_samples": [{"labels": f'{{alertname="Backupctl{each}"}}', "value": 1} for each in sorted(names)],
            }
            for hour, names in scenario.alerts.items()
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{hour:.0f}h",
                "alertname": labels["alertname"],
                "exp_alerts": [
                    {"exp_labels": labels, "exp_annotations": {"summary": summary, "description": description}}
                ],
            }
            for hour, labels, summary, description in ([SAID[name]] if name in SAID else [])
        ],
    }


def test_node_exporter_reads_every_series(
    program: Program, programs: Programs, serve: Simulators, tmp_path: Path
) -> None:
    """Three appliances, one of them unreachable."""
    good, other = serve.many(2, "--no-tls", "--history")
    folder = tmp_path / "textfile"
    folder.mkdir()
    path = folder / "backupctl.prom"
    servers = ["-s", good.url, "-s", other.url, "-s", "http://127.0.0.1:1"]
    run = program.run("metrics", "export", *servers, "--to", str(path), environ=good.environ)
    assert (run.code, run.out) == (5, "")
    exported = list(parsed(path.read_text()))
    assert len({labels["server"] for _, labels, _ in exported}) == 3
    text = node_exporter_metrics(programs, folder)
    read = [(sample.name, sample.labels, sample.value) for family in families(text) for sample in family.samples]
    assert [each for each in exported if each not in read] == []
    assert ("node_textfile_scrape_error", {}, 0) in read
    assert [labels["file"] for name, labels, _ in read if name == "node_textfile_mtime_seconds"] == [str(path)]


def node_exporter_metrics(programs: Programs, folder: Path) -> str:
    """Run a node exporter that reads only the files of a folder, and return its metrics."""
    exporter = programs.start(
        [
            require_program("prometheus-node-exporter"),
            "--web.listen-address=127.0.0.1:0",
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={folder}",
        ],
        programs.environ({}),
    )
    address = exporter.wait_for_stderr(r"Listening on\W+address=(\S+)")[1]
    answer = httpx.get(f"http://{address}/metrics", trust_env=False)
    exporter.kill()
    exporter.waited_for = True
    return answer.raise_for_status().text
