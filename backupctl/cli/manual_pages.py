"""Pages of the manual: topics, and what the commands say about themselves."""

from __future__ import annotations

from collections.abc import Sequence

from backupctl.help import manual


def index_page() -> str:
    """Return the list of topics and commands."""
    from backupctl.cli.root import COMMANDS

    topics = "\n".join(f"- `{name}`: {manual.title(manual.topic(name))}" for name in manual.topics())
    commands = "\n".join(f"- `{name}`: {text}" for name, (_, text) in COMMANDS.items())
    parts = [
        "# Manual of backupctl",
        "## Topics",
        topics,
        "## Commands",
        commands,
        "`backupctl help NAME` shows a page.",
    ]
    return "\n\n".join(parts) + "\n"


def page(words: Sequence[str]) -> str:
    """Return the page on a topic or a command. Raises UsageError: if there is none."""
    from backupctl.cli.root import COMMANDS

    name = "-".join(words)
    if name in manual.topics():
        return manual.topic(name)
    raise manual.unknown_page_error(" ".join(words), [*manual.topics(), *COMMANDS])
