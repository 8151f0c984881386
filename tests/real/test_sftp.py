"""SFTP and SCP locations on a real OpenSSH server."""

import gc
import os
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import paramiko
import pytest
from msgspec.structs import replace

from backupctl.errors import NotFoundError
from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets import sftp
from backupctl.targets.access import TargetAccess
from backupctl.targets.open_target import open_target
from backupctl.targets.target import CHUNK_BYTES, SubTarget, Target
from backupctl.targets.target_errors import (
    TargetAnswerError,
    TargetIdentityError,
    TargetLoginError,
    TargetUnreachableError,
)
from tests.support.clock import FakeClock
from tests.support.lossy_relay import HOST, lossy_relay
from tests.support.openssh_server import OpenSshServer, fingerprint_of, make_key
from tests.support.target_contract import check_reading, check_removing, content, filled

pytestmark = pytest.mark.real


def opened(access: TargetAccess) -> Target:
    return SubTarget(open_target(access, FakeClock()), access.folder)


@pytest.mark.parametrize("kind", ["default", "interactive"])
def test_openssh_keeps_the_contract(openssh: OpenSshServer, tmp_path: Path, kind: str) -> None:
    with filled(tmp_path / "served") as folder, closing(opened(openssh.access(folder, kind))) as target:
        check_reading(target)
        check_removing(target, folder)


@pytest.mark.parametrize(
    ("user", "password", "kind"),
    [
        ("vcenter", "Wrong-1", "default"),
        ("vcenter", "Wrong-1", "interactive"),
        ("nobody-here", "Wrong-1", "default"),
        ("key-only", None, "default"),
        ("two-factor", None, "default"),
    ],
)
def test_rejected_login_is_a_login_error(openssh: OpenSshServer, user: str, password: str | None, kind: str) -> None:
    access = openssh.access(kind=kind, user=user)
    with pytest.raises(TargetLoginError) as caught:
        opened(access if password is None else replace(access, password=Secret(password)))
    assert str(password) not in str(caught.value)
    assert f"rejected the login of {user}: " in str(caught.value)
    assert ("wrong user name" in str(caught.value)) == (password is not None)


def test_user_without_sftp_is_told(openssh: OpenSshServer) -> None:
    with pytest.raises(TargetAnswerError, match="does not offer SFTP"):
        opened(openssh.access(user="no-sftp"))


@pytest.mark.parametrize("changes", [{"user": None}, {"password": None}])
def test_missing_login_is_a_login_error(openssh: OpenSshServer, changes: dict[str, None]) -> None:
    with pytest.raises(TargetLoginError):
        opened(replace(openssh.access(), **changes))


def test_chrooted_user_sees_its_own_root(openssh: OpenSshServer) -> None:
    with filled(openssh.chroot / "served"), closing(opened(openssh.access("/served", user="chrooted"))) as target:
        check_reading(target)


def test_location_below_the_login_folder_is_found(openssh: OpenSshServer) -> None:
    (openssh.home / "below-home" / "sub").mkdir(parents=True)
    (openssh.home / "below-home" / "sub" / "file").write_bytes(b"x")
    with closing(opened(openssh.access("/below-home/sub"))) as target:
        assert content(target, ("file",)) == b"x"
        assert target.stat(("file",)).size == 1
        target.remove_file(("file",))
        assert target.list(()) == ()
    with closing(opened(openssh.access("/nowhere/sub"))) as target, pytest.raises(NotFoundError, match="nowhere/sub"):
        target.list(())


def test_denied_folder_is_an_answer(openssh: OpenSshServer, tmp_path: Path) -> None:
    with closing(opened(openssh.access(tmp_path, user="other"))) as target:
        with pytest.raises(TargetAnswerError, match="Permission denied"):
            target.list(())
        with pytest.raises(TargetAnswerError, match="Permission denied"):
            target.remove_file(("file",))


def test_links_and_unusable_names_are_shown_as_such(openssh: OpenSshServer, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "two\nlines").touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    with closing(opened(openssh.access(tmp_path))) as target:
        assert {each.kind for each in target.list(())} == {"other"}
        assert {each.name for each in target.list(())} == {"link", "pipe", "two\nlines", "\\xff"}
        assert target.stat(("link",)).kind == "other"


