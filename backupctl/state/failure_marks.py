"""Marks in the state directory for servers whose last backup failed, so that their recovery can be reported."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote


def add_marks(directory: Path, servers: Iterable[str]) -> set[str]:
    """Mark servers and return those that were marked before. Raises OSError: if that is not possible."""
    folder = directory / "failed"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = {unquote(mark.name) for mark in folder.iterdir()}
    for server in servers:
        (folder / quote(server, safe="")).touch(mode=0o600)
    return before


def remove_marks(directory: Path, servers: Iterable[str]) -> None:
    """Remove the marks of servers. Raises OSError: if that is not possible."""
    for server in servers:
        (directory / "failed" / quote(server, safe="")).unlink(missing_ok=True)
