"""The play of ``backupctl help ansible`` runs with a real Ansible against simulated appliances."""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests import wording
from tests.support.command_line import Run, write_private
from tests.support.documents import text_of
from tests.support.processes import (
    ROOT,
    Program,
    Programs,
    ServedAppliance,
    Simulators,
    require_program,
    run_in_parallel,
)

pytestmark = pytest.mark.real

PAGE = text_of("ansible")
FILES = dict(re.findall(r"```(?:yaml|toml)\n# ([^\n]+)\n(.*?)```", PAGE, re.DOTALL))

SECRETS = {"vcenter": "VMware1!", "location": "Location-Secret-1", "backup": "Backup-Secret-1"}
SECONDS = 60.0


class Project:
    """The page's files in a directory, for these appliances in the place of vc01, vc02 and so on."""

    def __init__(self, programs: Programs, served: Sequence[ServedAppliance]) -> None:
        self.playbook = require_program("ansible-playbook")
        self._programs = programs
        self.folder = programs.home / "project"
        self.folder.mkdir()
        config = FILES["backupctl.toml"].replace("svc-backup@vsphere.local", served[0].username)
        for number, each in enumerate(served, 1):
            trust = f'"{each.url}"\nfingerprint = "{each.fingerprint}"'
            config = config.replace(f'"vc{number:02}.example.com"', trust)
        (self.folder / "backupctl.toml").write_text(config)
        hosts = re.findall(r"vc\d\d", FILES["inventory.yml"])[: len(served)]
        assert len(hosts) == len(served)
        (self.folder / "inventory.yml").write_text(FILES["inventory.yml"])
        (self.folder / "backup.yml").write_text(FILES["backup.yml"])
        self._limit = ",".join(hosts)
        self._bin = programs.home / "bin"
        self._bin.mkdir()
        program = self._bin / "backupctl"
        program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m backupctl "$@"\n')
        program.chmod(0o755)

    def write_passwords(self, folder: Path) -> None:
        for name, secret in SECRETS.items():
            write_private(folder / f"{name}.password", f"{secret}\n")

    def play(self, *words: str, environ: Mapping[str, str] | None = None) -> "Recap":
        """Run the play, and require that its output holds no secret."""
        complete = {**self._programs.environ(environ or {}), "BACKUPCTL_INTERVAL": "0.2s", "ANSIBLE_NOCOLOR": "1"}
        complete["PATH"] = f"{self._bin}:{complete['PATH']}"
        del complete["PYTHONPATH"]
        argv = [
            self.playbook,
            "-i",
            "inventory.yml",
            "backup.yml",
            "--limit",
            self._limit,
            "-e",
            "busy_delay=1",
            *words,
        ]
        run = self._programs.start(argv, complete, cwd=self.folder).wait_unchecked(SECONDS)
        assert [secret for secret in SECRETS.values() if secret in run.out + run.err] == []
        return Recap(run)


class Recap:
    """What a run of the play says: its output, and for each host the counts of its last lines that are not 0."""

    def __init__(self, run: Run) -> None:
        self.code = run.code
        self.text = run.out + run.err
        lines = run.out.partition("PLAY RECAP")[2].splitlines()[1:]
        self.hosts = {
            line.split()[0]: {name: int(count) for name, count in re.findall(r"(\w+)=([1-9]\d*)", line)}
            for line in lines
            if line.strip()
        }

    def failed(self, host: str) -> str:
        """Return the message with which a host fails."""
        return self.text.partition(f"fatal: [{host}]: FAILED!")[2].partition("\n}")[0]


def jobs(program: Program, served: ServedAppliance) -> list[str]:
    """Return the states of an appliance's jobs, newest first."""
    found = program.run("list", "-o", "json", environ=served.environ).result["jobs"]
    return [job["state"] for job in found]


