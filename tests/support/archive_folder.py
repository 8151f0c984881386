"""Archives of an appliance in a folder of this machine, as a mounted location shows them."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.support.archive_folders import METADATA, write_archive
from tests.support.command_line import HOST, LOCATION


class ArchiveFolder:
    """The folder ``sn_HOST`` of an appliance below ``root``, where its location is mounted."""

    def __init__(self, root: Path, host: str = HOST) -> None:
        self.root, self.host = root, host
        self.path = root / "vCenter" / f"sn_{host}"
        self.path.mkdir(parents=True)
        self.words = ("--location", LOCATION, "--path-for", f"{LOCATION}={root}")
        """The options of a command that reads it."""

    def add(self, *names: str, files: Mapping[str, bytes | None] = {}) -> None:
        """Write archives, complete unless ``files`` say otherwise."""
        for name in names:
            write_archive(self.root, self.host, name, files)

    @property
    def names(self) -> list[str]:
        """The names of the folders that are there, sorted."""
        return sorted(each.name for each in self.path.iterdir())

    def files(self) -> dict[str, bytes]:
        """Return the content of all files by their path."""
        return {str(each.relative_to(self.root)): each.read_bytes() for each in self.root.rglob("*") if each.is_file()}

    def looking_complete(self) -> set[str]:
        """Return the archives that a plain script takes for complete: metadata that is JSON, no empty file."""
        found = set()
        for folder in self.path.iterdir():
            try:
                metadata = json.loads((folder / METADATA).read_bytes())
            except (OSError, ValueError):
                continue
            if isinstance(metadata, dict) and all(each.is_file() and each.stat().st_size for each in folder.iterdir()):
                found.add(folder.name)
        return found
