"""Asking a person, on a terminal only: elsewhere a missing value is an error, never a hang."""

from collections.abc import Callable
from typing import Protocol

import click

from backupctl.errors import UsageError
from backupctl.secret import Secret


class Prompter(Protocol):
    """Somebody who can be asked."""

    @property
    def present(self) -> bool:
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

    def __init__(self, *, present: bool) -> None:
        self._present = present

    @property
    def present(self) -> bool:
        """Whether standard input and standard error are a terminal."""
        return self._present

    def ask(self, question: str, check: Callable[[str], object], default: str | None = None) -> str:
        """Ask until the answer is good."""

        def checked(answer: str) -> str:
            try:
                check(answer)
            except UsageError as error:
                raise click.UsageError(error.message) from error
            return answer

        answer: str = click.prompt(question, default=default, show_default=bool(default), err=True, value_proc=checked)
        return answer

    def ask_secret(self, question: str) -> Secret | None:
        """Ask without echo."""
        answer: str = click.prompt(question, default="", show_default=False, hide_input=True, err=True)
        return Secret(answer) if answer else None

    def say(self, line: str) -> None:
        """Write a line to standard error."""
        click.echo(line, err=True)
