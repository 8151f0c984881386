"""The cost of reading backup locations from this host: time, round trips, connections, memory.

Run with ``pytest -m benchmark -s tests/benchmarks/test_targets.py``. A location is a folder of this host, or the same
folder on an OpenSSH server, reached directly or with a latency. ``--fleet 1000x60`` backs up a thousand appliances.
"""

import gzip
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from tests.support.archive_folders import archive_files, archive_name, write_archive
from tests.support.command_line import write_private
from tests.support.latency_relay import LatencyRelay, latency_relay
from tests.support.openssh_server import PASSWORD, USER, OpenSshServer, openssh_server
from tests.support.resource_usage import Usage, measure
from tests.support.served_fleet import serve_fleet

pytestmark = pytest.mark.benchmark

MOST_MEMORY = 120.0
"""MiB, whatever lies at the location, and for a thousand appliances."""
MOST_CONNECTIONS = 4
"""In a run, one after another or at once: each costs the key exchange and a login."""
LATENCY = 0.005
ROUND_TRIPS = {
    ("archive", "list", "--direct"): 10,
    ("archive", "verify", "--all"): 22,
    ("archive", "verify", "--all", "--level", "unchanged"): 120,
    ("archive", "verify", "--all", "--level", "readable"): 120,
}
"""The most round trips for each archive of 30 files, each of which takes three or four to be read."""
HEAD = ["command", "location", "wall s", "CPU s", "memory MiB", "connections", "at once", "round trips"]

Show = Callable[[Sequence[str], Sequence[Sequence[object]]], None]

NAME = archive_name("20260301-020000")
FILES = {f"more_{number:02}.tar.gz": gzip.compress(os.urandom(1000)) for number in range(23)} | archive_files()
"""30 files."""


@dataclass(frozen=True)
class Place:
    """A way to a folder: what the table calls it, the words that name it, and the relay that counts."""

    name: str
    words: tuple[str, ...]
    relay: LatencyRelay | None = None

    @property
    def counts(self) -> list[int]:
        relay = self.relay
        return [relay.connections, relay.most_open, relay.round_trips] if relay else [0, 0, 0]


@pytest.fixture(scope="module")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSshServer]:
    with openssh_server(tmp_path_factory.mktemp("openssh")) as server:
        yield server


@contextmanager
def places(folder: Path, openssh: OpenSshServer) -> Iterator[list[Place]]:
    url, pin = "nfs://nfs.example.com/vcenter", ("--location-fingerprint", openssh.fingerprint())
    with latency_relay(openssh.port, 0.0) as near, latency_relay(openssh.port, LATENCY) as far:
        yield [
            Place("path", ("--location", url, "--path-for", f"{url}={folder}")),
            Place("sftp", ("--location", f"sftp://127.0.0.1:{near.port}{folder}", *pin), near),
            Place("sftp 5 ms", ("--location", f"sftp://127.0.0.1:{far.port}{folder}", *pin), far),
        ]


def configured(folder: Path, systems: int) -> dict[str, str]:
    """Return an environment that names appliances and the login at their location."""
    text = f'[defaults]\nlocation-user = "{USER}"\n'
    text += "".join(f'[servers.{name}]\nhost = "{name}.example.com"\n' for name in map(system_name, range(systems)))
    config = write_private(folder / "config.toml", text)
    secrets = {"BACKUPCTL_LOCATION_PASSWORD": PASSWORD}
    return {"BACKUPCTL_CONFIG": str(config), "BACKUPCTL_STATE_DIR": str(folder / "state"), **secrets}


def system_name(number: int) -> str:
    return f"vc{number:04}"


def written(folder: Path, systems: int, files: dict[str, bytes]) -> Path:
    """Write an archive for each system, and return the location."""
    for number in range(systems):
        write_archive(folder, f"{system_name(number)}.example.com", NAME, files)
    return folder


