"""Completion in the real shells, with the files of ``completions/``."""

import shlex
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT, Programs, require_program
from tests.support.terminal import Terminal

pytestmark = pytest.mark.real

COMPLETIONS = ROOT / "completions"
READY = "echo READY-$((1 + 1))"
CASES = [
    ("backupctl cr", ["create"]),
    ("backupctl list --out", ["--output"]),
    (
        "backupctl create --loca",
        [
            "--location",
            "--location-type",
            "--location-user",
            "--location-password-file",
            "--location-password-command",
            "--location-fingerprint",
            "--location-ca-file",
        ],
    ),
    ("backupctl list -o j", ["json", "jsonl"]),
    ("backupctl create --location-type S", ["SCP", "SFTP", "SMB"]),
    ("backupctl create --location sftp://host/folder --comm", ["--comment"]),
    ("backupctl completion ", ["bash", "zsh", "fish"]),
    ("backupctl watch ", ["latest"]),
    ("backupctl simulator ", ["serve"]),
    ("backupctl create -s ", ["vc01", "vc02"]),
    ("backupctl list --group ", ["production"]),
    ("backupctl help trou", ["troubleshooting"]),
]


@pytest.fixture
def environ(programs: Programs, tmp_path: Path) -> dict[str, str]:
    """Return an environment with ``backupctl`` on the path, as installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    installed = folder / "backupctl"
    installed.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m backupctl "$@"\n')
    installed.chmod(0o755)
    file = tmp_path / "config.toml"
    file.write_text("[servers.vc01]\n[servers.vc02]\n[groups]\nproduction = []\n")
    environ = programs.environ({"BACKUPCTL_CONFIG": str(file)})
    return {**environ, "PATH": f"{folder}:{environ['PATH']}"}


def ask_bash(programs: Programs, environ: dict[str, str], line: str) -> tuple[list[str], str]:
    """Return bash's completions of ``line``, and the variables that remain in the shell."""
    script = r"""
        source "$1"
        before=$(compgen -v | sort)
        line=$2 COMP_TYPE=9 COMP_KEY=9
        COMP_LINE=$line COMP_POINT=${#line}
        read -ra COMP_WORDS <<< "${line//[=:]/ & }"
        [[ $line == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        compopt() { echo "compopt $*"; }
        function=$(complete -p backupctl | sed 's/.*-F \([^ ]*\).*/\1/')
        $function backupctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
        comm -13 <(echo "$before") <(compgen -v | sort) | grep -v -e ^COMP -e '^line$' -e '^function$' -e '^before$' >&2
        true
    """
    argv = [require_program("bash"), "--norc", "-c", script, "bash", str(COMPLETIONS / "backupctl.bash"), line]
    run = programs.start(argv, environ).wait()
    return run.out.split("\n")[:-1], run.err


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_bash_offers_matching_completions(
    programs: Programs, environ: dict[str, str], line: str, offered: list[str]
) -> None:
    assert ask_bash(programs, environ, line)[0] == offered


def test_bash_completes_the_value_after_an_equals_sign(programs: Programs, environ: dict[str, str]) -> None:
    assert ask_bash(programs, environ, "backupctl list --output=j")[0] == ["json", "jsonl"]


@pytest.mark.parametrize("line", ["backupctl list --ca-file ", "backupctl list --ca-file=/e"])
def test_bash_completes_files_itself(programs: Programs, environ: dict[str, str], line: str) -> None:
    assert ask_bash(programs, environ, line)[0][0] == "compopt -o default"


def test_bash_completion_leaves_no_variables(programs: Programs, environ: dict[str, str]) -> None:
    left = ask_bash(programs, environ, "backupctl cr")[1].split()
    assert set(left) <= {"MAPFILE", "PIPESTATUS", "BASH_REMATCH"}


