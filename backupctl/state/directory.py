"""Find the state directory."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SYSTEM_DIRECTORY: Final = Path("/var/lib/backupctl")


def state_directory(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the state directory, which may not exist yet; None without a home directory.

    The first of: the ``named`` one, that of the systemd unit (of several the first), ``$XDG_STATE_HOME/backupctl``, for
    root ``/var/lib/backupctl``, ``~/.local/state/backupctl``. See systemd.exec(5), StateDirectory=, and
    https://specifications.freedesktop.org/basedir-spec/latest/.
    """
    of_unit = Path(environ.get("STATE_DIRECTORY", "").partition(":")[0])
    state_home, home = Path(environ.get("XDG_STATE_HOME", "")), environ.get("HOME")
    if named is not None or of_unit.is_absolute():
        return named or of_unit
    if state_home.is_absolute():
        return state_home / "backupctl"
    if os.geteuid() == 0:
        return SYSTEM_DIRECTORY
    return Path(home, ".local", "state", "backupctl") if home else None
