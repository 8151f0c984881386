"""Names in braces in a location, filled in for each appliance and run: ``sftp://host/{server}/{date}``.

6.5 wants a new or empty folder for each backup, and so a location that is used again needs something that changes.
"""

import re
from datetime import datetime
from typing import Final

from backupctl.errors import UsageError

_BRACES: Final = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_HINT: Final = "known: {server} {date} {time}; a brace itself is written twice"


def fill_location(template: str, *, server: str, now: datetime) -> str:
    """Return ``template`` with ``{server}``, ``{date}`` (2026-03-01) and ``{time}`` (02-00-00) filled in.

    Date and time are those of ``now`` in its own zone. ``{{`` and ``}}`` stand for a brace. What cannot stand in a
    folder's name everywhere is changed in ``server``: ``vc01:8443`` becomes ``vc01-8443``. Raise UsageError for an
    unknown placeholder.
    """
    values = {"server": _as_folder(server), "date": now.strftime("%Y-%m-%d"), "time": now.strftime("%H-%M-%S")}

    def fill(match: re.Match[str]) -> str:
        found = match[0]
        if found in {"{{", "}}"}:
            return found[0]
        name = match["name"]
        if name is None:
            raise UsageError("the location has a single brace", hint=_HINT)
        if name not in values:
            shown = "" if "@" in template else f" {found}"
            raise UsageError(f"the location has an unknown placeholder{shown}", hint=_HINT)
        return values[name]

    return _BRACES.sub(fill, template)


def _as_folder(server: str) -> str:
    folder = re.sub(r"[^\w.-]", "-", server).strip("-.")
    if not folder:
        raise UsageError("the name of the server cannot stand in a location", hint="leave {server} out of the location")
    return folder
