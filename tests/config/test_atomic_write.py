"""Files are written completely or not at all, whenever a signal arrives."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from backupctl.config.atomic_write import replace, write_new
from backupctl.errors import ConfigError
from tests import wording

MODE = 0o600
REPLACING = ("open", "fdopen", "fsync", "chown", "chmod")


def interrupted_behind(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise an interruption directly after a system call."""
    whole: Callable[..., Any] = getattr(os, step)

    def call(*given: Any, **options: Any) -> NoReturn:
        made = whole(*given, **options)
        if step == "fdopen":
            made.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, call)


@pytest.mark.parametrize("step", REPLACING)
def test_interrupted_replacement_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    interrupted_behind(step, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        replace(path, "new", MODE)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("config.toml", "old")]


def test_interrupted_writing_of_a_new_file_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_behind("fdopen", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path / "config.toml", "new", MODE)
    assert list(tmp_path.iterdir()) == []


def test_new_file_does_not_overwrite_an_existing_one(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    with pytest.raises(ConfigError, match=wording.ALREADY_EXISTS("")):
        write_new(path, "new", MODE)
    assert path.read_text() == "old"
