"""``--help``, and ``backupctl help``: the manual, in a pipe, on a terminal and in a pager."""

import io
import re
import shlex
from pathlib import Path

import click
import pytest

from backupctl.cli.command_help import own_options
from backupctl.cli.manual_pages import commands_by_page
from backupctl.cli.root import COMMANDS
from backupctl.config.option import Option, OptionGroup
from backupctl.config.option_table import OPTIONS
from backupctl.help import manual
from tests import wording
from tests.support.command_line import CommandLine

COMMANDS_BY_PAGE = commands_by_page()
COMMON = {OptionGroup.CONNECTION, OptionGroup.SEVERAL, OptionGroup.OUTPUT}
EVERY_COMMAND = pytest.mark.parametrize("name", COMMANDS_BY_PAGE)
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


@EVERY_COMMAND
def test_help_of_a_command_is_short_and_shows_examples_before_its_own_options(
    backupctl: CommandLine, name: str
) -> None:
    words = COMMANDS_BY_PAGE[name].full_name.split() if name != "backupctl" else []
    run = backupctl(*words, "--help")
    assert (run.code, run.err) == (0, "")
    assert len(run.out.splitlines()) <= {"backupctl": 48, "create": 60, "archive-prune": 44}.get(name, 40)
    assert max(map(len, run.out.splitlines())) <= 80
    first, *others = re.findall(r"^(\S[^:\n]*):$", run.out, re.MULTILINE)
    assert first == "Examples"
    assert f"\n  backupctl {' '.join(words)}" in run.out.partition("Examples:")[2]
    assert not {group.value for group in COMMON} & set(others) or words[:1] in (["config"], ["setup"])
    assert "BACKUPCTL_" not in run.out
    assert "…" not in run.out
    assert "..." not in run.out.replace("COMMAND [ARGS]...", "").replace(".../sn_HOST/M_...", "").replace("4f1c...", "")


@pytest.mark.parametrize(("columns", "widest"), [("40", 78), ("100", 98), ("300", 118)])
def test_help_of_a_command_uses_the_width_of_the_terminal_within_limits(
    monkeypatch: pytest.MonkeyPatch, backupctl: CommandLine, columns: str, widest: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = backupctl("create", "--help").out.splitlines()
    assert max(map(len, lines)) <= widest
    one_line = any("Return once started: exit code 0 means started, not done." in line for line in lines)
    assert one_line is (columns != "40")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_text_of_an_option_is_one_short_line(option: Option[object]) -> None:
    for text in (option.help, *option.help_of.values()):
        assert len(text) <= 64
        assert text.endswith(".")


@EVERY_COMMAND
def test_example_of_a_page_is_a_valid_command_line(name: str) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", manual.command_page(name), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    assert lines
    for line in lines:
        program, *words = shlex.split(line.partition(" > ")[0])
        assert program == "backupctl"
        page = next(page for page in ("-".join(words[:2]), words[0]) if page in COMMANDS_BY_PAGE)
        command = COMMANDS_BY_PAGE[page]
        command.make_context(page, words[len(command.full_name.split()) :])


@EVERY_COMMAND
def test_page_of_a_command_has_usage_own_options_and_exit_status(backupctl: CommandLine, name: str) -> None:
    command = COMMANDS_BY_PAGE[name]
    run = backupctl("help", *command.full_name.split())
    assert (run.code, run.err) == (0, "")
    if name in manual.topics():
        return
    assert f"\n\n`backupctl{'' if name == 'backupctl' else f' {command.full_name}'}" in run.out
    if isinstance(command, click.Group):
        first = next(iter(command.commands))
        assert f"\n- `{first if name == 'backupctl' else f'{name} {first}'}`: " in run.out.partition("## Commands")[2]
    else:
        assert "\n- `0`: " in run.out.partition("## Exit status")[2]
    for option in own_options(command):
        assert f"{max(option.opts, key=len).removeprefix('--')}" in run.out.partition("## Options")[2]


def test_every_page_belongs_to_a_command() -> None:
    folder = Path(manual.FOLDER, "commands")
    assert {path.stem for path in folder.iterdir()} == set(COMMANDS_BY_PAGE)


def test_option_has_another_text_where_it_means_another_thing(backupctl: CommandLine) -> None:
    assert "Folder of the archive" in backupctl("restore", "create", "--help").out
    assert "Where to store the backup" in backupctl("create", "--help").out
    completed = backupctl("restore", "create", "--loca", environ={"_BACKUPCTL_COMPLETE": "fish"}).out
    assert "--location\tFolder of the archive" in completed


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
    text, see_also, _ = manual.topic(topic).partition("\n## See also")
    assert run.out.startswith(text)
    assert see_also in run.out
    assert (f"\n- `{topic} " in run.out) is (topic in COMMANDS)


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
    for option in OPTIONS:
        if option.group in COMMON:
            (line,) = (
                line
                for line in page.splitlines()
                if line.startswith("- `") and option.flag in line[:40].replace("[no-]", "")
            )
            assert option.help.removesuffix(".") in line
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


@pytest.mark.parametrize("pager", ["/nowhere/less", "less 'unclosed", "", "cat"])
def test_page_without_a_usable_pager_is_printed(pager: str) -> None:
    assert "--server" in on_terminal("help", "connection", PAGER=pager)


def test_page_that_fits_the_screen_is_printed_without_the_pager() -> None:
    assert "--server" in on_terminal("help", "connection", PAGER="false", LINES="1000")
