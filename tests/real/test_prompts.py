"""A person who types a password: nothing of it is shown, whatever happens to the question."""

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
QUESTION = r"Password of root@x on vc01.invalid: *\Z"
ENVIRON = {"BACKUPCTL_SERVER": "vc01.invalid", "BACKUPCTL_USERNAME": "root@x"}

Open = Callable[[str], AbstractContextManager[Terminal]]


@pytest.fixture
def open_shell(programs: Programs, tmp_path: Path) -> Open:
    """Open a terminal with a shell that is asked for a password by us; ``dash`` leaves a terminal as it finds it."""

    def open_it(shell: str) -> Terminal:
        words = {"bash": ["bash", "--norc", "--noprofile", "-i"], "dash": ["dash", "-i"]}[shell]
        require_program(words[0])
        return Terminal(tmp_path, words, programs.environ({**ENVIRON, "PS1": "READY> "}), columns=120)

    return open_it


def ask(terminal: Terminal, pid_file: Path) -> int:
    """Let the question appear and return who asks."""
    line = shlex.join(Program.words("list"))
    terminal.shows(r"READY>\Z")
    terminal.type(f"sh -c 'echo $$ > {pid_file}; exec {line}'")
    terminal.press("Enter")
    terminal.shows(QUESTION)
    return int(pid_file.read_text())


def says_whether_it_echoes(terminal: Terminal) -> bool:
    terminal.type("stty -a | tr ' ' '\\n' | grep -x -e -echo -e echo")
    terminal.press("Enter")
    return "-" not in terminal.shows(r"^(-?echo)$")[1]


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("key", ["C-c", "C-\\", "C-d"])
def test_question_that_is_left_by_a_key_leaves_a_terminal_that_echoes(
    open_shell: Open, tmp_path: Path, shell: str, key: str
) -> None:
    with open_shell(shell) as terminal:
        ask(terminal, tmp_path / "pid")
        terminal.type(SECRET)
        terminal.press(*(("C-u", key) if key == "C-d" else (key,)))
        terminal.shows(r"READY>\Z")
        assert says_whether_it_echoes(terminal)
        assert SECRET not in terminal.screen


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_question_that_a_signal_ends_leaves_a_terminal_that_echoes(open_shell: Open, tmp_path: Path, name: str) -> None:
    with open_shell("dash") as terminal:
        pid = ask(terminal, tmp_path / "pid")
        terminal.type(SECRET)
        os.kill(pid, getattr(signal, f"SIG{name}"))
        terminal.shows("interrupted")
        terminal.shows(r"READY>\Z")
        assert says_whether_it_echoes(terminal)
        assert SECRET not in terminal.screen


def test_question_that_is_killed_leaves_it_to_the_shell_to_echo_again(open_shell: Open, tmp_path: Path) -> None:
    with open_shell("bash") as terminal:
        pid = ask(terminal, tmp_path / "pid")
        os.kill(pid, signal.SIGKILL)
        terminal.shows(r"READY>\Z")
        assert says_whether_it_echoes(terminal)


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("name", ["TSTP", "STOP"])
def test_question_that_is_suspended_hides_what_is_typed_again(
    open_shell: Open, tmp_path: Path, shell: str, name: str
) -> None:
    with open_shell(shell) as terminal:
        pid = ask(terminal, tmp_path / "pid")
        if name == "TSTP":
            terminal.press("C-z")
        else:
            os.kill(pid, getattr(signal, f"SIG{name}"))
        terminal.shows("Stopped")
        terminal.shows(r"READY>\Z")
        if (shell, name) != ("dash", "STOP"):  # nobody could tell the shell, and this one does not look
            assert says_whether_it_echoes(terminal)
        terminal.type("fg")
        terminal.press("Enter")
        wait_until(lambda: len(terminal.find_all("Password of root@x")) > 1 or None, "the question again")
        terminal.type(SECRET)
        terminal.press("Enter")
        terminal.shows(wording.UNKNOWN_HOST_NAME)
        assert SECRET not in terminal.screen
