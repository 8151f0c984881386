"""Marks in the state directory for servers whose last backup failed, so that their recovery can be reported."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote


def change_marks(directory: Path, failed: Iterable[str] = (), recovered: Iterable[str] = ()) -> set[str]:
    """Change the marks and return the servers that were marked before. Raises OSError: if it fails."""
    folder = directory / "failed"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = {unquote(mark.name) for mark in folder.iterdir()}
    for server in failed:
        (folder / quote(server, safe="")).touch(mode=0o600)
    for server in recovered:
        (folder / quote(server, safe="")).unlink(missing_ok=True)
    return before
