"""Shell completion, and the scripts in ``completions/``, which equal those that the program prints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backupctl.cli.commands.completion import SHELLS
from backupctl.cli.root import COMMANDS
from tests.support.command_line import CommandLine

COMPLETIONS = Path(__file__).resolve().parents[2] / "completions"

FIRST_WORDS = sorted(COMMANDS)


def offered(backupctl: CommandLine, *words: str, shell: str = "fish") -> list[str]:
    run = backupctl(*words, environ={"_BACKUPCTL_COMPLETE": shell})
    assert (run.code, run.err) == (0, "")
    kind, *lines = run.out.splitlines()
    return [line.partition("\t")[0] for line in lines] if kind == "words" else [kind]


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_script_equals_the_file(backupctl: CommandLine, shell: str) -> None:
    printed = backupctl("completion", shell)
    assert printed.code == 0
    assert printed.out == (COMPLETIONS / f"backupctl.{shell}").read_text()


def test_completion_supports_three_shells() -> None:
    assert sorted(path.name for path in COMPLETIONS.iterdir()) == sorted(f"backupctl.{shell}" for shell in SHELLS)


def test_completion_of_an_unknown_shell_ends_with_2(backupctl: CommandLine) -> None:
    refused = backupctl("completion", "tcsh")
    assert refused.code == 2
    assert "bash, zsh, fish" in refused.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], FIRST_WORDS),
        (["c"], ["cancel", "check", "completion", "config", "create"]),
        (["cr"], ["create"]),
        (["-o", "json", "wa"], ["watch"]),
        (["simulator", ""], ["serve"]),
        (["schedule", ""], ["audit", "delete", "disable", "enable", "list", "run", "set", "show"]),
        (["archive", ""], ["list", "prune", "show", "systems", "verify"]),
        (["restore", ""], ["cancel", "create", "reconcile", "status", "validate", "watch"]),
        (["config", ""], ["check", "init", "set-secret", "show"]),
        (["config", "set-secret", "b"], ["backup-password"]),
        (["schedule", "set", "default", "--loca"], ["--location"]),
        (["create", "--loca"], ["--location", "--location-type", "--location-user", "--location-password-file"]),
        (["list", "-o", "j"], ["json", "jsonl"]),
        (["list", "--output=j"], ["--output=json", "--output=jsonl"]),
        (["create", "--location-type", "S"], ["SCP", "SFTP", "SMB"]),
        (["completion", "z"], ["zsh"]),
        (["list", "--type", "L"], ["LOCAL_BACKUP"]),
        (["list", "--state", ""], ["NONE", "INPROGRESS", "SUCCEEDED", "FAILED"]),
        (["watch", ""], ["latest"]),
        (["create", "--part", ""], ["common", "seat", "supervisors"]),
        (["schedule", "show", ""], ["default"]),
        (["schedule", "show", "x"], []),
        (["help", "trou"], ["troubleshooting"]),
        (["help", "schedule"], ["schedule", "schedules"]),
        (["help", "schedule", "s"], ["show", "set"]),
        (["help", "create", ""], []),
        (["help", "nonsense", ""], []),
        (["help", "schedule", "set", ""], []),
        (["watch", "20"], []),
        (["create", "--comment", ""], []),
        (["list", "--ca-file", ""], ["files"]),
        (["list", "--password-file=/e"], ["files"]),
        (["simulator", "serve", "--store", ""], ["folders"]),
    ],
)
def test_words_are_completed(backupctl: CommandLine, words: list[str], expected: list[str]) -> None:
    assert offered(backupctl, *words)[: len(expected) or 1] == expected


CONFIGURATION = """
[defaults]
password-command = ["touch", "{folder}/ran"]
[servers.vc01]
host = "vc01.example.com"
[servers.vc02]
unknown-key = 1
[servers."odd\\tname"]
[groups]
production = ["vc01", "nobody"]
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["create", "-s", ""], ["vc01", "vc02"]),
        (["-s", "v"], ["vc01", "vc02"]),
        (["list", "--server=vc"], ["--server=vc01", "--server=vc02"]),
        (["create", "-s", "vc01", "-s", "x"], []),
        (["create", "-g", ""], ["production"]),
        (["config", "show", "-s", ""], ["vc01", "vc02"]),
        (["config", "check", "--server", "vc02"], ["vc02"]),
        (["config", "set-secret", "password", "-s", ""], ["vc01", "vc02"]),
        (["create", "--timeout", "nonsense", "-v", "-g", ""], ["production"]),
    ],
)
def test_configured_names_are_completed_without_a_request_or_a_secret(
    backupctl: CommandLine, tmp_path: Path, words: list[str], expected: list[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(CONFIGURATION.format(folder=tmp_path))
    for line, environ in ((words, {"BACKUPCTL_CONFIG": str(file)}), (["--config", str(file), *words], {})):
        if line is words or words[0] != "config":
            run = backupctl(*line, environ={**environ, "_BACKUPCTL_COMPLETE": "zsh"})
            assert [row.partition("\t")[0] for row in run.out.splitlines()[1:]] == expected
            assert (run.code, run.err) == (0, "")
    assert backupctl.line.urls == []
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [None, b"[servers", b"\xff", b"servers = 1", b"[groups]\n", b"#" * 5_000_000])
def test_unusable_configuration_file_completes_nothing(
    backupctl: CommandLine, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "config.toml"
    if content is None:
        os.mkfifo(file)
    else:
        file.write_bytes(content)
    run = backupctl("create", "-s", "", environ={"_BACKUPCTL_COMPLETE": "zsh", "BACKUPCTL_CONFIG": str(file)})
    assert (run.code, run.out, run.err) == (0, "words\n", "")


def test_version_in_the_line_is_not_printed_into_the_completions(backupctl: CommandLine) -> None:
    assert offered(backupctl, "--version", "cr") == ["create"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("backupctl", ["archive"]),
        ("backupctl cr", ["create"]),
        ("backupctl create ", []),
        ("backupctl create --comment 'two words' --fast", ["--fast-backup"]),
        ("backupctl create --comment 'not yet clos", []),
        ("backupctl create --location sftp://host/folder --comm", ["--comment"]),
        ("backupctl list --output=j", ["--output=json"]),
    ],
)
def test_bash_line_is_split_into_words(backupctl: CommandLine, line: str, expected: list[str]) -> None:
    assert offered(backupctl, line, shell="bash")[:1] == expected


def test_description_keeps_its_commas_and_loses_the_environment(backupctl: CommandLine) -> None:
    lines = backupctl("list", "--", environ={"_BACKUPCTL_COMPLETE": "fish"}).out.splitlines()
    described = dict(line.partition("\t")[::2] for line in lines)
    assert described["--output"] == "Text, one JSON document, or one JSON event per line (default: text)."
    assert not [help_text for help_text in described.values() if "BACKUPCTL_" in help_text]


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        (["cr"], {"httpx", "rich", "ssl", "msgspec"}),
        (["create", "--loca"], {"httpx", "rich", "ssl"}),
        (["create", "-s", ""], {"httpx", "rich", "ssl"}),
    ],
)
def test_completion_needs_no_standard_input_and_no_heavy_import(words: list[str], unneeded: set[str]) -> None:
    code = f"""
import sys
from backupctl.cli.context import Context
from backupctl.cli.root import run
environ = {{"_BACKUPCTL_COMPLETE": "zsh"}}
assert run(Context(argv={words}, stdin=None, stdout=sys.stdout, stderr=sys.stderr, environ=environ)) == 0
print(sorted({unneeded} & set(sys.modules)))
"""
    root = COMPLETIONS.parent
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
