"""Password prompts at a terminal: nothing typed is echoed, however the prompt ends."""

import os
import shlex
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests import wording
from tests.support.processes import Program, Programs, require_program, wait_until
from tests.support.terminal import Terminal

pytestmark = pytest.mark.real

SECRET = "Mark3d-typed"
QUESTION = r"Password for root@x on vc01.invalid: *\Z"
ENVIRON = {
    "BACKUPCTL_SERVER": "vc01.invalid",
    "BACKUPCTL_USERNAME": "root@x",
    "BACKUPCTL_FINGERPRINT": "a" * 64,  # With a pin, nothing is sent before the password is known.
}

Open = Callable[[str], AbstractContextManager[Terminal]]


@pytest.fixture
def open_shell(programs: Programs, tmp_path: Path) -> Open:
    """Open a terminal with a shell that runs a password prompt; ``dash`` does not restore the terminal itself."""

    def open_it(shell: str) -> Terminal:
        words = {"bash": ["bash", "--norc", "--noprofile", "-i"], "dash": ["dash", "-i"]}[shell]
        require_program(words[0])
        return Terminal(tmp_path, words, programs.environ({**ENVIRON, "PS1": "READY> "}), columns=120)

    return open_it


def ask(terminal: Terminal, pid_file: Path) -> int:
    """Wait for the prompt and return the process id."""
    line = shlex.join(Program.words("list"))
    terminal.wait_for(r"READY>\Z")
    terminal.type(f"sh -c 'echo $$ > {pid_file}; exec {line}'")
    terminal.press("Enter")
    terminal.wait_for(QUESTION)
    return int(pid_file.read_text())


def says_whether_it_echoes(terminal: Terminal) -> bool:
    terminal.type("stty -a | tr ' ' '\\n' | grep -x -e -echo -e echo")
    terminal.press("Enter")
    return "-" not in terminal.wait_for(r"^(-?echo)$")[1]


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("key", ["C-c", "C-\\", "C-d"])
def test_prompt_ended_by_a_key_restores_echo(open_shell: Open, tmp_path: Path, shell: str, key: str) -> None:
    with open_shell(shell) as terminal:
        ask(terminal, tmp_path / "pid")
        terminal.type(SECRET)
        terminal.press(*(("C-u", key) if key == "C-d" else (key,)))
        terminal.wait_for(r"READY>\Z")
        assert says_whether_it_echoes(terminal)
        assert SECRET not in terminal.screen


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_prompt_ended_by_a_signal_restores_echo(open_shell: Open, tmp_path: Path, name: str) -> None:
    with open_shell("dash") as terminal:
        pid = ask(terminal, tmp_path / "pid")
        terminal.type(SECRET)
        os.kill(pid, getattr(signal, f"SIG{name}"))
        terminal.wait_for("interrupted")
        terminal.wait_for(r"READY>\Z")
        assert says_whether_it_echoes(terminal)
        assert SECRET not in terminal.screen


def test_prompt_that_is_killed_leaves_the_shell_to_restore_echo(open_shell: Open, tmp_path: Path) -> None:
    with open_shell("bash") as terminal:
        pid = ask(terminal, tmp_path / "pid")
        os.kill(pid, signal.SIGKILL)
        terminal.wait_for(r"READY>\Z")
        assert says_whether_it_echoes(terminal)


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("name", ["TSTP", "STOP"])
def test_prompt_that_is_suspended_hides_typing_after_it_continues(
    open_shell: Open, tmp_path: Path, shell: str, name: str
) -> None:
    with open_shell(shell) as terminal:
        pid = ask(terminal, tmp_path / "pid")
        if name == "TSTP":
            terminal.press("C-z")
        else:
            os.kill(pid, getattr(signal, f"SIG{name}"))
        terminal.wait_for("Stopped")
        terminal.wait_for(r"READY>\Z")
        if (shell, name) != ("dash", "STOP"):  # SIGSTOP cannot be handled, and dash does not restore the terminal
            assert says_whether_it_echoes(terminal)
        terminal.type("fg")
        terminal.press("Enter")
        wait_until(lambda: len(terminal.find_all("Password for root@x")) > 1 or None, "the question again")
        terminal.type(SECRET)
        terminal.press("Enter")
        terminal.wait_for(wording.UNKNOWN_HOST_NAME)
        assert SECRET not in terminal.screen
