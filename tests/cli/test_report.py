"""``backupctl report``: formats, files, digests, and appliances that cannot be read."""

import csv
import hashlib
import io
import json
import os
import signal
from pathlib import Path

import pytest

from tests import wording
from tests.cli.test_multiple_appliances import fleet
from tests.support.clock import FakeClock
from tests.support.command_line import TO_APPLIANCE, CommandLine

TWO = ("-s", "vc01.example.com", "-s", "vc02.example.com")


def with_history(**options: object) -> CommandLine:
    return CommandLine(history=True, **options)  # type: ignore[arg-type]


def two(**options: object) -> CommandLine:
    environ = {name: value for name, value in TO_APPLIANCE.items() if name != "BACKUPCTL_SERVER"}
    return with_history(environ=environ, others={"vc02.example.com": options})


def test_report_is_markdown_with_all_backups_of_the_period() -> None:
    backupctl = with_history()
    run = backupctl("report", "--since", "3d")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("# Backup report, 2026-02-26 to 2026-03-01\n\n## Summary\n")
    ids = [
        job.job_id
        for job in backupctl.appliance.jobs
        if job.start_time >= backupctl.clock.now().replace(day=26, month=2)
    ]
    assert len(ids) == 4
    assert [job_id for job_id in ids if f"| {job_id} |" not in run.out] == []
    assert run.out.count("| succeeded |") == 3


def test_json_has_the_reports_in_the_usual_envelope() -> None:
    run = with_history()("report", "--since", "3d", "--change", "CHG1", "-o", "json")
    report = run.result["report"]
    assert (run.code, run.json["command"], run.result["exit_code"]) == (0, "report", 0)
    assert (report["since"], report["until"]) == ("2026-02-26T02:00:00Z", "2026-03-01T02:00:00Z")
    assert (report["change"], report["succeeded"], report["failed"], len(report["runs"])) == ("CHG1", 3, 1, 4)
    assert report["runs"][0]["job"]["state"] == "SUCCEEDED"


@pytest.mark.parametrize("words", [(), ("--since", "never"), ("-s", "vc99.example.com", "--fingerprint", "x")])
def test_format_json_is_the_same_as_output_json(words: tuple[str, ...]) -> None:
    ways = (("-o", "json"), ("--format", "json"), ("-o", "text", "--format=json"))
    runs = [with_history()("report", *words, *way) for way in ways]
    assert runs == runs[:1] * 3
    assert runs[0].json["command"] == "report"


def test_csv_has_a_row_for_each_backup() -> None:
    run = with_history()("report", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(run.out, newline="")))
    assert [row["state"] for row in rows].count("SUCCEEDED") == len(rows) - 1 == 6


