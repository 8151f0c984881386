"""``backupctl help``."""

from __future__ import annotations

import click

from backupctl.cli.context import Context
from backupctl.cli.options import SectionedCommand, options
from backupctl.config.option_table import COLOR


def _complete(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
    from backupctl.help.manual import topics

    return [name for name in topics() if name.startswith(start)]


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
