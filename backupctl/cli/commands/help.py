"""``backupctl help``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backupctl.cli.context import Context
from backupctl.cli.options import SectionedCommand, options
from backupctl.config.option_table import COLOR

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _complete(ctx: click.Context, _parameter: click.Parameter, _start: str) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    from backupctl.cli.root import root
    from backupctl.help import manual

    words = ctx.params.get("words") or ()
    topics = {} if words else {name: manual.title(manual.topic(name)) for name in manual.topics()}
    group: click.Command = root.load(words[0]) if words and words[0] in root.commands else root
    commands = group.commands if isinstance(group, click.Group) and len(words) == (group is not root) else {}
    texts = {name: command.get_short_help_str() for name, command in commands.items()} | topics
    return [CompletionItem(name, help=text) for name, text in texts.items()]


@click.command("help", cls=SectionedCommand)
@click.argument("words", metavar="[TOPIC|COMMAND]", nargs=-1, shell_complete=_complete)
@options(COLOR)
@click.pass_obj
def command(context: Context, words: tuple[str, ...]) -> int:
    """Show the manual: a topic or a command; without an argument, all of them."""
    from backupctl.cli.manual_pages import index_page, page
    from backupctl.cli.signals import without_interrupts
    from backupctl.config.environment import environment_without_secrets
    from backupctl.output.safe_stream import SafeStream
    from backupctl.output.terminal.manual_view import show_page

    stream, text = SafeStream(context.stdout), page(words) if words else index_page()
    with without_interrupts():
        show_page(
            text,
            stream,
            clock=context.clock,
            environ=environment_without_secrets(context.environ),
            color=context.value(COLOR),
        )
    stream.check()
    return 0