@pytest.mark.parametrize(
    ("name", "words", "begins"),
    [
        ("report.html", (), "<!DOCTYPE html>"),
        ("report.md", (), "# Backup report"),
        ("report.csv", (), "record,server"),
        ("report.json", (), '{\n  "schema": 1'),
        ("report", (), "# Backup report"),
        ("report.txt", ("--format", "html"), "<!DOCTYPE html>"),
        ("report.html", ("--format", "json"), '{\n  "schema": 1'),
    ],
)
def test_report_is_written_to_a_file_with_its_digest(
    tmp_path: Path, name: str, words: tuple[str, ...], begins: str
) -> None:
    path = tmp_path / name
    run = with_history()("report", "--to", str(path), *words)
    assert (run.code, run.out) == (0, "")
    content = path.read_bytes()
    assert content.decode().startswith(begins)
    assert path.stat().st_mode & 0o777 == 0o600
    assert run.err == f"report written to {path}\nSHA-256  {hashlib.sha256(content).hexdigest()}\n"
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_file_with_json_has_the_document_that_standard_output_would_have(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    run = with_history()("report", "--to", str(path), "-o", "json")
    assert path.read_text() == run.out


def test_file_that_exists_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    path.chmod(0o640)
    run = with_history()("report", "-q", "--to", str(path))
    assert (run.code, run.out, run.err) == (0, "", "")
    assert path.read_text().startswith("# Backup report")
    assert path.stat().st_mode & 0o777 == 0o640


def test_file_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    run = with_history()("report", "--to", str(tmp_path / "missing" / "report.md"), "-o", "json")
    assert (run.code, run.json["error"]["slug"]) == (11, "output")


@pytest.mark.parametrize("format_name", ["markdown", "csv", "html", "json"])
def test_appliance_that_cannot_be_read_is_named_and_decides_the_exit_code(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / "report"
    run = two(faults=["forbidden"])("report", *TWO, "--format", format_name, "--to", str(path))
    assert run.code == 4
    text = path.read_text()
    assert "vc02.example.com" in text
    assert "20260301-000000-20519528" in text
    assert "vc02.example.com" in run.err


def test_interrupted_report_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    backupctl = two(faults=["slow=9s"])
    backupctl.clock.at(3, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = backupctl("report", *TWO, "--to", str(path))
    assert (run.code, path.read_text()) == (130, "old")


def test_report_of_one_group_tells_its_skew(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, history=True)
    report = backupctl("report", "-g", "production", "-o", "json").json
    assert (report["skew_seconds"], report["results"][0]["report"]["group"]) == (0, "production")
    sentence = "Newest backups: started within 0s of each other"
    assert sentence in backupctl("report", "-g", "production").out
    for unrelated in (["--all"], ["-s", "vc01", "-s", "vc02"], ["-g", "production", "-s", "vc03"]):
        assert "skew_seconds" not in backupctl("report", *unrelated, "-o", "json").json
        assert sentence not in backupctl("report", *unrelated).out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "html", "-o", "json"), wording.REPORT_FORMATS("html", "json")),
        (("--format", "csv", "-o", "jsonl"), wording.REPORT_FORMATS("csv", "jsonl")),
        (("--to", "report.xlsx"), wording.UNKNOWN_SUFFIX(".xlsx")),
        (("--since", "1d", "--until", "2d"), wording.EMPTY_PERIOD),
        (("--since", "2027-01-01"), wording.EMPTY_PERIOD),
        (("--since", "1970-01-01"), wording.EMPTY_PERIOD),
    ],
)
def test_contradicting_options_are_rejected(words: tuple[str, ...], message: str) -> None:
    backupctl = with_history()
    run = backupctl("report", *words)
    assert (run.code, backupctl.line.urls) == (2, [])
    assert message in f"{run.out}{run.err}"


def test_report_covers_nothing_after_now() -> None:
    run = with_history()("report", "--until", "2027-01-01", "-o", "json")
    assert run.result["report"]["until"] == "2026-03-01T02:00:00Z"


def test_report_of_6_5_has_what_is_known() -> None:
    run = with_history(release="6.5")("report")
    assert run.code == 0
    assert "this release has no schedules" in run.out
    assert "not known for any backup: size, type" in run.out


def test_report_takes_as_many_requests_as_reading_the_history() -> None:
    backupctl = with_history()
    backupctl("report")
    assert len(backupctl.line.urls) == 6


def test_report_says_that_the_certificate_was_not_verified() -> None:
    for face in ("markdown", "html"):
        run = with_history()("report", "--insecure", "--format", face)
        assert "the certificate was not verified" in run.out
        assert "the certificate was not verified" not in with_history()("report", "--format", face).out


def test_journal_adds_what_the_appliance_does_not_tell(tmp_path: Path) -> None:
    clock = FakeClock()
    environ = {**TO_APPLIANCE, "BACKUPCTL_JOURNAL": "1", "BACKUPCTL_STATE_DIR": str(tmp_path)}
    backupctl = CommandLine(clock=clock, environ=environ)
    backupctl.create("--comment", "CHG2", "--part", "common")
    (before,) = backupctl("report", "-o", "json").result["report"]["runs"]
    assert (before["job"]["comment"], before["job"]["parts"], before["forgotten"]) == ("CHG2", ["common"], False)
    reinstalled = CommandLine(clock=clock, environ=environ)
    report = reinstalled("report", "-o", "json").result["report"]
    assert (report["runs"][0]["job"]["comment"], report["runs"][0]["forgotten"]) == ("CHG2", True)
    assert report["remembered_since"] is None
    assert "| succeeded (journal) |" in reinstalled("report").out
    assert json.dumps(before["job"]["id"]) in json.dumps(report["runs"])


def test_report_has_the_runs_that_started_no_backup(tmp_path: Path) -> None:
    environ = {**TO_APPLIANCE, "BACKUPCTL_JOURNAL": "1", "BACKUPCTL_STATE_DIR": str(tmp_path)}
    backupctl = with_history(environ=environ)
    backupctl(
        "create", "--location", "nfs://nfs.example.com/backups", environ=environ | {"BACKUPCTL_PASSWORD": "wrong"}
    )
    run = backupctl("report", "--since", "1d")
    assert "1 run of create without a backup: 2026-03-01 02:00 UTC: " in run.out
    assert "* Journal: 1 result of backupctl, 0 unreadable lines" in run.out
