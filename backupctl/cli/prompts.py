"""Prompt for missing values on a terminal; without one, a missing value is an error, and never a hang."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from backupctl.cli.signals import suspension_hooks
from backupctl.errors import BackupctlError, UsageError
from backupctl.output.printable import printable
from backupctl.secrets.secret import Secret


class Prompter:
    """Prompts on the terminal, through standard error, which keeps standard output clean."""

    def __init__(self, *, interactive: bool) -> None:
        self._interactive = interactive

    @property
    def interactive(self) -> bool:
        """Whether standard input and standard error are a terminal to prompt on."""
        return self._interactive

    def ask(self, question: str, check: Callable[[str], object], default: str | None = None) -> str:
        """Prompt until ``check`` accepts the stripped answer, for which it raises no UsageError; return that."""
        while True:
            answer = _answer(question, default=default, show_default=bool(default)).strip() or default or ""
            try:
                check(answer)
            except UsageError as error:
                self.say(lines_of(error))
            else:
                return answer

    def ask_secret(self, question: str) -> Secret | None:
        """Prompt for a secret without echo; return None for an empty answer.

        Raises UsageError: if the terminal cannot turn off echo.
        """
        import warnings
        from getpass import GetPassWarning

        with _hide_input_after_suspension(question), warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)
            try:
                answer = _answer(question, default="", show_default=False, hide_input=True)
            except GetPassWarning:
                raise UsageError(
                    "this terminal cannot hide the input", hint="use a file or a command for the secret"
                ) from None
        return Secret(answer) if answer else None

    def say(self, text: str) -> None:
        """Print lines between prompts, wrapped between words, with control characters escaped."""
        from shutil import get_terminal_size
        from textwrap import TextWrapper

        wrapper = TextWrapper(get_terminal_size().columns, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n"):
            wrapper.subsequent_indent = " " * (len(line) - len(line.lstrip()) + 2)
            click.echo(wrapper.fill(printable(line)), err=True)

    def show(self, text: str) -> None:
        """Print lines to be copied, such as a crontab: none is wrapped; control characters are escaped."""
        for line in text.split("\n"):
            click.echo(printable(line), err=True)


def confirm(prompter: Prompter, question: str, *, default: bool = False, hint: str | None = None) -> bool:
    """Prompt for yes or no; an empty answer is the default, and ``hint`` says what to do instead of an answer.

    Raises UsageError: on Ctrl-D.
    """

    def check(answer: str) -> None:
        if answer.strip().lower() not in {"", "y", "yes", "n", "no"}:
            raise UsageError("answer y or n")

    try:
        answer = prompter.ask(f"{question} {'[Y/n]' if default else '[y/N]'}", check, default="").strip().lower()
    except UsageError as error:
        raise error.with_facts(hint=hint) from None
    return answer in {"y", "yes"} or (default and not answer)


def lines_of(error: BackupctlError) -> str:
    """Return an error between prompts: its message, and what it says in detail, in lines of their own."""
    return "\n".join((error.message, *(f"  {line}" for line in (*error.details, error.hint) if line)))


@contextmanager
def _hide_input_after_suspension(question: str) -> Iterator[None]:
    """Restore the terminal when Ctrl-Z suspends this process, and turn echo off again when it continues.

    A shell applies its own terminal settings while a job is suspended, and does not restore those of the job.
    """
    import termios

    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # Without a controlling terminal, Ctrl-Z cannot suspend this process.
        yield
        return
    with_echo = termios.tcgetattr(terminal)
    without_echo = [*with_echo[:3], with_echo[3] & ~termios.ECHO, *with_echo[4:]]

    def turn_echo_on() -> None:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, with_echo)

    def turn_echo_off() -> None:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, without_echo)
        os.write(terminal, f"{question}: ".encode(errors="replace"))

    try:
        with suspension_hooks(turn_echo_on, turn_echo_off):
            yield
    finally:
        os.close(terminal)


def _answer(question: str, **attributes: Any) -> str:  # noqa: ANN401 - attributes of click
    """Prompt once. Raises UsageError: on Ctrl-D. Raises click.Abort: on Ctrl-C."""
    try:
        answer: str = click.prompt(printable(question), err=True, **attributes)
    except click.Abort as abort:
        if not attributes.get("hide_input"):
            click.echo(err=True)
        if isinstance(abort.__context__, EOFError):
            raise UsageError(
                f"no answer to: {question}", hint="answer it, or use an option for it if the command has one"
            ) from None
        raise
    return answer