def test_play_makes_backups_and_reports_the_one_that_fails(
    programs: Programs, program: Program, serve: Simulators
) -> None:
    """One appliance succeeds, one fails at 40 %, one is busy with another backup first; secrets come as from AWX."""
    faults = [[], ["fail-at=40"], ["busy=12s"]]
    served = run_in_parallel(lambda each: serve(faults=each), faults)
    project = Project(programs, served)
    secrets = programs.home / "injected"
    secrets.mkdir()
    project.write_passwords(secrets)
    names = re.findall(r"  (BACKUPCTL_\w+):", FILES["credential type, injector configuration"])
    environ = {name: str(secrets / f"{secret}.password") for name, secret in zip(names, SECRETS, strict=True)}

    played = project.play("-vvv", environ=environ)
    assert played.code == 2, played.text
    assert played.hosts == {
        "vc01": {"ok": 3, "changed": 1, "skipped": 4},
        "vc02": {"ok": 1, "failed": 1, "skipped": 2},
        "vc03": {"ok": 2, "changed": 1, "skipped": 3},
    }
    assert "BackupManager encountered an exception" in played.failed("vc02")
    assert re.search(r"RETRYING: \[vc03\]: Make a backup", played.text)
    made = [["SUCCEEDED"], ["FAILED"], ["SUCCEEDED", "SUCCEEDED"]]
    assert [jobs(program, each) for each in served] == made

    checked = project.play("--check", environ=environ)
    assert checked.code == 0, checked.text
    assert [counts.get("changed", 0) for counts in checked.hosts.values()] == [0, 0, 0]
    assert [jobs(program, each) for each in served] == made


def test_attached_backup_is_no_change(programs: Programs, program: Program, serve: Simulators) -> None:
    served = serve(seconds="15s")
    project = Project(programs, [served])
    project.write_passwords(project.folder)
    environ = {**served.environ, "BACKUPCTL_LOCATION": "sftp://backup.example.com/vcenter/vc01"}
    assert program.run("create", "--no-wait", environ=environ).code == 0
    played = project.play()
    assert (played.code, played.hosts) == (0, {"vc01": {"ok": 3, "skipped": 4}}), played.text
    assert jobs(program, served) == ["SUCCEEDED"]


def test_long_backup_is_followed_and_one_to_another_location_does_not_count(
    programs: Programs, program: Program, serve: Simulators
) -> None:
    served = serve(faults=["busy=8s"], seconds="3s")
    project = Project(programs, [served])
    project.write_passwords(project.folder)
    played = project.play("-e", "backup_timeout=1s", "-e", "busy_retries=20")
    assert (played.code, played.hosts) == (0, {"vc01": {"ok": 4, "changed": 1, "skipped": 3}}), played.text
    assert jobs(program, served) == ["SUCCEEDED", "SUCCEEDED"]


def test_rejected_login_is_tried_on_one_appliance_only(programs: Programs, serve: Simulators) -> None:
    served = serve.many(3)
    project = Project(programs, served)
    project.write_passwords(project.folder)
    write_private(project.folder / "vcenter.password", "wrong\n")
    played = project.play("-vvv")
    assert (played.code, played.hosts) == (2, {"vc01": {"ok": 1, "failed": 1}}), played.text
    assert wording.WRONG_LOGIN in played.text
    assert "Make a backup" not in played.text


def test_passwords_may_come_from_variables(programs: Programs, program: Program, serve: Simulators) -> None:
    served = serve()
    project = Project(programs, [served])
    task = FILES["the first task, with Ansible Vault"]
    play = FILES["backup.yml"].replace("  tasks:\n", f"  tasks:\n{task}\n")
    (project.folder / "backup.yml").write_text(play)
    write_private(project.folder / "vault.yml", f"passwords: {SECRETS}\n")
    played = project.play("-vvv", "-e", "@vault.yml")
    assert (played.code, played.hosts) == (0, {"vc01": {"ok": 4, "changed": 1, "skipped": 4}}), played.text
    assert jobs(program, served) == ["SUCCEEDED"]
