"""validate --direct: what this host sees of the backup server."""

import io
import struct
from pathlib import Path
from typing import Any

import pytest

from backupctl.rules.host_key_algorithms import host_key_warnings
from backupctl.targets.unverified import read_kexinit
from tests.support.command_line import NFS, CommandLine

MODERN = ("rsa-sha2-512", "rsa-sha2-256", "ecdsa-sha2-nistp256", "ssh-ed25519")
BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n"


def kexinit(*names: str, message: int = 20) -> bytes:
    """Return a packet as RFC 4253, section 7.1, describes it."""
    lists = ["curve25519-sha256,kex-strict-s-v00@openssh.com", ",".join(names), *["aes256-ctr"] * 2, *[""] * 6]
    payload = (
        bytes([message]) + bytes(range(16)) + b"".join(struct.pack(">I", len(each)) + each.encode() for each in lists)
    )
    payload += bytes(5)
    padding = 4 + -(5 + len(payload) + 4) % 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


@pytest.mark.parametrize(
    "sent",
    [
        BANNER + kexinit(*MODERN),
        b"Only for members of the staff.\r\n" + BANNER + kexinit(*MODERN),
        b"SSH-1.99-old\n" + kexinit(*MODERN) + b"more",
    ],
)
def test_host_key_algorithms_are_in_the_first_packet(sent: bytes) -> None:
    assert read_kexinit(io.BytesIO(sent)) == MODERN


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"220 ftp.example.com\r\n",
        b"x\n" * 100_000,
        BANNER,
        BANNER + kexinit(*MODERN)[:30],
        BANNER + kexinit(*MODERN, message=21),
        BANNER + b"\xff" * 100,
        BANNER + struct.pack(">IBB", 2**31, 4, 20) + bytes(100),
        BANNER + kexinit("ssh-rsa\x1b[2J"),
        BANNER + kexinit("ü"),
        BANNER + kexinit(""),
        BANNER + kexinit("x" * 65),
    ],
)
def test_what_is_no_ssh_server_is_refused(sent: bytes) -> None:
    with pytest.raises((ValueError, struct.error)):
        read_kexinit(io.BytesIO(sent))


@pytest.mark.parametrize(
    ("offered", "release", "articles"),
    [
        (MODERN, "9.0.0.10000", []),
        (("ssh-ed25519", "rsa-sha2-512"), "9.0.0.10000", ["437603"]),
        (("ssh-ed25519", "rsa-sha2-512"), "8.0.3.00000", []),
        (("ssh-ed25519",), "", []),
        (("ssh-rsa", "ssh-dss"), "8.0.3.00000", ["441702"]),
        (("ssh-rsa",), "9.1", ["437603", "441702"]),
        (("ssh-rsa", "rsa-sha2-256"), "8.0.3.00000", []),
        (("ecdsa-sha2-nistp521",), "10.0", []),
    ],
)
def test_host_keys_and_releases(offered: tuple[str, ...], release: str, articles: list[str]) -> None:
    found = host_key_warnings(offered, release)
    assert [article in warning for article, warning in zip(articles, found, strict=True)] == [True] * len(articles)


def checks(backupctl: CommandLine, *words: str) -> dict[str, Any]:
    run = backupctl("validate", "--location", NFS, *words, "-o", "json")
    assert run.code == 0
    return {check["name"]: check for check in run.result["checks"]}


def test_login_from_here_reads_the_folder(backupctl: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "sn_vc01.example.com").mkdir()
    mounted = "--direct", "--path-for", f"{NFS}={tmp_path}"
    assert "(1 item)" in checks(backupctl, *mounted)["login from here"]["message"]
    (tmp_path / "sn_vc01.example.com").rmdir()
    tmp_path.rmdir()
    missing = checks(backupctl, *mounted)["login from here"]
    assert missing["status"] == "WARNING"
    assert "this host only" in missing["message"]


def test_what_cannot_be_read_from_here_is_a_warning(backupctl: CommandLine) -> None:
    check = checks(backupctl, "--direct")["login from here"]
    assert check["status"] == "WARNING"
    assert "--path-for" in check["message"]


def test_nothing_is_read_from_here_unless_asked_for(backupctl: CommandLine, tmp_path: Path) -> None:
    assert "login from here" not in checks(backupctl, "--path-for", f"{NFS}={tmp_path}")
