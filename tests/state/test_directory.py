import os
from pathlib import Path

import pytest

from backupctl.state import directory as state
from backupctl.state.directory import SYSTEM_DIRECTORY, state_directory

HOME = {"HOME": "/home/ada"}


@pytest.mark.parametrize(
    ("named", "environ", "user", "directory"),
    [
        ("/named", {"STATE_DIRECTORY": "/var/lib/a", **HOME}, 0, "/named"),
        (None, {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/state"}, 0, "/var/lib/a"),
        (None, {"XDG_STATE_HOME": "/state", **HOME}, 0, "/state/backupctl"),
        (None, {"STATE_DIRECTORY": "", "XDG_STATE_HOME": "relative", **HOME}, 0, "/var/lib/backupctl"),
        (None, HOME, 1000, "/home/ada/.local/state/backupctl"),
        (None, {}, 1000, None),
    ],
)
def test_directory_is_the_first_that_is_named(
    monkeypatch: pytest.MonkeyPatch, named: str | None, environ: dict[str, str], user: int, directory: str | None
) -> None:
    monkeypatch.setattr(state, "SYSTEM_DIRECTORY", SYSTEM_DIRECTORY)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    found = state_directory(named and Path(named), environ)  # type: ignore[arg-type]
    assert found == (directory and Path(directory))
