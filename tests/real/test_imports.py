"""What the cheap paths load: help, version and completion have no use for HTTP, colours or JSON."""

import sys

import pytest

from tests.support.processes import Program, Programs, needed_program

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (["cr"], {"_BACKUPCTL_COMPLETE": "zsh"}),
        (["backupctl -o j"], {"_BACKUPCTL_COMPLETE": "bash"}),
        (["completion", "bash"], {}),
    ],
    ids=["help", "version", "complete-command", "complete-value", "completion-script"],
)
def test_cheap_paths_load_neither_httpx_nor_rich_nor_msgspec(
    program: Program, words: list[str], environ: dict[str, str]
) -> None:
    ran = program.run(*words, environ=environ, python=("-X", "importtime"))
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.err.splitlines()}
    assert ran.code == 0
    assert "click" in loaded
    assert not loaded & {"httpx", "httpcore", "rich", "msgspec", "ssl", "trustme", "keyring"}


def test_installed_script_says_the_same_as_the_module(programs: Programs, program: Program) -> None:
    script = needed_program(f"{sys.prefix}/bin/backupctl")
    assert programs.start([script, "--version"], programs.environ({})).end().out == program.run("--version").out
