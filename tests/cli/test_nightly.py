"""The nightly run is what the manual shows, with what is different on this machine."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from backupctl.cli.nightly import SYSTEM_UNITS, NightlyRun, check_time
from backupctl.errors import UsageError
from backupctl.help.manual import topic

PROGRAM = "/usr/local/bin/backupctl"
AS_THE_MANUAL = {
    "password": "/etc/backupctl/vcenter.password",
    "location-password": "/etc/backupctl/location.password",
    "backup-password": "/etc/backupctl/backup.password",
}


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program be where everybody finds it."""
    monkeypatch.setattr("shutil.which", lambda _name, **_options: PROGRAM)
    monkeypatch.setattr("backupctl.cli.nightly._HIDDEN", ("/nowhere/",))


def nightly(
    words: tuple[str, ...] = ("-g", "production"),
    time: str = "02:30",
    files: Mapping[str, str] | None = AS_THE_MANUAL,
    *,
    system: bool = True,
) -> NightlyRun:
    return NightlyRun(words, time, files, system, {"HOME": "/home/a"})


def manual_units() -> dict[Path, str]:
    return {Path(name): text for name, text in re.findall(r"```ini\n# (/\S+)\n(.*?)```", topic("systemd"), re.DOTALL)}


def test_units_of_the_system_are_those_of_the_manual() -> None:
    assert nightly().units == manual_units()
    assert {path.parent for path in manual_units()} == {SYSTEM_UNITS}


def test_units_have_the_words_the_time_and_the_files_of_this_machine() -> None:
    run = nightly(("--all", "--config", "/srv/100%.toml"), "23:05", {"password": "/srv/a %h"})
    service, timer, _ = run.units.values()
    assert f"ExecStart={PROGRAM} create --all --config /srv/100%%.toml\n" in service
    assert re.findall("LoadCredential=.*", service) == ["LoadCredential=password:/srv/a %%h"]
    assert "OnCalendar=*-*-* 23:05\n" in timer


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/srv/$x/${HOME}", "/srv/$$x/$${HOME}"),
        ("/srv/a b", '"/srv/a b"'),
        ("/srv/it's", '"/srv/it\'s"'),
        ('/srv/"\\', '"/srv/\\"\\\\"'),
    ],
)
def test_unit_has_words_as_systemd_reads_them(path: str, word: str) -> None:
    service, *_ = nightly(("--config", path)).units.values()
    assert f"ExecStart={PROGRAM} create --config {word}\n" in service


def test_unit_whose_secrets_are_elsewhere_runs_as_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    service, *_ = nightly(files=None).units.values()
    assert not re.search("LoadCredential|DynamicUser|Protect", service)
    monkeypatch.setattr("backupctl.cli.nightly._HIDDEN", (sys.executable,))
    assert nightly().units[SYSTEM_UNITS / "backupctl.service"] == service


def test_units_of_a_user_name_no_unit_of_the_system() -> None:
    units = nightly(system=False).units
    assert list(units) == [Path(f"/home/a/.config/systemd/user/backupctl.{kind}") for kind in ("service", "timer")]
    assert not re.search("network|OnFailure|DynamicUser", "".join(units.values()))


def test_crontab_line_is_that_of_the_manual() -> None:
    (block,) = re.findall(r"```crontab\n(.*?)```", topic("cron"), re.DOTALL)
    line = nightly().crontab_line
    assert line.replace(PROGRAM, "backupctl") == block.splitlines()[-1] + "\n"
    assert nightly(time="00:05").crontab_line.startswith("5 0 * * * ")
    assert nightly(("--all",)).crontab_line.count("--all") == line.count("-g production")


def test_program_that_is_not_installed_is_started_as_a_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda _name, **_options: None)
    (tmp_path / "backupctl").mkdir()
    monkeypatch.chdir(tmp_path / "backupctl")
    assert nightly().crontab_line.startswith(f"30 2 * * * {sys.executable} -m backupctl create ")


@pytest.mark.parametrize("text", ["24:00", "2:30", "02:60", "now", ""])
def test_wrong_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        check_time(text)


def test_nothing_is_installed_without_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name, **_options: None)
    assert not any(nightly().can_install(kind) for kind in ("systemd", "cron"))
