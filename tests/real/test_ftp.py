"""FTP and FTPS locations: vsftpd with required TLS and session reuse, pyftpdlib, and servers that misbehave."""

import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import trustme
from msgspec.structs import replace

from backupctl.clock import SystemClock
from backupctl.errors import BackupctlError, NotFoundError
from backupctl.location import Location
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.secrets.secret import Secret
from backupctl.targets import ftp
from backupctl.targets.access import TargetAccess
from backupctl.targets.open_target import open_target
from backupctl.targets.target import SubTarget, Target, TargetPath
from backupctl.targets.target_errors import (
    TargetAnswerError,
    TargetIdentityError,
    TargetLoginError,
    TargetUnreachableError,
)
from backupctl.tls.trust_settings import TrustSettings
from tests.support.scripted_ftp import Send, scripted_ftp
from tests.support.target_contract import check_reading, check_removing, content, filled
from tests.support.tls_server import ca_file, der, server_context
from tests.support.vsftpd_server import VsftpdServer
from tests.wording import CERTIFICATE_OF_OTHER_HOSTS, CERTIFICATE_SIGNED_BY, PIN_NOT_PRESENTED

pytestmark = pytest.mark.real

NO_TLS = "does not offer TLS"
LOGIN_REJECTED = "rejected the login of vcenter: 530 Login incorrect."


@contextmanager
def opened(access: TargetAccess) -> Iterator[Target]:
    with closing(open_target(access, SystemClock())) as target:
        yield target


def error_of(access: TargetAccess, path: TargetPath = ()) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught, opened(access) as target:
        target.list(path)
    return caught.value


def access_to(port: int, scheme: str = "ftp", host: str = "127.0.0.1", **known: Any) -> TargetAccess:
    return TargetAccess(Location.parse(f"{scheme}://{host}:{port}").of_type(None), "backup", Secret("pw"), **known)


