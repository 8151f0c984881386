"""A real terminal: a tmux server of its own, whose screen tests read."""

import re
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from tests.support.processes import WAIT_SECONDS, require_program, wait_until


class Terminal:
    """A terminal that runs one command; the screen remains after the command ends."""

    def __init__(
        self, folder: Path, argv: Sequence[str], environ: Mapping[str, str], *, columns: int = 80, rows: int = 24
    ) -> None:
        self._tmux = [require_program("tmux"), "-f", "/dev/null", "-S", str(folder / "tmux")]
        self._folder = folder
        self._argv = argv
        self._environ = dict(environ)
        self._size = ("-x", str(columns), "-y", str(rows))

    def __enter__(self) -> Self:
        variables = [f"{name}={value}" for name, value in self._environ.items()]
        words = ["env", "-i", *variables, "TERM=tmux-256color", *self._argv]
        self._do("new-session", "-d", *self._size, shlex.join(words), ";", "set", "remain-on-exit", "on")
        return self

    def __exit__(self, *_exc: object) -> None:
        self._do("kill-server", check=False)

    @property
    def screen(self) -> str:
        """The text of the screen, including the scrollback."""
        return self._do("capture-pane", "-p", "-S", "-").rstrip("\n")

    @property
    def cursor_visible(self) -> bool:
        return self._do("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def find(self, pattern: str) -> re.Match[str] | None:
        return re.search(pattern, self.screen, re.MULTILINE)

    def find_all(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.screen, re.MULTILINE)

    def wait_for(self, pattern: str, seconds: float = 10.0) -> re.Match[str]:
        """Wait until the screen matches ``pattern``."""
        try:
            return wait_until(
                lambda: re.search(pattern, self.screen, re.MULTILINE), f"{pattern!r} on the screen", seconds
            )
        except AssertionError as error:
            raise AssertionError(f"{error}, the screen shows:\n{self.screen}") from None

    def type(self, text: str) -> None:
        self._do("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        self._do("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self._do("resize-window", "-x", str(columns), "-y", str(rows))

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and answer it."""
        self.wait_for(question)
        self.type(text)
        self.press("Enter")

    def _do(self, *words: str, check: bool = True) -> str:
        environ = {"PATH": self._environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self._folder)}
        ran = subprocess.run(
            [*self._tmux, *words], capture_output=True, text=True, env=environ, check=False, timeout=WAIT_SECONDS
        )
        assert ran.returncode == 0 or not check, ran.stderr
        return ran.stdout


Open = Callable[..., AbstractContextManager[Terminal]]
"""Runs a command line at a terminal (the fixture ``open_terminal``)."""
