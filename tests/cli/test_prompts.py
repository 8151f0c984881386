"""Lines between prompts on a terminal; prompts themselves are tried in ``tests/real/test_prompts.py``."""

import io
from collections.abc import Callable

import pytest

from backupctl.cli.prompts import Prompter, confirm
from backupctl.errors import UsageError


def test_lines_between_prompts_are_wrapped_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    word = "sftp://backup.example.com/a-long-folder-name"
    Prompter(interactive=True).say(f"\n  one line that is longer than forty columns\n{word}")
    assert capsys.readouterr().err.split("\n") == [
        "",
        "  one line that is longer than forty",
        "    columns",
        word,
        "",
    ]


def test_lines_to_be_copied_stay_whole(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    crontab = "# crontab -e\n30 2 * * * /usr/bin/backupctl create -q -g production --config /etc/a.toml"
    Prompter(interactive=True).show(crontab)
    assert capsys.readouterr().err == f"{crontab}\n"


def test_blanks_around_an_answer_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr("sys.stdin", io.StringIO("\tadministrator@vsphere.local \n"))
    assert Prompter(interactive=True).ask("User name", checked.append) == "administrator@vsphere.local"
    assert checked == ["administrator@vsphere.local"]


@pytest.mark.parametrize("hint", [None, "use --yes"])
def test_end_of_input_at_a_yes_or_no_has_the_hint_of_its_question(
    monkeypatch: pytest.MonkeyPatch, hint: str | None
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UsageError) as caught:
        confirm(Prompter(interactive=True), "Continue?", hint=hint)
    assert caught.value.hint == hint


@pytest.mark.parametrize("method", [Prompter.say, Prompter.show])
def test_foreign_text_between_prompts_is_escaped(
    method: Callable[[Prompter, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    method(Prompter(interactive=True), "vc01: \x1b]0;title\x07 \x1b[2J")
    assert capsys.readouterr().err == "vc01: \\x1b]0;title\\x07 \\x1b[2J\n"
