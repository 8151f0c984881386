"""validate --direct: what this host sees of the backup server."""

from pathlib import Path
from typing import Any

import pytest

from backupctl.operations.target_health import host_key_check
from tests.support.command_line import NFS, CommandLine

MODERN = ("rsa-sha2-512", "rsa-sha2-256", "ecdsa-sha2-nistp256", "ssh-ed25519")


@pytest.mark.parametrize(
    ("offered", "release", "status"),
    [
        (MODERN, "9.0.0.10000", "OK"),
        (("ssh-ed25519", "rsa-sha2-512"), "9.0.0.10000", "WARNING"),
        (("ssh-ed25519", "rsa-sha2-512"), "8.0.3.00000", "OK"),
        (("ssh-ed25519",), "", "OK"),
        (("ssh-rsa",), "10.1", "WARNING"),
        (("ecdsa-sha2-nistp521",), "10.0", "OK"),
        (("x" * 10_000,), "9.0", "WARNING"),
    ],
)
def test_host_keys_and_releases(offered: tuple[str, ...], release: str, status: str) -> None:
    check = host_key_check(offered, release)
    assert (check.status, "437603" in check.message) == (status, status == "WARNING")
    assert len(check.message) < 300


def checks(backupctl: CommandLine, *words: str, code: int = 0) -> dict[str, Any]:
    run = backupctl("validate", "--location", NFS, *words, "-o", "json")
    assert run.code == code
    assert code == 0 or run.result["error"]["message"] == "checks from this host failed: backup server"
    return {check["name"]: check for check in run.result["checks"]}


@pytest.mark.parametrize(
    ("folders", "status", "message"),
    [
        (["sn_vc01.example.com"], "OK", "this host can read sn_vc01.example.com"),
        (["vCenter/SN_other", "vCenter/sn_VC01.example.com"], "OK", "this host can read sn_vc01.example.com"),
        ([""], "WARNING", "no archive folder of vc01.example.com there yet (sn_vc01.example.com)"),
        ([], "FAIL", "does not exist"),
    ],
)
def test_folder_of_the_appliance(
    backupctl: CommandLine, tmp_path: Path, folders: list[str], status: str, message: str
) -> None:
    for folder in folders:
        (tmp_path / "mount" / folder).mkdir(parents=True)
    mounted = "--direct", "--path-for", f"{NFS}={tmp_path / 'mount'}"
    check = checks(backupctl, *mounted, code=7 if status == "FAIL" else 0)["backup server"]
    assert check["status"] == status
    assert message in check["message"]


def test_what_cannot_be_read_from_here_is_a_failure(backupctl: CommandLine) -> None:
    check = checks(backupctl, "--direct", code=7)["backup server"]
    assert check["status"] == "FAIL"
    assert "--path-for" in check["message"]


def test_nothing_is_read_from_here_unless_asked_for(backupctl: CommandLine, tmp_path: Path) -> None:
    assert "backup server" not in checks(backupctl, "--path-for", f"{NFS}={tmp_path}")
