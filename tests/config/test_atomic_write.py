"""Files are written completely or not at all, whenever a signal arrives."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from backupctl.config.atomic_write import private_files, replace, replace_public, write_new
from backupctl.errors import ConfigError, OutputError
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


@pytest.mark.parametrize("write", [partial(replace, mode=0o644), replace_public])
def test_pipe_or_device_is_not_replaced(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError):
        write(pipe, "new")
    assert [(each.name, each.is_fifo()) for each in tmp_path.iterdir()] == [("pipe", True)]


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


def test_private_files_are_written_for_their_owner_only(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("a")
    old.chmod(0o644)
    with private_files({old: "b\n", new: "c\n"}):
        pass
    assert [(each.read_text(), each.stat().st_mode & 0o777) for each in (old, new)] == [("b\n", 0o600), ("c\n", 0o600)]


def test_private_files_stay_as_they_are_when_the_block_is_interrupted(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("a\n")
    with pytest.raises(KeyboardInterrupt), private_files({old: "b\n", tmp_path / "new": "c\n"}):
        raise KeyboardInterrupt
    assert [(each, each.read_text()) for each in tmp_path.iterdir()] == [(old, "a\n")]


def test_private_files_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError), private_files({tmp_path / "new": "c", tmp_path / "none" / "new": "c"}):
        pytest.fail("the block runs")
    assert list(tmp_path.iterdir()) == []
