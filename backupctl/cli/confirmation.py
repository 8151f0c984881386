"""Confirmation of what removes or replaces something: a question on a terminal, ``--yes`` elsewhere."""

from collections.abc import Sequence
from typing import Final

import click

from backupctl.cli.context import Context
from backupctl.errors import UsageError

yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


def confirm(context: Context, action: str, objects: Sequence[str], question: str = "Continue?") -> None:
    """List what an action will remove or replace, and ask once whether to do it.

    Raises UsageError: if the answer is no, or if there is no terminal.
    """
    from backupctl.cli.prompts import confirm as ask

    check_terminal(context, action, objects)
    context.prompter.say("\n  ".join([f"This will {action}:", *objects]))
    if not ask(context.prompter, question, hint=_HINT):
        raise UsageError("not confirmed; nothing was changed")


def confirm_name(context: Context, action: str, name: str, host: str) -> None:
    """Ask for the name of an appliance, or its host, before an action that leaves nothing of it.

    A wrong name can be corrected twice. Raises UsageError: if it is still wrong, or if there is no terminal.
    """
    check_terminal(context, f"{action} {name}", ())
    question = f"This will {action} {name}. Type its name to confirm"
    for _ in range(_ATTEMPTS):
        try:
            typed = context.prompter.ask(question, lambda _: None)
        except UsageError as error:
            raise error.with_facts(hint=_HINT) from None
        if typed.lower() in {name.lower(), host.lower()}:
            return
        context.prompter.say(f"That is not {name}.")
    raise UsageError("not confirmed: that is not $1; nothing was started", texts=(name,))


_ATTEMPTS: Final = 3
"""Prompts for the name of an appliance before giving up."""


_HINT: Final = "use --yes to confirm without a question"


def check_terminal(context: Context, action: str, objects: Sequence[str], hint: str = _HINT) -> None:
    """Check that somebody can be asked. Raises UsageError: if there is no terminal."""
    if not context.prompter.interactive:
        raise UsageError(
            "confirmation required to $1",
            texts=(action,),
            details=objects,
            hint=hint,
        )