@contextmanager
def pyftpdlib_server(root: Path, *options: str) -> Iterator[int]:
    """Serve a folder in a process; yield the port."""
    words = [sys.executable, "-W", "ignore", "-m", "pyftpdlib", "-p", "0", "-w", "-u", "backup", "-P", "pw"]
    with subprocess.Popen([*words, "-d", str(root), *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        log = process.stderr
        started = (re.search(r"starting FTP server on .*:(\d+)", line) for line in log)
        try:
            yield int(next(filter(None, started))[1])
        finally:
            process.kill()


@pytest.mark.parametrize("kind", ["ftp", "ftps"])
def test_vsftpd_keeps_the_contract(kind: str, vsftpd: VsftpdServer) -> None:
    with vsftpd.folder(f"contract-{kind}") as folder, filled(folder):
        vsftpd.give(folder)
        with opened(vsftpd.access(kind)) as target:
            within = SubTarget(target, (folder.name,))
            check_reading(within)
            check_removing(within, folder)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_pyftpdlib_keeps_the_contract(host: str, tmp_path: Path) -> None:
    with (
        filled(tmp_path / "root") as root,
        pyftpdlib_server(root, "-i", host.strip("[]")) as port,
        opened(access_to(port, host=host)) as target,
    ):
        check_reading(target)
        check_removing(target, root)


PINNED = TrustSettings(fingerprint="00" * 32)

FAILURES: list[tuple[str, dict[str, Any], type[BackupctlError], str]] = [
    ("ftps", {"password": "wrong"}, TargetLoginError, LOGIN_REJECTED),
    ("ftp", {"password": "wrong"}, TargetLoginError, LOGIN_REJECTED),
    ("ftps", {"scheme": "ftp"}, TargetLoginError, "530 Non-anonymous sessions must use encryption"),
    ("ftp", {"scheme": "ftps"}, TargetIdentityError, NO_TLS),
    ("expired", {}, TargetIdentityError, "the certificate expired on"),
    ("unknown", {}, TargetIdentityError, CERTIFICATE_SIGNED_BY("O=trustme")),
    ("other-name", {}, TargetIdentityError, CERTIFICATE_OF_OTHER_HOSTS("elsewhere.example.com", "127.0.0.1")),
    ("ftps", {"tls": PINNED}, TargetIdentityError, PIN_NOT_PRESENTED),
    ("ftps", {"port": 1}, TargetUnreachableError, "Connection refused"),
]


@pytest.mark.parametrize(("kind", "known", "error", "text"), FAILURES)
def test_failure_of_vsftpd_has_its_error(
    kind: str, known: dict[str, Any], error: type[BackupctlError], text: str, vsftpd: VsftpdServer
) -> None:
    found = error_of(vsftpd.access(kind, **known))
    assert type(found) is error
    assert text in found.message
    assert "the backup server 127.0.0.1:" in found.message


@pytest.mark.parametrize("kind", ["ftps", "expired", "unknown", "other-name"])
def test_pinned_certificate_needs_no_ca(kind: str, vsftpd: VsftpdServer) -> None:
    with opened(
        vsftpd.access(kind, tls=TrustSettings(fingerprint=fingerprint_of(vsftpd.certificates[kind])))
    ) as target:
        assert "full" in {each.name for each in target.list(())}


def test_refused_tls_ends_before_the_user_is_sent() -> None:
    with scripted_ftp({"AUTH": b"502 unknown\r\n"}) as (port, commands):
        assert type(error_of(access_to(port, "ftps"))) is TargetIdentityError
        assert commands == ["AUTH TLS"]


def test_path_is_relative_to_the_login_folder_or_with_two_slashes_to_the_root(vsftpd: VsftpdServer) -> None:
    with vsftpd.folder("relative") as folder:
        folder.mkdir()
        (folder / ".file").write_bytes(b"x")
        with opened(vsftpd.access()) as target:
            assert [each.name for each in target.list(("relative",))] == [".file"]
            assert content(target, ("relative", ".file")) == b"x"
            with pytest.raises(NotFoundError):
                target.list(("srv", "home", "relative"))
        absolute = vsftpd.access(path="//srv/home/relative")
        with opened(absolute) as target:
            assert [each.name for each in target.list(absolute.folder)] == [".file"]


def test_files_on_a_full_disk_are_read_and_removed(vsftpd: VsftpdServer) -> None:
    with opened(vsftpd.access()) as target:
        size = target.stat(("full", "archive", "file")).size
        assert size == len(content(target, ("full", "archive", "file"))) > 0
        target.remove_file(("full", "archive", "file"))
        target.remove_empty_dir(("full", "archive"))
        assert target.list(("full",)) == ()


@pytest.mark.parametrize("kind", ["ftp", "ftps"])
def test_reading_that_stops_early_leaves_the_connection_usable(kind: str, vsftpd: VsftpdServer) -> None:
    with vsftpd.folder(f"early-{kind}") as folder:
        folder.mkdir()
        with (folder / "large").open("wb") as file:
            file.truncate(1 << 30)
        with opened(vsftpd.access(kind)) as target:
            for _ in range(3):
                with closing(target.open_read((folder.name, "large"))) as chunks:
                    assert set(next(chunks)) == {0}
                assert target.stat((folder.name, "large")).size == 1 << 30


def test_refusal_is_told_from_a_missing_path(vsftpd: VsftpdServer) -> None:
    with vsftpd.folder("refused") as folder:
        (folder / "closed" / "inner").mkdir(parents=True)
        (folder / "closed").chmod(0o700)
        (folder / "unreadable").mkdir(mode=0o711)
        (folder / "file").touch(mode=0o600)
        with opened(vsftpd.access()) as target:
            for refused in (
                lambda: target.list(("refused", "closed")),
                lambda: target.list(("refused", "unreadable")),
                lambda: target.list(("refused", "file")),
                lambda: content(target, ("refused", "file")),
                lambda: target.remove_file(("refused", "file")),
                lambda: target.remove_empty_dir(("refused", "closed")),
            ):
                with pytest.raises(TargetAnswerError):
                    refused()
            with pytest.raises(NotFoundError) as caught:
                target.remove_file(("refused", "nothing"))
            assert (
                caught.value.message
                == f"/refused/nothing does not exist on the backup server 127.0.0.1:{vsftpd.ports['ftps']}"
            )


def test_odd_names_and_links_are_listed_as_other(vsftpd: VsftpdServer) -> None:
    with vsftpd.folder("odd") as folder:
        folder.mkdir()
        names = (b"\xff", b"new\nline", b"back\\slash", b" leading", b"a -> b", "ünïcode".encode())
        for name in names:
            Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"x")
        (folder / "link").symlink_to("/etc/passwd")
        with opened(vsftpd.access()) as target:
            found = {each.name: each.kind for each in target.list(("odd",))}
        assert found == {
            **dict.fromkeys((" leading", "a -> b", "ünïcode", "new"), "file"),
            **dict.fromkeys(("\\xff", "line", "back\\slash", "link"), "other"),
        }


def test_address_of_a_passive_reply_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pyftpdlib_server(tmp_path, "-n", "192.0.2.1") as port, opened(access_to(port)) as target:
        assert content(target, ("file",)) == b"x"


def trickle(connection: socket.socket, over: Event) -> None:
    while not over.wait(0.05):
        connection.sendall(b"x")


def nothing(_: socket.socket, __: Event) -> None:
    """Send an empty answer."""


def stall(_: socket.socket, over: Event) -> None:
    over.wait()


@pytest.mark.parametrize("verb", ["", "USER", "TYPE", "OPTS", "PWD", "CWD", "PASV", "LIST", "end", "trickle", "stall"])
def test_server_that_stops_answering_is_given_up(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ftp, "ANSWER_SECONDS", 0.3)
    with scripted_ftp({verb: None}, {"trickle": trickle, "stall": stall}.get(verb, nothing)) as (port, _):
        error = error_of(access_to(port))
        assert type(error) is TargetUnreachableError
        assert "timed out" in error.message


def test_reply_that_no_command_asked_for_ends_the_connection() -> None:
    replies: dict[str, bytes | None] = {"PWD": b'257 "/"\r\n250 late\r\n', "DELE": b"550 denied\r\n"}
    with scripted_ftp(replies) as (port, commands), opened(access_to(port)) as target:
        with pytest.raises(TargetUnreachableError, match="unexpected reply 250 late"):
            target.remove_file(("name",))
        assert commands[-1] == "PWD"


def test_name_in_the_reply_to_a_transfer_does_not_make_it_fail() -> None:
    replies: dict[str, bytes | None] = {"end": b'226 Transferred "/failed to open/truncated"\r\n'}
    with scripted_ftp(replies) as (port, _), opened(access_to(port)) as target:
        assert target.list(()) == ()


def test_reply_without_an_end_is_named() -> None:
    with scripted_ftp({"": b"220-" + b"x\r\n" * 100_000}, stall) as (port, _):
        assert "a reply is larger than 64 KiB" in error_of(access_to(port)).message


def test_lost_connection_stays_lost() -> None:
    with scripted_ftp({"CWD": b"421 bye\r\n"}) as (port, commands), opened(access_to(port)) as target:
        for _ in range(2):
            with pytest.raises(TargetUnreachableError):
                target.list(())
        assert commands.count("CWD /") == 1


BAD: list[tuple[dict[str, bytes | None], Send, type[BackupctlError]]] = [
    ({"": b"421 too many connections\r\n"}, stall, TargetUnreachableError),
    ({"": b"SSH-2.0-OpenSSH_9.2\r\n"}, stall, TargetUnreachableError),
    ({"": b"\xff\xfe\r\n"}, stall, TargetUnreachableError),
    ({"PASV": b"227 no address\r\n"}, stall, TargetUnreachableError),
    ({"PASV": b"227 (127,0,0,1,999,999)\r\n"}, stall, TargetUnreachableError),
    ({"PASV": b"500 unknown\r\n"}, stall, TargetAnswerError),
    ({"LIST": b"450 busy\r\n"}, stall, TargetAnswerError),
    ({"LIST": b"425 no data connection\r\n"}, stall, TargetUnreachableError),
    ({"end": b"226 Transfer done (but failed to open directory).\r\n"}, nothing, TargetAnswerError),
    ({"end": b"226 Output truncated to 2000 matches\r\n"}, nothing, TargetAnswerError),
    ({"end": b"426 aborted\r\n"}, nothing, TargetUnreachableError),
    ({}, lambda data, _: data.sendall(b"x\n" * 20_001), TargetAnswerError),
    ({}, lambda data, _: data.sendall(b"x" * (17 << 20)), TargetAnswerError),
]


@pytest.mark.parametrize(("replies", "send", "error"), BAD)
def test_bad_answer_has_its_error(replies: dict[str, bytes | None], send: Send, error: type[BackupctlError]) -> None:
    with scripted_ftp(replies, send) as (port, _):
        assert type(error_of(access_to(port))) is error


@pytest.mark.parametrize("name", ["a\r\nDELE b", "a\nb", "a\0b"])
def test_line_break_in_a_name_never_reaches_a_command(name: str) -> None:
    with scripted_ftp() as (port, commands), opened(access_to(port)) as target:
        before = list(commands)
        calls: tuple[Callable[[TargetPath], Any], ...] = (
            target.list,
            lambda path: content(target, path),
            target.remove_file,
            target.remove_empty_dir,
        )
        for call in calls:
            with pytest.raises(TargetAnswerError):
                call(("folder", name))
        assert set(commands[len(before) :]) <= {"PASV"}


@pytest.mark.parametrize("known", [{"user": "a\r\nDELE b"}, {"password": Secret("a\nb")}])
def test_line_break_in_the_login_never_reaches_a_command(known: dict[str, Any]) -> None:
    with scripted_ftp({"USER": b"331 password\r\n"}) as (port, commands):
        assert isinstance(error_of(replace(access_to(port), **known)), TargetAnswerError)
        assert not any("DELE" in each or each.startswith("PASS") for each in commands)


AUTHORITY, STRANGER = trustme.CA(), trustme.CA()


def test_reply_that_was_added_in_clear_is_dropped(tmp_path: Path) -> None:
    tls = server_context(AUTHORITY.issue_cert("127.0.0.1"))
    trust = TrustSettings(ca_file=ca_file(AUTHORITY, tmp_path))
    replies = {"AUTH": b"234 TLS\r\n230 in\r\n" * 20, "USER": b"530 no\r\n"}
    with scripted_ftp(replies, tls=tls) as (port, commands):
        assert type(error_of(access_to(port, "ftps", tls=trust))) is TargetLoginError
        assert commands == ["AUTH TLS", "USER backup"]


@pytest.mark.parametrize("cut", [False, True])
def test_listing_that_is_cut_off_in_tls_is_not_taken_for_whole(cut: bool, tmp_path: Path) -> None:
    def send(data: socket.socket, _: Event) -> None:
        assert isinstance(data, ssl.SSLSocket)
        data.sendall(b"-rw-r--r-- 1 a b 7 Mar 1 02:00 name\r\n")
        if not cut:
            data.unwrap()

    tls = server_context(AUTHORITY.issue_cert("127.0.0.1"))
    trust = TrustSettings(ca_file=ca_file(AUTHORITY, tmp_path))
    with scripted_ftp(send=send, tls=tls) as (port, _):
        access = access_to(port, "ftps", tls=trust)
        if cut:
            assert type(error_of(access)) is TargetUnreachableError
        else:
            with opened(access) as target:
                assert [each.name for each in target.list(())] == ["name"]


@pytest.mark.parametrize("pinned", [False, True])
def test_data_connection_to_another_server_is_refused(pinned: bool, tmp_path: Path) -> None:
    own, other = AUTHORITY.issue_cert("127.0.0.1"), STRANGER.issue_cert("127.0.0.1")
    pin = fingerprint_of(der(own)) if pinned else None
    trust = TrustSettings(ca_file=None if pinned else ca_file(AUTHORITY, tmp_path), fingerprint=pin)
    with scripted_ftp(tls=server_context(own), data_tls=server_context(other)) as (port, _):
        assert type(error_of(access_to(port, "ftps", tls=trust))) is TargetIdentityError


def test_session_of_the_control_connection_is_reused_with_tls_1_3(tmp_path: Path) -> None:
    reused: list[tuple[str | None, bool | None]] = []

    def send(data: socket.socket, _: Event) -> None:
        assert isinstance(data, ssl.SSLSocket)
        data.sendall(b"\r\n")
        reused.append((data.version(), data.session_reused))
        data.unwrap()

    tls = server_context(AUTHORITY.issue_cert("127.0.0.1"))
    trust = TrustSettings(ca_file=ca_file(AUTHORITY, tmp_path))
    with (
        scripted_ftp(send=send, tls=tls) as (port, _),
        opened(access_to(port, "ftps", tls=trust)) as target,
    ):
        assert [target.list(()) for _ in range(3)] == [()] * 3
        assert reused == [("TLSv1.3", True)] * 3


def test_password_that_a_server_repeats_is_masked() -> None:
    with scripted_ftp({"USER": b"530-no:\r\n530 backup/pass-word-1 is\r\n unknown\r\n"}) as (port, _):
        error = error_of(replace(access_to(port), password=Secret("pass-word-1")))
    assert error.message.endswith("rejected the login of backup: 530-no: 530 backup/*** is")


def test_user_without_a_name_is_anonymous() -> None:
    replies: dict[str, bytes | None] = {"USER": b"331 password\r\n"}
    with scripted_ftp(replies) as (port, commands), opened(replace(access_to(port), user=None, password=None)):
        assert commands[:2] == ["USER anonymous", "PASS anonymous@"]
