"""Which modules commands load: short commands without HTTP, rich or msgspec, and pipes without rich."""

import sys

import pytest

from backupctl.cli.root import COMMANDS
from tests.support.processes import Program, Programs, Simulators, require_program

pytestmark = pytest.mark.real

TRACED = ("-X", "importtime")


def loaded(trace: str) -> set[str]:
    """Return the modules that the interpreter reports as loaded."""
    return {line.rpartition("|")[2].strip() for line in trace.splitlines()}


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (["cr"], {"_BACKUPCTL_COMPLETE": "zsh"}),
        (["backupctl -o j"], {"_BACKUPCTL_COMPLETE": "bash"}),
        (["backupctl create --lo"], {"_BACKUPCTL_COMPLETE": "bash"}),
        (["backupctl create -s "], {"_BACKUPCTL_COMPLETE": "bash"}),
        (["backupctl help "], {"_BACKUPCTL_COMPLETE": "bash"}),
        (["completion", "bash"], {}),
        *(([command, "--help"], {}) for command in COMMANDS),
    ],
    ids=str,
)
def test_short_commands_load_neither_httpx_nor_rich_nor_msgspec(
    program: Program, words: list[str], environ: dict[str, str]
) -> None:
    ran = program.run(*words, environ=environ, python=TRACED)
    assert ran.code == 0
    assert "click" in loaded(ran.err)
    assert not loaded(ran.err) & {"httpx", "httpcore", "rich", "msgspec", "ssl", "trustme", "keyring"}


@pytest.mark.parametrize("words", [[], ["-q"], ["-o", "json"], ["-o", "jsonl"]], ids=str)
def test_list_off_a_terminal_loads_httpx_without_its_command_line_and_so_no_rich(
    program: Program, serve: Simulators, words: list[str]
) -> None:
    served = serve("--no-tls")
    ran = program.run("list", *words, environ=served.environ, python=TRACED)
    assert ran.code == 0
    assert "httpx" in loaded(ran.err)
    assert not loaded(ran.err) & {"rich", "pygments", "trustme", "keyring", "tomlkit"}


def test_httpx_by_itself_loads_its_command_line_from_httpx_main_and_with_it_rich(programs: Programs) -> None:
    words = [sys.executable, *TRACED, "-c", "import httpx"]
    ran = programs.start(words, programs.environ({})).wait()
    assert {"httpx._main", "rich"} <= loaded(ran.err), "backupctl/api/__init__.py keeps out what httpx no longer loads"


def test_installed_script_prints_the_same_as_the_module(programs: Programs, program: Program) -> None:
    script = require_program(f"{sys.prefix}/bin/backupctl")
    assert programs.start([script, "--version"], programs.environ({})).wait().out == program.run("--version").out
