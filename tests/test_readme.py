"""The README is correct: options, variables, codes, command lines and examples match the program."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from backupctl.cli.lazy_group import LazyGroup
from backupctl.cli.root import COMMANDS, root
from backupctl.config.environment import environment_names
from backupctl.errors import BackupctlError
from backupctl.exit_codes import ExitCode
from backupctl.simulator.faults import KINDS, PHASES
from tests.support.command_line import LOCATION, PASSWORD, CommandLine, write_private
from tests.support.readme_options import option_table
from tests.support.readme_picture import picture

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def shell_lines() -> list[str]:
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    lines += [line.partition("=")[2] for line in "\n".join(blocks("ini")).splitlines() if line.startswith("ExecStart")]
    lines += [line for line in "\n".join(blocks("crontab")).splitlines() if "backupctl create" in line]
    found = [re.search(r"(?:^|[ /])backupctl ((?!\()[a-z-].*)", line) for line in lines]
    return [re.split(r" > | && | \|\| |\s+#", match[1])[0] for match in found if match]


def slugs(cls: type[BackupctlError] = BackupctlError) -> set[str]:
    return {cls.slug}.union(*(slugs(child) for child in cls.__subclasses__()))


@pytest.mark.parametrize("line", shell_lines())
def test_command_line_of_the_readme_is_valid(line: str) -> None:
    assert isinstance(root, LazyGroup)
    words = shlex.split(line)
    command: click.Command = root.load(words[0])
    arguments = words[1:]
    if isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]
    command.make_context(words[0], arguments)


def test_readme_has_command_lines_for_every_command() -> None:
    assert {line.split()[0] for line in shell_lines()} == set(COMMANDS)


def test_readme_table_of_options_matches_the_program() -> None:
    assert option_table() in README


def test_readme_names_exactly_the_environment_variables() -> None:
    named = set(re.findall(r"BACKUPCTL_[A-Z_]*[A-Z]", README))
    assert named == set(environment_names())


def test_readme_table_of_exit_codes_matches_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| (?:`([a-z-]+)`)? ?\|", README, re.MULTILINE)
    assert [int(code) for code, _ in rows] == list(ExitCode)
    assert {slug for _, slug in rows if slug} <= slugs()
    finer = README.partition("A slug may be finer")[2].partition("\n\n")[0]
    assert slugs() == {slug for _, slug in rows if slug} | set(re.findall(r"`([a-z-]+)`", finer))


def test_readme_table_of_faults_has_each_kind() -> None:
    table = README.partition("| fault |")[2].partition("##")[0]
    assert {word.partition("=")[0] for word in re.findall(r"`([^`]+)`", table)} == set(KINDS)


def test_readme_table_of_phases_has_each_phase() -> None:
    table = README.partition("| phase |")[2].partition("| fault |")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) == set(PHASES)


def test_readme_json_example_has_the_keys_of_the_output(backupctl: CommandLine) -> None:
    (example,) = (json.loads(block) for block in blocks("json"))
    real = backupctl.create("-o", "json").json
    assert list(example) == list(real)
    assert list(example["results"][0]) == list(real["results"][0])
    assert list(example["results"][0]["job"]) == list(real["results"][0]["job"])


def test_readme_picture_is_up_to_date() -> None:
    def words(svg: str) -> list[str]:
        return re.findall(r"<text [^>]*>([^<]*)</text>", svg)

    drawn = (PROJECT / ".github" / "create.svg").read_text(encoding="utf-8")
    assert words(drawn) == words(picture())
    assert "SUCCEEDED" in words(drawn)


class ReadmeSetup:
    """The configuration and secret files of the README below ``folder``, and the appliances that they name."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        for name, secret in {"vcenter": PASSWORD, "location": "x", "backup": "VMw@re123"}.items():
            self.write(f"{name}.password", secret)
        (toml,) = blocks("toml")
        toml = toml.replace('["pass", "show", "vcenter/vc02"]', f'["cat", "{folder}/vcenter.password"]')
        self.write("config.toml", toml.replace("/etc/backupctl", str(folder)))
        self.environ = {"PATH": "/usr/bin:/bin", "BACKUPCTL_CONFIG": str(folder / "config.toml")}
        hosts = ("vc01.example.com", "vc02.example.com", "lab.example.com")
        appliances: dict[str, dict[str, Any]] = {host: {} for host in hosts}
        user = "svc-backup@vsphere.local"
        self.run = CommandLine(environ=self.environ, others=appliances, username=user, **options)

    def write(self, name: str, text: str) -> None:
        write_private(self.folder / name, text)

    def targets(self) -> dict[str, list[Any]]:
        """Return the backup requests of each appliance."""
        return {host: [job.spec for job in appliance.jobs] for host, appliance in self.run.others.items()}

    def assert_production_is_backed_up(self) -> None:
        for host, targets in self.targets().items():
            assert len(targets) == (0 if host.startswith("lab") else 1)
            for target in targets:
                assert target.encrypted
                assert target.location == f"sftp://backup.example.com/vcenter/{host.partition('.')[0]}"


