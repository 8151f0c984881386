"""SMB locations, read from a Samba server, and from servers that hang, lie or leave."""

import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from smbprotocol.file_info import FileFullDirectoryInformation

from backupctl.errors import BackupctlError, NotFoundError
from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets import smb, target
from backupctl.targets.access import TargetAccess
from backupctl.targets.smb import SmbTarget
from backupctl.targets.target import SubTarget, read_small
from backupctl.targets.target_errors import (
    TargetAnswerError,
    TargetIdentityError,
    TargetLoginError,
    TargetUnreachableError,
)
from tests.support.clock import FakeClock
from tests.support.processes import skip_outside_ci
from tests.support.samba_server import PASSWORD, USER, samba
from tests.support.socket_server import serve_connections
from tests.support.target_contract import check_reading, check_removing, filled

pytestmark = pytest.mark.real

ARCHIVE = ("store", "contract")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def port(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with samba(tmp_path_factory.mktemp("smb"), {"store": folder, "frozen": folder}, read_only=("frozen",)) as port:
        yield port


@pytest.fixture(autouse=True)
def _nothing_is_printed_and_no_thread_stays(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert capfd.readouterr() == ("", "")
    assert [each for each in threading.enumerate() if each not in before and each.name.startswith("msg_worker")] == []


@contextmanager
def connected(port: int, user: str | None = USER, password: str = PASSWORD) -> Iterator[SmbTarget]:
    location = Location.parse(f"smb://127.0.0.1:{port}/store").of_type(None)
    opened = smb.connect(TargetAccess(location, user, Secret(password)), FakeClock())
    try:
        yield opened
    finally:
        opened.close()


def test_contract(port: int, folder: Path) -> None:
    with connected(port) as opened, filled(folder / "contract") as contents:
        check_reading(SubTarget(opened, ARCHIVE))
        check_removing(SubTarget(opened, ARCHIVE), contents)


@pytest.mark.parametrize("user", [f"EXAMPLE\\{USER}", f"{USER}@example.com"])
def test_user_may_have_a_domain(port: int, user: str) -> None:
    with connected(port, user) as opened:
        assert opened.stat(("store",)).kind == "folder"


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ((USER, "wrong"), f"rejected the login of {USER}: logon failure"),
        (("nobody-known", PASSWORD), "of nobody-known: unknown user, and the server offers only guest access"),
        ((None, PASSWORD), "missing user or password for the backup server"),
    ],
    ids=["wrong password", "a guest for the server", "no user"],
)
def test_rejected_logins(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: tuple[str | None, str], reason: str
) -> None:
    (tmp_path / "logins").write_text(f":{USER}:{PASSWORD}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "logins"))
    with pytest.raises(TargetLoginError) as caught, connected(port, *login):
        pass
    assert login[1] not in f"{caught.value.message} {caught.value.hint}"
    assert reason in caught.value.message


def test_refusals(port: int, folder: Path) -> None:
    (folder / "kept").mkdir()
    (folder / "kept" / "file").write_bytes(b"x")
    (folder / "away").symlink_to("msdfs:127.0.0.1\\elsewhere")
    cases: list[tuple[type[BackupctlError], Callable[[SmbTarget], object]]] = [
        (NotFoundError, lambda opened: opened.list(("nothing",))),
        (TargetAnswerError, lambda opened: opened.list(())),
        (TargetAnswerError, lambda opened: opened.list(("store", "kept", "file"))),
        (TargetAnswerError, lambda opened: list(opened.open_read(("store", "kept")))),
        (TargetAnswerError, lambda opened: opened.remove_file(("store", "kept"))),
        (TargetAnswerError, lambda opened: opened.remove_empty_dir(("store", "kept"))),
        (TargetAnswerError, lambda opened: opened.remove_file(("frozen", "kept", "file"))),
        (BackupctlError, lambda opened: opened.list(("store", "away"))),
    ]
    with connected(port) as opened:
        for expected, operation in cases:
            with pytest.raises(expected):
                operation(opened)
        assert opened.stat(("store", "away")).kind == "other"
        assert read_small(opened, ("frozen", "kept", "file"), 1) == b"x"  # the connection still works


def test_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        skip_outside_ci("cannot mount a small disk")
    try:
        with pytest.raises(OSError, match="No space"):
            (disk / "large").write_bytes(bytes(1 << 20))
        with samba(tmp_path, {"store": disk}) as port, connected(port) as opened:
            assert opened.stat(("store", "large")).kind == "file"
            opened.remove_file(("store", "large"))
            assert opened.list(("store",)) == ()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


class Relay:
    """Passes the answers of a server on, changed by ``change``, which hangs with None and leaves with b""."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.change: Callable[[bytes], bytes | None] = lambda answer: answer

    def serve(self, client: socket.socket, over: threading.Event) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            stream = server.makefile("rb")
            while head := stream.read(4):
                answer = self.change(stream.read(struct.unpack(">L", head)[0]))
                if answer is None:
                    over.wait()
                if not answer:
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(struct.pack(">L", len(answer)) + answer)

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(65536):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            return


def unsigned(answer: bytes) -> bytes:
    """Take the signature away, and the flag that says that there is one (MS-SMB2 2.2.1)."""
    flags = struct.unpack("<L", answer[16:20])[0] & ~8
    return answer[:16] + struct.pack("<L", flags) + answer[20:48] + bytes(16) + answer[64:]


CHANGES: dict[str, tuple[Callable[[bytes], bytes | None], type[BackupctlError], str]] = {
    "hangs": (lambda _: None, TargetUnreachableError, "no answer within 1 s"),
    "leaves": (lambda _: b"", TargetUnreachableError, "connection lost"),
    "garbage": (lambda answer: os.urandom(len(answer)), TargetUnreachableError, "connection lost"),
    "unsigned": (unsigned, TargetIdentityError, "invalid signature"),
    "forged": (lambda answer: answer[:-1] + bytes([answer[-1] ^ 1]), TargetIdentityError, "invalid signature"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_answers_on_the_way(port: int, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(target, "ANSWER_SECONDS", 1.0)
    relay = Relay(port)
    with serve_connections(relay.serve) as (address, _), connected(int(address.rpartition(":")[2])) as opened:
        opened.list(("store",))
        relay.change, expected, reason = CHANGES[name]
        with pytest.raises(expected, match=reason):
            opened.list(("store",))
        with pytest.raises((TargetUnreachableError, TargetIdentityError)):
            opened.list(("store",))


def hang(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def test_server_that_hangs_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "CONNECT_SECONDS", 1.0)
    with (
        serve_connections(hang) as (address, _),
        pytest.raises(TargetUnreachableError, match="no answer"),
        connected(int(address.rpartition(":")[2])),
    ):
        pass


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(TargetUnreachableError), connected(unused.getsockname()[1]):
            pass


@pytest.mark.parametrize(
    ("attributes", "tag", "kind"),
    [
        (0x20, 0, "file"),
        (0x10, 0, "folder"),
        (0x420, 0xA000000C, "other"),  # a symbolic link
        (0x410, 0xA0000003, "other"),  # a mount point
        (0x420, 0x80000013, "file"),  # deduplicated
    ],
)
def test_reparse_points(attributes: int, tag: int, kind: str) -> None:
    found = FileFullDirectoryInformation()
    found["file_name"], found["file_attributes"], found["ea_size"] = "name".encode("utf-16-le"), attributes, tag
    assert smb._entry(found).kind == kind
