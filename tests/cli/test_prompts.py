"""Lines between prompts on a terminal; prompts themselves are tried in ``tests/real/test_prompts.py``."""

import pytest

from backupctl.cli.prompts import Prompter


def test_lines_between_prompts_are_wrapped_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    word = "sftp://backup.example.com/a-long-folder-name"
    command = "$ backupctl create -s vc01.example.com --location nfs://nas/vcenter"
    Prompter(interactive=True).say(f"\n  one line that is longer than forty columns\n{word}\n{command}")
    assert capsys.readouterr().err.split("\n") == [
        "",
        "  one line that is longer than forty",
        "    columns",
        word,
        command,
        "",
    ]
