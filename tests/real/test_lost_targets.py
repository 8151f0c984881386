"""Backup servers that are lost while their archives are read: at each of twenty moments, and in each protocol.

A list is whole, or it is an error with exit code 5; nothing hangs, and nothing is printed.
"""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from backupctl.clock import SystemClock
from backupctl.location import Location
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.scheduler.workers import ThreadWorkers
from backupctl.secrets.secret import Secret
from backupctl.targets import ftp, sftp, target, webdav
from backupctl.targets.access import TargetAccess
from backupctl.tls.trust_settings import TrustSettings
from tests.support import samba_server
from tests.support.apache_server import ApacheServer
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine, Run
from tests.support.lossy_relay import HOST, Loss, lossy_relay
from tests.support.openssh_server import OpenSshServer
from tests.support.processes import CLOCK
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


class RealTime(SystemClock, FakeClock):
    """The clock of this machine, where the command line of the tests wants a fake one."""


def list_archives(access: TargetAccess) -> Run:
    assert access.user is not None
    assert access.password is not None
    backupctl = CommandLine(clock=RealTime(), workers=ThreadWorkers(), environ={})
    pin = access.host_key or access.tls.fingerprint
    return backupctl(
        *("archive", "list", "--direct", "-o", "json", "--location", access.location.text),
        *("--location-user", access.user, *(("--location-fingerprint", pin) if pin else ())),
        environ={"BACKUPCTL_LOCATION_PASSWORD": access.password.reveal()},
    )


def run_of(place: Place, limit: int | None, loss: Loss) -> Run:
    """List the archives while the server is lost after ``limit`` bytes; fail if the command waits for it forever."""
    started = CLOCK.monotonic()
    with lossy_relay(place.ports, limit, loss) as relay:
        rescue = threading.Timer(SECONDS, relay.close)
        rescue.start()
        run = list_archives(place.access)
        rescue.cancel()
        rescue.join()
    assert CLOCK.monotonic() - started < SECONDS, f"no end after {limit} bytes: {run}"
    return run


@pytest.fixture(scope="module")
def whole(place: Place) -> tuple[Run, int]:
    """List the archives of a server that is not lost, and return the number of bytes that it takes."""
    with lossy_relay(place.ports) as relay:
        run = list_archives(place.access)
        assert [each["state"] for each in run.result["archives"]] == ["complete"] * ARCHIVES, run
        return run, relay.passed


def wait_for_a_second_only(patch: pytest.MonkeyPatch) -> None:
    for module in ftp, sftp, target, webdav:
        patch.setattr(module, "ANSWER_SECONDS", 1.0)
        patch.setattr(module, "CONNECT_SECONDS", 1.0)


@pytest.mark.parametrize("loss", MOMENTS)
def test_lost_server_is_an_error_and_never_half_a_list(
    loss: Loss,
    place: Place,
    whole: tuple[Run, int],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed, total = whole
    if loss in {"stall", "drip"}:
        wait_for_a_second_only(monkeypatch)
    lost = 0
    for moment in MOMENTS[loss]:
        run = run_of(place, total * moment // 20, loss)
        if run.code == 0:
            assert run.out == listed.out, moment
        else:
            assert (run.code, run.result["error"]["slug"]) == (5, "target-connection"), f"{moment}: {run}"
            lost += 1
    assert lost >= len(MOMENTS[loss]) - 1  # the last bytes may be those of a goodbye
    assert capfd.readouterr() == ("", "")