def test_nothing_is_removed_through_a_link(openssh: OpenSshServer, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    (tmp_path / "archive").symlink_to("other")
    with closing(opened(openssh.access(tmp_path))) as target:
        with pytest.raises(TargetAnswerError, match="not a folder"):
            target.remove_file(("archive", "file"))
        target.remove_file(("other", "file"))


def test_file_that_ends_before_its_size_is_an_error(openssh: OpenSshServer) -> None:
    """The files of sysfs have the size of a page, whatever they hold."""
    with closing(opened(openssh.access("/sys/kernel"))) as target:
        with pytest.raises(TargetAnswerError, match="shorter than its size"):
            content(target, ("fscaps",))
        assert target.stat(("fscaps",)).size


def test_removing_works_on_a_full_file_system(openssh: OpenSshServer) -> None:
    with closing(opened(openssh.access("/srv/full"))) as target:
        (file,) = target.list(("archive",))
        assert file.size
        target.remove_file(("archive", file.name))
        target.remove_empty_dir(("archive",))
        assert target.list(()) == ()


def test_large_folder_is_listed_whole(openssh: OpenSshServer, tmp_path: Path) -> None:
    names = {f"file-{number}" for number in range(1234)}
    for name in names:
        (tmp_path / name).touch()
    with closing(opened(openssh.access(tmp_path))) as target:
        assert {each.name for each in target.list(())} == names


def test_server_with_old_keys_only_gets_a_hint(openssh: OpenSshServer) -> None:
    with pytest.raises(TargetUnreachableError, match="host key") as caught:
        opened(openssh.access(kind="old"))
    assert not isinstance(caught.value, TargetIdentityError)
    assert "Ed25519" in str(caught.value.hint)


KNOWN = ("backup.example.com,[127.0.0.1]:{port} {key}", "[127.0.0.1]:{port} {rsa}")
REFUSED = {
    "": "is unknown",
    "[127.0.0.1]:1 {key}": "is unknown",
    "[127.0.0.1]:{port} {other}": "has changed",
    "127.0.0.1 {key}\n@revoked * {key}": "is revoked",
}


def write_known_hosts(home: Path, text: str, openssh: OpenSshServer) -> None:
    other = " ".join(make_key(home / "other").read_text().split()[:2])
    keys = {"key": openssh.public_key(), "rsa": openssh.public_key("rsa"), "other": other}
    (home / ".ssh").mkdir()
    (home / ".ssh" / "known_hosts").write_text(text.format(port=openssh.port, **keys) + "\n")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("text", "hashed"), [(KNOWN[0], False), (KNOWN[0], True), (KNOWN[1], False)])
def test_known_host_key_is_trusted(openssh: OpenSshServer, home: Path, text: str, hashed: bool) -> None:
    write_known_hosts(home, text, openssh)
    if hashed:
        file = home / ".ssh" / "known_hosts"
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], capture_output=True, check=True)
    opened(replace(openssh.access(), host_key=None)).close()


@pytest.mark.parametrize(("text", "state"), REFUSED.items())
def test_other_host_key_is_refused_before_the_login(openssh: OpenSshServer, home: Path, text: str, state: str) -> None:
    write_known_hosts(home, text, openssh)
    before = (home / ".ssh" / "known_hosts").read_bytes()
    with pytest.raises(TargetIdentityError, match=state) as caught:
        opened(replace(openssh.access(password="wrong"), host_key=None, selector=("-s", "vc01")))
    assert any(openssh.fingerprint() in each for each in caught.value.details)
    assert f"backupctl trust pin --location {openssh.url('')} -s vc01" in str(caught.value.hint)
    assert (home / ".ssh" / "known_hosts").read_bytes() == before


def test_pinned_host_key_counts_alone(openssh: OpenSshServer, home: Path) -> None:
    write_known_hosts(home, "[127.0.0.1]:{port} {other}", openssh)
    opened(openssh.access()).close()
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{openssh.port} {openssh.public_key()}\n")
    pinned = replace(openssh.access(), host_key=fingerprint_of(home / "other.pub"))
    with pytest.raises(TargetIdentityError, match="is not the pinned one") as caught:
        opened(pinned)
    assert openssh.fingerprint() in caught.value.details[1]


def test_server_that_never_answers_is_left(openssh: OpenSshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        location = Location.parse(f"sftp://127.0.0.1:{silent.getsockname()[1]}/").of_type(None)
        with pytest.raises(TargetUnreachableError, match="no answer"):
            opened(replace(openssh.access(), location=location))


def test_nothing_listens(openssh: OpenSshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    with pytest.raises(TargetUnreachableError, match="Connection refused"):
        opened(replace(openssh.access(), location=Location.parse(f"sftp://127.0.0.1:{port}/").of_type(None)))


def test_every_file_is_closed(openssh: OpenSshServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(2 * CHUNK_BYTES))
    with closing(opened(openssh.access(tmp_path))) as target:
        assert len(content(target, ("file",))) == 2 * CHUNK_BYTES
        with closing(target.open_read(("file",))) as chunks:
            next(chunks)
        files = [each for each in gc.get_objects() if isinstance(each, paramiko.SFTPFile)]
        assert all(each.closed for each in files)


def test_read_from_a_lost_connection_prints_nothing(
    openssh: OpenSshServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(bytes(4 * CHUNK_BYTES))
    location = Location.parse(f"sftp://{HOST}:{openssh.port}{tmp_path}").of_type(None)
    with lossy_relay([openssh.port]):
        target = opened(replace(openssh.access(), location=location))
        chunks = target.open_read(("file",))
        assert len(next(chunks)) == CHUNK_BYTES
    with pytest.raises(TargetUnreachableError):
        target.list(())
    with pytest.raises(TargetUnreachableError):
        next(chunks)
    assert capfd.readouterr() == ("", "")