def row(words: Sequence[str], place: Place, folder: Path, environ: dict[str, str]) -> tuple[list[object], Usage]:
    """Run a command, and return a row of the table and the run."""
    before = place.counts
    run = measure([*words, *place.words, "-o", "json"], folder, environ)
    assert run.code == 0, run.err + run.out[:2000]
    connections, most, trips = place.counts
    assert run.memory < MOST_MEMORY
    counts = [connections - before[0], most, trips - before[2]]
    assert counts[0] <= MOST_CONNECTIONS
    return [" ".join(words), place.name, run.wall, run.cpu, run.memory, *counts], run


def test_3000_files_in_100_archives(tmp_path: Path, openssh: OpenSshServer, show: Show) -> None:
    location, environ = written(tmp_path / "store", 100, FILES), configured(tmp_path, 100)
    rows = []
    with places(location, openssh) as found:
        for place, (words, most_each) in product(found, ROUND_TRIPS.items()):
            cells, _ = row(words, place, tmp_path, environ)
            assert place is not found[-1] or float(str(cells[-1])) <= most_each * 100
            rows.append(cells)
    show(HEAD, rows)


def test_memory_is_bounded(tmp_path: Path, openssh: OpenSshServer, show: Show) -> None:
    many, large = written(tmp_path / "many", 1, {}), written(tmp_path / "large", 1, {})
    system = many / "vCenter" / f"sn_{system_name(0)}.example.com"
    for number in range(20_000 - 1):
        (system / f"file{number}").touch()
    with (large / system.relative_to(many) / NAME / "vum.gz").open("wb") as file:
        for _ in range(50):
            file.write(gzip.compress(os.urandom(4 * 1024 * 1024), 0))
    environ = configured(tmp_path, 1)
    rows = []
    for folder, words in (
        (many, ("archive", "list", "--direct", "--all")),
        (large, ("archive", "verify", "--all", "--level", "readable")),
    ):
        with places(folder, openssh) as found:
            rows += [[folder.name, *row(words, place, tmp_path, environ)[0]] for place in found[:2]]
    show(["what", *HEAD], rows)


def test_thousand_appliances_share_a_location(tmp_path: Path, openssh: OpenSshServer, show: Show) -> None:
    location, environ = written(tmp_path / "store", 1000, {}), configured(tmp_path, 1000)
    rows = []
    with places(location, openssh) as found:
        for place in found[:2]:
            for words in (("archive", "list", "--direct", "--all"), ("archive", "verify", "--all")):
                cells, run = row(words, place, tmp_path, environ)
                assert len(json.loads(run.out)["results"]) == 1000
                rows.append(cells)
    show(HEAD, rows)


def test_backups_of_many_appliances_are_verified(
    tmp_path: Path, openssh: OpenSshServer, show: Show, request: pytest.FixtureRequest
) -> None:
    size, _, seconds = (request.config.getoption("--fleet") or "100x2").partition("x")
    store, location = tmp_path / "store", tmp_path / "location"
    (store / "127.0.0.1" / location.relative_to("/")).mkdir(parents=True)
    location.symlink_to(store / "127.0.0.1" / location.relative_to("/"))
    rows = []
    with (
        serve_fleet(tmp_path, appliances=int(size), job_duration=float(seconds), store=store) as served,
        places(location, openssh) as found,
    ):
        config = served.config.read_text()
        config = re.sub(r"(\[servers\.vc(\d+)\]\n)", r'\1system = "vcsa\2.simulator.test"\n', config)
        served.config.write_text(config.replace("[defaults]\n", f'[defaults]\nlocation-user = "{USER}"\n'))
        environ = {"BACKUPCTL_STATE_DIR": str(tmp_path), "BACKUPCTL_LOCATION_PASSWORD": PASSWORD, **served.environ}
        for more in ((), ("--verify",)):
            words = ("create", "--all", "--parallel", "0", *more)
            cells, run = row(words, found[1], tmp_path, environ)
            assert len([each for each in json.loads(run.out)["results"] if "verification" in each]) == len(more) * int(
                size
            )
            rows.append([size, seconds, *cells])
    show(["appliances", "job s", *HEAD], rows)