def test_every_configuration_of_the_readme_passes_config_check(tmp_path: Path) -> None:
    setup = ReadmeSetup(tmp_path)
    run = setup.run("config", "check", "--run-commands", "-o", "json")
    checks = [check for result in run.json["results"] for check in result["checks"]]
    assert (run.code, {check["status"] for check in checks}) == (0, {"OK"})
    assert len(run.json["results"]) == 4


def test_read_only_server_of_the_readme_is_not_changed(tmp_path: Path) -> None:
    setup = ReadmeSetup(tmp_path)
    run = setup.run("create", "--all", "-o", "json")
    assert [result["exit_code"] for result in run.json["results"]] == [0, 0, 3]
    setup.assert_production_is_backed_up()


def crontab_words() -> list[str]:
    (crontab,) = blocks("crontab")
    command = crontab.splitlines()[-1].partition(" backupctl ")[2].partition(" || ")[0]
    return shlex.split(command)


def test_crontab_of_the_readme_prints_nothing_when_all_backups_succeed(tmp_path: Path) -> None:
    setup = ReadmeSetup(tmp_path)
    run = setup.run(*crontab_words())
    assert (run.code, run.out, run.err) == (0, "", "")
    setup.assert_production_is_backed_up()


def test_crontab_of_the_readme_reports_the_failed_appliance_and_the_reason(tmp_path: Path) -> None:
    setup = ReadmeSetup(tmp_path)
    setup.run.others["vc02.example.com"].inject("fail-at=40")
    run = setup.run(*crontab_words())
    (job,) = setup.run.others["vc02.example.com"].jobs
    assert (run.code, run.out) == (7, "")
    assert f"error: vc02 says that backup job {job.job_id} ended as FAILED" in run.err
    assert "BackupManager encountered an exception" in run.err
    assert "vc01:" not in run.err
    (crontab,) = blocks("crontab")
    check = shlex.split(crontab.rpartition("to look: backupctl ")[2].strip().strip('"'))
    checked = setup.run(*check)
    assert checked.code == 7
    assert job.job_id in checked.out


def unit(kind: str) -> dict[str, list[str]]:
    """Return the settings of a unit of the README, by name."""
    (text,) = re.findall(rf"`/etc/systemd/system/vcenter-backup@\.{kind}`:\n\n```ini\n(.*?)```", README, re.DOTALL)
    settings: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        settings.setdefault(name, []).append(value)
    return settings


def test_unit_of_the_readme_needs_only_its_credentials_for_encrypted_backups(tmp_path: Path) -> None:
    setup = ReadmeSetup(tmp_path)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for credential in unit("service")["LoadCredential"]:  # systemd creates a file of this name for the unit's user
        name, _, path = credential.partition(":")
        (tmp_path / Path(path).name).rename(credentials / name)
        (credentials / name).chmod(0o440)
    text = (tmp_path / "config.toml").read_text()
    setup.write("config.toml", re.sub(r"(?m)^password-command.*$", "", text))
    (words,) = unit("service")["ExecStart"]
    line = words.partition("backupctl ")[2].replace("%i", "production")
    run = setup.run(*shlex.split(line), environ={**setup.environ, "CREDENTIALS_DIRECTORY": str(credentials)})
    assert run.code == 0
    setup.assert_production_is_backed_up()


def test_linked_appliances_of_the_readme_start_together_or_not_at_all(tmp_path: Path) -> None:
    line = next(line for line in shell_lines() if "--together" in line)
    setup = ReadmeSetup(tmp_path)
    assert setup.run(*shlex.split(line)).code == 0
    setup.assert_production_is_backed_up()
    (tmp_path / "other").mkdir()
    setup = ReadmeSetup(tmp_path / "other")
    setup.run.others["vc02.example.com"].inject("validate-fail")
    assert setup.run(*shlex.split(line)).code == 7
    assert not any(setup.targets().values())


def test_readme_first_command_makes_a_simulated_backup(backupctl: CommandLine) -> None:
    line = next(block for block in blocks("sh") if ".venv-try" in block)
    words = shlex.split(line.rpartition("bin/backupctl ")[2])
    assert backupctl(*words, environ={}).code == 0
    assert LOCATION in words


def test_readme_names_existing_tests_for_each_promise_of_security() -> None:
    section = README.partition("## Security")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ")][1:]
    named = [re.findall(r"`(tests/[^`]+)`", row.rpartition(" | ")[2]) for row in rows]
    assert len(rows) > 8
    assert all(named)
    assert [path for paths in named for path in paths if not (PROJECT / path).is_file()] == []


def test_map_of_the_tests_names_every_module_of_tests_support() -> None:
    named = re.findall(r"`([a-z_]+)`", (PROJECT / "tests" / "README.md").read_text(encoding="utf-8"))
    assert {path.stem for path in (PROJECT / "tests" / "support").glob("[a-z]*.py")} - set(named) == set()
