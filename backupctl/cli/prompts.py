"""Asking a person, on a terminal only: elsewhere a missing value is an error, never a hang."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click

from backupctl.cli.signals import suspension_hooks
from backupctl.errors import UsageError
from backupctl.secrets.secret import Secret


class Prompter(Protocol):
    """Somebody who can be asked."""

    @property
    def interactive(self) -> bool:
        """Whether anybody is there."""
        ...

    def ask(self, question: str, check: Callable[[str], object], default: str | None = None) -> str:
        """Return an answer that ``check`` accepts; it raises UsageError for what is asked for again."""
        ...

    def ask_secret(self, question: str) -> Secret | None:
        """Return a secret, None for an empty answer; nothing is echoed."""
        ...

    def say(self, line: str) -> None:
        """Tell the person something before asking again."""
        ...


class TerminalPrompter:
    """Asks on the terminal, through standard error, so that standard output stays clean."""

    def __init__(self, *, interactive: bool) -> None:
        self._interactive = interactive

    @property
    def interactive(self) -> bool:
        """Whether standard input and standard error are a terminal."""
        return self._interactive

    def ask(self, question: str, check: Callable[[str], object], default: str | None = None) -> str:
        """Ask until the answer is good."""

        def checked(answer: str) -> str:
            try:
                check(answer)
            except UsageError as error:
                raise click.UsageError(error.message) from error
            return answer

        return _answer(question, default=default, show_default=bool(default), value_proc=checked)

    def ask_secret(self, question: str) -> Secret | None:
        """Ask without echo; raise UsageError where the terminal cannot be kept from showing what is typed."""
        import warnings
        from getpass import GetPassWarning

        with _still_hidden_after_suspension(question), warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)
            try:
                answer = _answer(question, default="", show_default=False, hide_input=True)
            except GetPassWarning:
                raise UsageError(
                    "this terminal cannot hide what is typed", hint="give the secret in a file or by a command"
                ) from None
        return Secret(answer) if answer else None

    def say(self, line: str) -> None:
        """Write a line to standard error."""
        click.echo(line, err=True)


@contextmanager
def _still_hidden_after_suspension(question: str) -> Iterator[None]:
    """Give the terminal back as it was when Ctrl-Z stops us, and hide what is typed again afterwards.

    A shell sets the terminal to its own liking whenever it gets it back, and leaves it so to the job that goes on.
    """
    import termios

    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # no terminal of our own: then nobody can suspend us
        yield
        return
    shown = termios.tcgetattr(terminal)
    hidden = [*shown[:3], shown[3] & ~termios.ECHO, *shown[4:]]

    def show() -> None:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, shown)

    def hide() -> None:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
        os.write(terminal, f"{question}: ".encode(errors="replace"))

    try:
        with suspension_hooks(show, hide):
            yield
    finally:
        os.close(terminal)


def _answer(question: str, **how: Any) -> str:  # noqa: ANN401 - click's own attributes
    """Ask; Ctrl-D says that there is nothing to be had, and Ctrl-C that the run is to end."""
    try:
        answer: str = click.prompt(question, err=True, **how)
    except click.Abort as left:
        if not how.get("hide_input"):
            click.echo(err=True)
        if isinstance(left.__context__, EOFError):
            raise UsageError(f"no answer to: {question}", hint="nothing was sent; an option can give it") from None
        raise
    return answer
