"""The README is true: its options, variables, codes, command lines and examples are those of the program."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from backupctl.cli.lazy import LazyGroup
from backupctl.cli.root import COMMANDS, root
from backupctl.errors import BackupctlError, ExitCode
from backupctl.settings.environment import environment_names
from backupctl.simulator.faults import KINDS
from tests.support.command_line import LOCATION, CommandLine
from tests.support.option_table import option_table
from tests.support.picture import picture

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def shell_lines() -> list[str]:
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    lines += [line.partition("=")[2] for line in "\n".join(blocks("ini")).splitlines() if line.startswith("ExecStart")]
    lines += [line for line in "\n".join(blocks("crontab")).splitlines() if "backupctl create" in line]
    found = [re.search(r"(?:^|[ /])backupctl ((?!\()[a-z-].*)", line) for line in lines]
    return [re.split(r" > | && |\s+#", match[1])[0] for match in found if match]


def slugs(cls: type[BackupctlError] = BackupctlError) -> set[str]:
    return {cls.slug}.union(*(slugs(child) for child in cls.__subclasses__()))


@pytest.mark.parametrize("line", shell_lines())
def test_command_line_of_the_readme_is_understood(line: str) -> None:
    assert isinstance(root, LazyGroup)
    words = shlex.split(line)
    command: click.Command = root.load(words[0])
    arguments = words[1:]
    if isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]
    command.make_context(words[0], arguments)


def test_readme_has_command_lines_for_every_command() -> None:
    assert {line.split()[0] for line in shell_lines()} == set(COMMANDS)


def test_readme_table_of_options_is_that_of_the_program() -> None:
    assert option_table() in README


def test_readme_names_only_variables_that_are_read_and_all_of_them() -> None:
    named = set(re.findall(r"BACKUPCTL_[A-Z_]*[A-Z]", README))
    assert named == set(environment_names())


def test_readme_table_of_exit_codes_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| (?:`([a-z-]+)`)? ?\|", README, re.MULTILINE)
    assert [int(code) for code, _ in rows] == list(ExitCode)
    assert {slug for _, slug in rows if slug} <= slugs()
    finer = README.partition("A slug may be finer")[2].partition("\n\n")[0]
    assert slugs() == {slug for _, slug in rows if slug} | set(re.findall(r"`([a-z-]+)`", finer))


def test_readme_table_of_faults_has_each_kind() -> None:
    table = README.partition("| fault |")[2].partition("##")[0]
    assert {word.partition("=")[0] for word in re.findall(r"`([^`]+)`", table)} == set(KINDS)


def test_readme_json_example_has_the_shape_of_the_output(backupctl: CommandLine) -> None:
    (example,) = (json.loads(block) for block in blocks("json"))
    real = backupctl.create("-o", "json").json
    assert list(example) == list(real)
    assert list(example["results"][0]) == list(real["results"][0])
    assert list(example["results"][0]["job"]) == list(real["results"][0]["job"])


def test_readme_picture_shows_what_the_program_draws() -> None:
    def words(svg: str) -> list[str]:
        return re.findall(r"<text [^>]*>([^<]*)</text>", svg)

    drawn = (PROJECT / ".github" / "create.svg").read_text(encoding="utf-8")
    assert words(drawn) == words(picture())
    assert "SUCCEEDED" in words(drawn)


def test_crontab_of_the_readme_is_silent_when_the_backup_is_done(tmp_path: Path) -> None:
    (crontab,) = blocks("crontab")
    variables = dict(re.findall(r"^(BACKUPCTL_\w+)=(.*)$", crontab, re.MULTILINE))
    secrets = {"vc01.password": "VMware1!", "location.password": "x", "backup.password": "VMw@re123"}
    for name, secret in secrets.items():
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    environ = {name: value.replace("/etc/backupctl", str(tmp_path)) for name, value in variables.items()}
    words = shlex.split(crontab.splitlines()[-1].partition("backupctl ")[2])
    backupctl = CommandLine(username=variables["BACKUPCTL_USERNAME"])
    run = backupctl(*words, environ=environ)
    assert (run.code, run.out, run.err) == (0, "", "")
    assert backupctl.appliance.jobs[0].target.encrypted
    backupctl.appliance.inject("fail-at=40")
    assert backupctl(*words, environ=environ).code == 7


def test_readme_first_command_makes_a_simulated_backup(backupctl: CommandLine) -> None:
    line = next(block for block in blocks("sh") if ".venv-try" in block)
    words = shlex.split(line.rpartition("bin/backupctl ")[2])
    assert backupctl(*words, environ={}).code == 0
    assert LOCATION in words
