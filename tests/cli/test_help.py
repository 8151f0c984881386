"""``backupctl help``: the manual, in a pipe, on a terminal and in a pager."""

import io
from pathlib import Path

import pytest

from backupctl.cli.root import COMMANDS
from backupctl.config.option import OptionGroup
from backupctl.config.option_table import OPTIONS
from backupctl.help import manual
from tests import wording
from tests.support.command_line import CommandLine

EVERY_TOPIC = pytest.mark.parametrize("topic", manual.topics())


class FakeTerminal(io.StringIO):
    """Output that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(*words: str, **environ: str) -> str:
    backupctl = CommandLine(environ={"TERM": "xterm", "COLUMNS": "60", "LINES": "10", "PAGER": "cat", **environ})
    backupctl.make_stdout = FakeTerminal
    run = backupctl(*words)
    assert (run.code, run.err) == (0, "")
    return run.out


def test_help_without_an_argument_lists_topics_and_commands(backupctl: CommandLine) -> None:
    run = backupctl("help")
    assert (run.code, run.err) == (0, "")
    for name in (*manual.topics(), *COMMANDS):
        assert f"\n- `{name}`: " in run.out


@EVERY_TOPIC
def test_topic_in_a_pipe_is_its_markdown(backupctl: CommandLine, topic: str) -> None:
    run = backupctl("help", topic)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith(f"# {manual.title(run.out)}\n")
    assert run.out == manual.topic(topic)


@EVERY_TOPIC
def test_topic_on_a_terminal_fits_its_width(topic: str) -> None:
    shown = on_terminal("help", topic, NO_COLOR="1")
    assert max(map(len, shown.splitlines())) <= 60
    assert "\x1b" not in shown
    assert "```" not in shown


def test_colour_is_shown_on_a_terminal_unless_it_is_unwanted() -> None:
    assert "\x1b[" in on_terminal("help", "connection")
    assert "\x1b[" not in on_terminal("help", "connection", "--color", "never")
    assert "\x1b[" not in on_terminal("help", "connection", NO_COLOR="1")


def test_wide_terminal_does_not_make_long_lines() -> None:
    assert max(map(len, on_terminal("help", "connection", COLUMNS="300", NO_COLOR="1").splitlines())) <= 100


def test_connection_topic_lists_every_common_option_with_its_variable(backupctl: CommandLine) -> None:
    page = backupctl("help", "connection").out
    common = {OptionGroup.CONNECTION, OptionGroup.SEVERAL, OptionGroup.OUTPUT}
    for option in OPTIONS:
        if option.group in common:
            (line,) = (line for line in page.splitlines() if line.startswith("- `") and f"{option.flag}" in line[:40])
            assert option.help in line
            assert option.environment is None or f"`{option.environment}`" in line
    assert "`BACKUPCTL_PASSWORD_FILE`" in page


@pytest.mark.parametrize(("word", "meant"), [("conection", "connection"), ("crate", "create"), ("xyzzy", None)])
def test_unknown_topic_is_a_usage_error_with_a_similar_name(
    backupctl: CommandLine, word: str, meant: str | None
) -> None:
    run = backupctl("help", word)
    assert (run.code, run.out) == (2, "")
    assert wording.NO_HELP(word) in run.err
    assert (f"hint: {wording.DID_YOU_MEAN(repr(meant))}" if meant else "hint: `backupctl help`") in run.err


def test_long_page_goes_through_the_pager_without_our_secrets(tmp_path: Path) -> None:
    paged, pager = tmp_path / "paged", tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ncat > {paged}; env >> {paged}\n")
    pager.chmod(0o700)
    environ = {"PATH": "/usr/bin:/bin", "BACKUPCTL_PASSWORD": "hidden", "PAGER": str(pager)}
    assert on_terminal("help", "connection", **environ) == ""
    text = paged.read_text()
    assert "--server" in text
    assert "\nLESS=R\n" in text
    assert "hidden" not in text


def test_short_page_and_missing_pager_print_the_page() -> None:
    assert "--server" in on_terminal("help", "connection", PAGER="/nowhere/less")
    assert "--server" in on_terminal("help", "connection", PAGER="/nowhere/less", LINES="1000")