def test_bash_completes_at_the_tab_key(tmp_path: Path, environ: dict[str, str]) -> None:
    bash = [require_program("bash"), "--norc", "--noprofile", "-i"]
    (tmp_path / "cert.pem").touch()
    with Terminal(tmp_path, bash, {**environ, "PS1": "$ "}) as terminal:
        terminal.wait_for(r"^\$$")
        terminal.type(f"cd {tmp_path}; source {COMPLETIONS}/backupctl.bash; {READY}\n")
        terminal.wait_for("^READY-2")
        terminal.type("backupctl cr\t")
        terminal.wait_for(r"^\$ backupctl create$")
        terminal.type("--ca-file cert\t")
        terminal.wait_for(r"--ca-file cert\.pem$")
        terminal.type("--output=jsonl\t-o \t\t")
        terminal.wait_for(r"^json +jsonl +text|^text +json +jsonl")


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_fish_offers_matching_completions(
    programs: Programs, environ: dict[str, str], line: str, offered: list[str]
) -> None:
    script = f"source {COMPLETIONS}/backupctl.fish; complete -C {shlex.quote(line)}"
    run = programs.start([require_program("fish"), "--no-config", "-c", script], environ).wait()
    assert [word.partition("\t")[0] for word in run.out.splitlines()] == offered


def test_fish_describes_and_completes_values_and_files(
    programs: Programs, environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "cert.pem").touch()

    def offered(line: str) -> list[str]:
        script = f"source {COMPLETIONS}/backupctl.fish; complete -C {shlex.quote(line)}"
        argv = [require_program("fish"), "--no-config", "-c", script]
        return programs.start(argv, environ, cwd=tmp_path).wait().out.splitlines()

    assert offered("backupctl li") == ["list\tList the backup jobs, newest first."]
    assert offered("backupctl list --output=j") == ["--output=json", "--output=jsonl"]
    assert offered("backupctl list --ca-file cer") == ["cert.pem"]
    assert offered("backupctl list --ca-file=cer") == ["--ca-file=cert.pem"]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("backupctl cr", r"^zsh> backupctl create"),
        ("backupctl list --out", r"^zsh> backupctl list --output"),
        ("backupctl list --output=j", r"^zsh> backupctl list --output=json"),
        ("backupctl create --location-type SF", r"--location-type SFTP"),
        ("backupctl completion z", r"completion zsh"),
        ("backupctl watch ", r"watch latest"),
        ("backupctl list --ca-file cer", r"--ca-file cert\.pem"),
        ("backupctl list --ca-file=cer", r"--ca-file=cert\.pem"),
        ("backupctl list -o ", r"^text +json +jsonl"),
        ("backupctl l", r"backupctl list"),
        ("backupctl c", r"^create +-- +Start a backup and follow it to its end\."),
    ],
)
def test_zsh_completes_at_the_tab_key(tmp_path: Path, environ: dict[str, str], typed: str, completed: str) -> None:
    zsh = [require_program("zsh"), "-f", "-i"]
    (tmp_path / "cert.pem").touch()
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "_backupctl").symlink_to(COMPLETIONS / "backupctl.zsh")
    with Terminal(tmp_path, zsh, {**environ, "PS1": "zsh> "}) as terminal:
        terminal.wait_for(r"^zsh>$")
        terminal.type(
            f"cd {tmp_path}; fpath=({functions} $fpath); autoload -U compinit; compinit -u -D; echo READY-$((1 + 1))\n"
        )
        terminal.wait_for("^READY-2")
        terminal.type(f"{typed}\t\t")
        terminal.wait_for(completed)


def test_zsh_completes_with_a_sourced_script(tmp_path: Path, environ: dict[str, str]) -> None:
    zsh = [require_program("zsh"), "-f", "-i"]
    with Terminal(tmp_path, zsh, {**environ, "PS1": "zsh> "}) as terminal:
        terminal.wait_for(r"^zsh>$")
        terminal.type(
            f"autoload -U compinit; compinit -u -D; source {COMPLETIONS}/backupctl.zsh; echo READY-$((1 + 1))\n"
        )
        terminal.wait_for("^READY-2")
        terminal.type("backupctl cr\t")
        terminal.wait_for(r"^zsh> backupctl create")
