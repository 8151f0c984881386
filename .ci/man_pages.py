"""Build hook: put the man pages, made from the manual, into the wheel below ``share/man``."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPages(BuildHookInterface[Any]):
    """Makes the pages before the wheel is built; their date is that of ``SOURCE_DATE_EPOCH``, or today."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the pages; an editable installation has none."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from backupctl.cli.manual_pages import man_pages

        seconds = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
        self.folder = tempfile.TemporaryDirectory()
        for path, text in man_pages(time.strftime("%Y-%m-%d", time.gmtime(seconds))):
            file = Path(self.folder.name, path)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        build_data["shared_data"][self.folder.name] = "share/man"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the pages, which are in the wheel now."""
        if version != "editable":
            self.folder.cleanup()
