"""archive prune in processes: over SFTP, and killed at random moments."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from backupctl.location import Location
from backupctl.models import ArchiveFilter
from backupctl.operations.target_archives import list_archives
from backupctl.targets.path import PathTarget
from tests.support.archive_folder import ArchiveFolder
from tests.support.archive_folders import archive_name
from tests.support.openssh_server import PASSWORD, USER, OpenSshServer
from tests.support.processes import CLOCK, Program, Programs, ServedAppliance, Simulators, run_in_parallel, wait_until

pytestmark = pytest.mark.real

KILLS = 200
LANES = 4
REMOVAL_SECONDS = 0.01
SLOW = f"""
import sys, time
from backupctl.__main__ import main
from backupctl.targets.path import PathTarget

def slowed(remove):
    def slow(target, path):
        print("removing", path[-1], file=sys.stderr, flush=True)
        time.sleep({REMOVAL_SECONDS})
        remove(target, path)
        time.sleep({REMOVAL_SECONDS})
    return slow

PathTarget.remove_file = slowed(PathTarget.remove_file)
PathTarget.remove_empty_dir = slowed(PathTarget.remove_empty_dir)
sys.exit(main())
"""
NAMES = [archive_name(f"202602{day:02}-020000") for day in range(1, 7)]
KEPT = NAMES[-2:]


def complete(folder: ArchiveFolder) -> set[str]:
    """Return the archives that the program takes for complete."""
    target, system = PathTarget(folder.root), folder.path.name
    location = Location.parse("sftp://backup.example.com/vcenter")
    found = list_archives(target, location, system, ArchiveFilter()).archives
    return {each.archive for each in found if each.state == "complete"}


class Lane:
    """Prunes its own folders again and again, and kills each run at a random moment."""

    def __init__(self, programs: Programs, served: ServedAppliance, newest: str, root: Path, seed: int) -> None:
        self.programs, self.served, self.newest, self.root = programs, served, newest, root
        self.chance = random.Random(seed)
        self.kills = self.finished = 0

    def run(self) -> None:
        while self.kills < KILLS // LANES:
            folder = ArchiveFolder(self.root / str(self.finished), "127.0.0.1")
            folder.add(*NAMES, self.newest)
            whole = folder.files()
            while self.killed(folder):
                self.check(folder, whole)
            assert folder.names == [*KEPT, self.newest]
            assert {name.split("/")[2] for name in folder.files()} == {*KEPT, self.newest}
            self.finished += 1

    def killed(self, folder: ArchiveFolder) -> bool:
        """Start a run and return whether it was killed; otherwise it has finished."""
        words = ("archive", "prune", *folder.words, "--keep-last", "2", "--yes")
        process = self.programs.start(
            [sys.executable, "-c", SLOW, *words], self.programs.environ(self.served.environ), stdout=subprocess.DEVNULL
        )
        process.waited_for = True
        removals = 8 * (len(folder.names) - len(KEPT) - 1)
        err = process.err
        assert err is not None
        wait_until(lambda: "removing" in err.text or not process.running, "the first removal")
        CLOCK.sleep(self.chance.uniform(0, 2 * REMOVAL_SECONDS * removals * 1.1))
        if process.running:
            process.kill()
            self.kills += 1
            return True
        run = process.wait()
        assert run.code == 0, run.err
        return False

    def check(self, folder: ArchiveFolder, whole: dict[str, bytes]) -> None:
        left = folder.files()
        assert left.items() <= whole.items()
        intact = {
            name for name in (*NAMES, self.newest) if all(path in left for path in whole if path.split("/")[2] == name)
        }
        assert complete(folder) == folder.looking_complete() == intact
        assert intact >= {*KEPT, self.newest}


def archive_of_newest_job(program: Program, served: ServedAppliance) -> str:
    job = program.run("status", "latest", "-o", "json", environ=served.environ).result["job"]["id"]
    return archive_name(job.rpartition("-")[0], kind="S")


def test_prune_that_is_killed_leaves_nothing_that_looks_complete_and_is_not(
    program: Program, programs: Programs, serve: Simulators, tmp_path: Path
) -> None:
    served = serve("--history")
    newest = archive_of_newest_job(program, served)
    lanes = [Lane(programs, served, newest, tmp_path / f"lane{number}", number) for number in range(LANES)]
    run_in_parallel(Lane.run, lanes)
    assert sum(lane.kills for lane in lanes) >= KILLS
    assert sum(lane.finished for lane in lanes) >= LANES


def test_prune_over_sftp(program: Program, serve: Simulators, openssh: OpenSshServer, tmp_path: Path) -> None:
    folder = ArchiveFolder(tmp_path / "served", "127.0.0.1")
    served = serve("--history")
    newest = archive_of_newest_job(program, served)
    folder.add(*NAMES, newest)
    words = ("--location", openssh.url(folder.root), "--location-user", USER, "--keep-last", "2", "--yes", "-o", "json")
    environ = served.environ | {"BACKUPCTL_LOCATION_PASSWORD": PASSWORD}
    run = program.run("archive", "prune", *words, "--location-fingerprint", openssh.fingerprint(), environ=environ)
    assert (run.code, [each["removed"] for each in run.result["remove"]]) == (0, [True] * 4)
    assert folder.names == [*KEPT, newest]
    assert folder.looking_complete() == {*KEPT, newest}
