"""Backup servers that are lost while their archives are read: at each of twenty moments, and in each protocol.

A list is whole, or it is an error with exit code 5; nothing hangs, and nothing is printed.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from backupctl.clock import SystemClock
from backupctl.errors import BackupctlError
from backupctl.location import Location
from backupctl.operations.target_archives import FoundArchives, find_systems, read_archives
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.secrets.secret import Secret
from backupctl.targets import ftp, sftp, target, webdav
from backupctl.targets.access import TargetAccess
from backupctl.targets.open_target import open_target
from backupctl.targets.target import SubTarget
from backupctl.targets.target_errors import TargetUnreachableError
from backupctl.tls.trust_settings import TrustSettings
from tests.support import samba_server
from tests.support.apache_server import ApacheServer
from tests.support.lossy_relay import HOST, Loss, lossy_relay
from tests.support.openssh_server import OpenSshServer
from tests.support.samba_server import samba
from tests.support.vsftpd_server import VsftpdServer

pytestmark = pytest.mark.real

Fixture = Callable[[str], Any]

MOMENTS: dict[Loss, range] = {
    "reset": range(0, 20, 2),
    "close": range(1, 20, 2),
    "stall": range(2, 20, 6),
    "drip": range(3, 20, 6),
}
"""When a server is lost: in twentieths of the bytes that it sends."""

ARCHIVES = 4
SECONDS = 20.0


class Place(NamedTuple):
    """A location behind the relay, and the ports of its server."""

    access: TargetAccess
    ports: tuple[int, ...]


def fill(folder: Path) -> Path:
    """Make archives of one system in a folder."""
    for day in range(1, ARCHIVES + 1):
        archive = folder / "vCenter" / "sn_vc01.example.com" / f"M_8.0.0.10000_2026030{day}-020000_"
        archive.mkdir(parents=True)
        (archive / "backup-metadata.json").write_text('{"BackupSize": 300000}')
        for name in "config_files.tar.gz", "database_full_backup.gz":
            (archive / name).write_bytes(bytes(150_000))
    return folder


def on_sftp(fixture: Fixture, folder: Path) -> Iterator[Place]:
    server: OpenSshServer = fixture("openssh")
    known = server.access(fill(folder))
    yield place_of(known, (server.port,), known.location.folder)


def on_ftp(fixture: Fixture, _folder: Path, kind: str = "ftp") -> Iterator[Place]:
    server: VsftpdServer = fixture("vsftpd")
    with server.folder(f"lost-{kind}") as folder:
        server.give(fill(folder))
        pin = fingerprint_of(server.certificates[kind]) if kind == "ftps" else None
        known = server.access(kind, tls=TrustSettings(fingerprint=pin))
        yield place_of(known, (server.ports[kind], *server.passive), folder.name)


def on_webdav(fixture: Fixture, _folder: Path, kind: str = "https") -> Iterator[Place]:
    server: ApacheServer = fixture("apache")
    with server.folder(f"lost-{kind}") as folder:
        server.give(fill(folder))
        pin = fingerprint_of(server.certificates[kind]) if kind == "https" else None
        known = server.access(kind=kind, tls=TrustSettings(fingerprint=pin))
        yield place_of(known, (server.ports[kind],), f"dav/{folder.name}")


def on_smb(fixture: Fixture, folder: Path) -> Iterator[Place]:
    (folder / "smb").mkdir()
    with samba(folder / "smb", {"store": fill(folder / "store")}) as port:
        access = TargetAccess(
            Location.parse(f"smb://127.0.0.1:{port}"), samba_server.USER, Secret(samba_server.PASSWORD)
        )
        yield place_of(access, (port,), "store")


def place_of(known: TargetAccess, ports: tuple[int, ...], folder: str) -> Place:
    location = Location.parse(f"{known.location.scheme}://{HOST}:{ports[0]}/{folder}").of_type(None)
    return Place(msgspec.structs.replace(known, location=location), ports)


PLACES: dict[str, Callable[[Fixture, Path], Iterator[Place]]] = {
    "sftp": on_sftp,
    "ftp": on_ftp,
    "ftps": partial(on_ftp, kind="ftps"),
    "http": partial(on_webdav, kind="http"),
    "https": on_webdav,
    "smb": on_smb,
}


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    yield from PLACES[request.param](request.getfixturevalue, tmp_path_factory.mktemp("lost"))


def read_all(access: TargetAccess) -> FoundArchives:
    with closing(open_target(access, SystemClock())) as opened:
        within = SubTarget(opened, access.folder)
        (system,) = find_systems(within)
        return read_archives(within, access.location, system)


def outcome_of(place: Place, limit: int | None, loss: Loss) -> FoundArchives | BackupctlError:
    """Return what reading comes to if the server is lost after ``limit`` bytes; fail if it does not end."""
    found: list[FoundArchives | Exception] = []

    def read() -> None:
        try:
            found.append(read_all(place.access))
        except Exception as error:  # noqa: BLE001 - raised again below
            found.append(error)

    with lossy_relay(place.ports, limit, loss):
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(SECONDS)
    assert found, f"reading did not end after {limit} bytes"
    if not isinstance(found[0], FoundArchives | BackupctlError):
        raise found[0]
    return found[0]


@pytest.fixture(scope="module")
def whole(place: Place) -> tuple[FoundArchives, int]:
    """Return the archives of a server that is not lost, and the number of bytes that it takes to read them."""
    with lossy_relay(place.ports) as relay:
        found = read_all(place.access)
        assert [each.state for each in found.archives] == ["complete"] * ARCHIVES
        return found, relay.passed


def wait_for_a_second_only(patch: pytest.MonkeyPatch) -> None:
    for module in ftp, sftp, target, webdav:
        patch.setattr(module, "ANSWER_SECONDS", 1.0)
        patch.setattr(module, "CONNECT_SECONDS", 1.0)


@pytest.mark.parametrize("loss", MOMENTS)
def test_lost_server_is_an_error_and_never_half_a_list(
    loss: Loss,
    place: Place,
    whole: tuple[FoundArchives, int],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, total = whole
    if loss in {"stall", "drip"}:
        wait_for_a_second_only(monkeypatch)
    errors = 0
    for moment in MOMENTS[loss]:
        outcome = outcome_of(place, total * moment // 20, loss)
        if isinstance(outcome, BackupctlError):
            assert type(outcome) is TargetUnreachableError, f"{moment}: {outcome!r}"
            errors += 1
        else:
            assert outcome == found, moment
    assert errors >= len(MOMENTS[loss]) - 1  # the last bytes may be those of a goodbye
    assert capfd.readouterr() == ("", "")
