"""What documents contain: fenced blocks, command lines, sections, links."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parent.parent.parent
README: Final = PROJECT / "README.md"
TOPICS: Final = tuple(sorted((PROJECT / "backupctl" / "help").glob("*.md")))


def text_of(name: str) -> str:
    """Return the text of a help topic."""
    return (PROJECT / "backupctl" / "help" / f"{name}.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def section(text: str, heading: str) -> str:
    """Return what stands below a heading of the second level."""
    _, found, rest = text.partition(f"\n## {heading}")
    assert found, heading
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables, without their headings."""
    found: list[list[str]] = []
    lines = text.splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if (line.startswith("| ") and not before.startswith(("|", "|-"))) or line.startswith("|-"):
            continue
        if line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def command_lines(text: str) -> Iterator[str]:
    """Yield what follows ``backupctl`` in each command line of a document, up to a redirection or the next command."""
    lines = "\n".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    lines += [
        line.partition("=")[2]
        for line in "\n".join(blocks(text, "ini")).replace("\\\n", " ").splitlines()
        if line.startswith("Exec")
    ]
    lines += "\n".join(blocks(text, "crontab")).splitlines()
    for line in lines:
        if match := re.search(r"(?:^|[ /])backupctl ((?!\()[a-z-].*)", line):
            yield re.split(r" 2?>| <| && | \|\|? |\s+#", match[1])[0]
