"""Find and read the pages of the manual; it is read as text, so that ``--help`` needs no parser, and no pathlib."""

from __future__ import annotations

import os
import re
from typing import Final

from backupctl.errors import UsageError

FOLDER: Final = os.path.dirname(__file__)
_OPTIONS: Final = re.compile(r"^<!-- options: ([a-z]+) -->$", re.MULTILINE)


def topics() -> list[str]:
    """Return the names of all topics."""
    return sorted(name.removesuffix(".md") for name in os.listdir(FOLDER) if name.endswith(".md"))


def topic(name: str) -> str:
    """Return the Markdown of a topic, with the options that it lists."""
    return _OPTIONS.sub(_option_list, _read(f"{name}.md"))


def command_page(name: str) -> str:
    """Return the Markdown of a command, such as ``schedule set``."""
    return _read(f"commands/{name.replace(' ', '-')}.md")


def _read(path: str) -> str:
    with open(f"{FOLDER}/{path}", encoding="utf-8") as file:
        return file.read()


def summary(page: str) -> str:
    """Return the first paragraph of a page, on one line."""
    return page.split("\n\n", 2)[1].replace("\n", " ")


def examples(page: str) -> str:
    """Return the first block of code of a page."""
    return page.partition("\n```sh\n")[2].partition("\n```")[0]


def title(text: str) -> str:
    """Return the title of a page."""
    return text.partition("\n")[0].removeprefix("# ")


def _option_list(marker: re.Match[str]) -> str:
    from backupctl.help.option_list import group_list

    return group_list(marker[1])


def unknown_page_error(name: str, known: list[str]) -> UsageError:
    """Return the error for a page that does not exist, with a similar name."""
    from difflib import get_close_matches

    similar = get_close_matches(name, known, n=1)
    hint = f"did you mean {similar[0]!r}?" if similar else "`backupctl help` lists all topics and commands"
    return UsageError(f"no help on {name!r}", hint=hint)
