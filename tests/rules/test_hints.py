"""Hints: each known failure text has its cause, remedy and article."""

import re

import pytest

from backupctl.rules.hints import KNOWN_FAILURES, known_failure
from tests.support.command_line import CommandLine
from tests.support.intercept import amend_jobs, message

GENERAL = "BackupManager encountered an exception. Please check logs for details."
KNOWN = [
    (GENERAL, None, "backup.log"),
    (
        "BackupManager encountered an exception. Exception: Full backup not allowed during VM snapshot",
        "344841",
        "backupMarker",
    ),
    ("Db health is UNHEALTHY, Backup Failed. Please run /usr/bin/dbcc to find out more.", "86084", "-fbss embedded"),
    ("getDbHealthStatus returns status as DEGRADED", "86084", "health settings"),
    ("Error during component vum backup", "380876", "backup-history.json"),
    ("curl: (79) Error in the SSH layer", "380876", "applmgmt"),
    ("BrokenPipeError: [Errno 32] Broken pipe", "380876", "applmgmt"),
    ("tar: Cannot write: Broken pipe", "430761", "free"),
    ("tar: /x: No space left on device", "430761", "free"),
    ("stale backup-metadata.json", "441880", "rename"),
    ("Failed to dispatch WAL directory structure.", None, "service-control --restart applmgmt"),
    ("Underlying process status. rc:255", None, "service-control --restart applmgmt"),
    ("Process returncode is 120", None, "service-control --restart applmgmt"),
    ("Encountered an error during ConfigFiles backup", None, "unmount"),
    ("UnicodeEncodeError: 'ascii' codec can't encode", None, "unmount"),
    ("Path not exported by the remote filesystem", None, "export"),
    ("Failed to mount //server/share", None, "export"),
    ("Invalid Credentials", None, "location user"),
    ("Access to the remote server is denied", None, "location user"),
    ("Host key verification failed", None, "ssh-keygen -R"),
    ("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!", None, "ssh-keygen -R"),
    ("com.jcraft.jsch.JSchException: reject HostKey: 192.0.2.10", None, "ssh-keygen -R"),
    ("Their offer: ssh-rsa; no matching host key type found", "437603, KB 441702", "ECDSA"),
    ("no matching key exchange method found", "425273, KB 437603", "KexAlgorithms"),
    ("no matching cipher found. Their offer: aes128-cbc", "425273, KB 437603", "Ciphers"),
    ("no matching MAC found", "425273, KB 437603", "MACs"),
    ("Failed to establish SSH session as the algorithm negotiation fail.", "425273, KB 437603", "KexAlgorithms"),
    ("Error in the SSH layer", None, "SFTP with 7.0"),
    ("Unable to resolve host backup.example.com", None, "DNS"),
]


def hint_for(texts: list[str], percent: int | None = None) -> str | None:
    known = known_failure(texts, percent)
    return f"{known.reason}; {known.remedy}" if known else None


@pytest.mark.parametrize(("text", "article", "remedy"), KNOWN, ids=[text for text, _, _ in KNOWN])
def test_hint_for_a_known_failure_has_its_remedy_and_article(text: str, article: str | None, remedy: str) -> None:
    hint = hint_for(["Backup failed.", text])
    assert hint is not None
    assert remedy in hint
    assert re.findall(r"\(KB ([^)]+)\)", hint) == ([article] if article else [])
    assert hint_for([text.upper()]) == hint


def test_specific_hint_wins_over_the_general_one() -> None:
    assert "430761" in (hint_for([GENERAL, "No space left on device"]) or "")


@pytest.mark.parametrize("texts", [[], [""], ["Backup failed."], ["Disk is almost full."]])
def test_hint_for_an_unknown_failure_is_none(texts: list[str]) -> None:
    assert hint_for(texts) is None


def test_general_failure_at_ten_percent_points_to_the_marker_file_beside_the_log() -> None:
    hint = hint_for([GENERAL], 10) or ""
    assert "/etc/vmware/backupMarker.txt" in hint
    assert "backup.log" in hint
    assert "344841" in hint
    assert "430761" in (hint_for([GENERAL, "No space left on device"], 10) or "")
    assert all("backupMarker" not in (hint_for([GENERAL], percent) or "") for percent in (None, 0, 9, 11, 100))


def test_every_known_failure_matches_a_known_text() -> None:
    met = {known_failure([text]) for text, _, _ in KNOWN} | {known_failure([GENERAL], 10)}
    assert met == set(KNOWN_FAILURES)


def test_job_that_fails_at_ten_percent_with_the_general_message_gets_the_hint_about_the_marker_file() -> None:
    general = {"messages": [message(GENERAL)]}
    run = CommandLine(intercept=amend_jobs(general, general), faults=["fail-at=10"]).create("-o", "json")
    assert (run.code, run.result["job"]["progress"]) == (7, 10)
    assert "backupMarker.txt" in run.result["error"]["hint"]


def test_hint_of_a_failed_job_is_shown_in_text_and_json() -> None:
    failed = CommandLine(history=True)
    job = next(job.job_id for job in failed.appliance.jobs if job.status(0)["state"] == "FAILED")
    assert "(KB 344841)" in failed("status", job).err
    assert "(KB 344841)" in failed("watch", job, "-o", "json").result["error"]["hint"]


@pytest.mark.parametrize("status", ["DEGRADED", "UNHEALTHY"])
def test_backup_failed_by_database_health_has_its_hint(status: str) -> None:
    run = CommandLine(faults=[f"db-health={status}"]).create("-o", "json")
    assert (run.code, "/usr/bin/dbcc" in run.result["error"]["hint"]) == (7, True)
