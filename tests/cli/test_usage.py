"""Help, usage errors, and the options that all commands share."""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from backupctl import __version__
from backupctl.cli.lazy_group import LazyGroup
from backupctl.cli.root import COMMANDS, root
from backupctl.config.option import OptionGroup
from backupctl.config.option_table import OPTIONS
from backupctl.exit_codes import ExitCode
from tests import wording
from tests.support.command_line import CommandLine, configured
from tests.support.command_tree import is_without_appliance

LIBRARIES = ("click", "httpx", "rich", "msgspec")


def loaded(name: str) -> click.Command:
    assert isinstance(root, LazyGroup)
    return root.load(name)


def lines() -> list[tuple[str, ...]]:
    """Return the words of every command, a subcommand after its group."""
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = loaded(name)
        if isinstance(command, click.Group):
            found += [(name, below) for below in command.commands]
        else:
            found.append((name,))
    return found


def command_of(words: tuple[str, ...]) -> click.Command:
    command = loaded(words[0])
    for word in words[1:]:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


TO_APPLIANCES = [words for words in lines() if not is_without_appliance(words)]


def test_version_prints_name_and_version(backupctl: CommandLine) -> None:
    run = backupctl("--version")
    assert (run.code, run.out) == (0, f"backupctl {__version__}\n")


@pytest.mark.parametrize("words", [("-v", "--version"), ("--version", "--verbose"), ("-qv", "--version")])
def test_verbose_version_names_what_a_bug_report_needs(backupctl: CommandLine, words: tuple[str, ...]) -> None:
    run = backupctl(*words)
    assert run.code == 0
    assert run.out.splitlines() == [
        f"backupctl {__version__}",
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        platform.platform(),
    ]


@pytest.mark.parametrize("words", TO_APPLIANCES, ids=" ".join)
def test_command_has_every_connection_and_output_option(words: tuple[str, ...]) -> None:
    flags = {flag for parameter in command_of(words).params for flag in parameter.opts}
    shared = {option.flag for option in OPTIONS if option.group in {OptionGroup.CONNECTION, OptionGroup.OUTPUT}}
    assert shared | {"--password-file", "--password-command"} <= flags


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["-s", "vc01", "completion", "bash"], "completion"),
        (["-o", "json", "simulator", "serve"], "simulator serve"),
        (["-s", "vc01", "--password-file", "x", "config", "show"], "config show"),
    ],
)
def test_connection_options_do_not_exist_on_commands_without_appliance(
    backupctl: CommandLine, words: list[str], command: str
) -> None:
    run = backupctl(*words)
    assert run.code == 2
    assert wording.OPTION_IN_FRONT_OF_A_COMMAND(command) in run.out + run.err


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["schedule", "set", "--nope"], "schedule set"),
        (["schedule", "set", "--config", "/none"], "schedule set"),
        (["--config", "/none", "trust", "show"], "trust show"),
        (["-s", "vc01", "config", "check"], "config check"),
        (["config", "show", "--config", "/none"], "config show"),
        (["archive", "list", "--limit", "x"], "archive list"),
        (["restore", "create", "--timeout", "soon"], "restore create"),
        (["restore", "nope"], "restore"),
        (["list", "--nope"], "list"),
        (["nope"], None),
        (["--nope"], None),
    ],
    ids=str,
)
def test_envelope_of_an_early_error_has_the_whole_name_of_the_command(
    backupctl: CommandLine, words: list[str], command: str | None
) -> None:
    run = backupctl("-o", "json", *words)
    assert (run.json["command"], run.json["results"]) == (command, [])
    assert run.json["exit_code"] == run.code != 0


@pytest.mark.parametrize(
    "words",
    [
        ["--nope"],
        ["nope"],
        ["list", "--nope"],
        ["list", "surplus"],
        ["cancel"],
        ["list", "-s"],
        ["list", "--api", "soap"],
        ["list", "-o", "xml"],
        ["completion", "tcsh"],
        ["schedule", "nope"],
        ["archive", "show"],
        ["restore", "watch", "surplus"],
        ["simulator", "serve", "--release", "5.5"],
        ["simulator", "serve", "--fault", "nope"],
        ["simulator", "serve", "--no-tls", "--listen", "nowhere"],
    ],
    ids=" ".join,
)
def test_usage_error_is_2_with_message_and_hint(backupctl: CommandLine, words: list[str]) -> None:
    run = backupctl(*words)
    assert (run.code, run.out) == (ExitCode.USAGE, "")
    assert run.err.startswith("error: ")
    assert "hint: " in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    "words", [["-o", "json", "list", "--nope"], ["list", "--nope", "--output=json"], ["list", "-qojson", "x"]]
)
def test_usage_error_obeys_the_output_option(backupctl: CommandLine, words: list[str]) -> None:
    run = backupctl(*words)
    assert (run.code, run.json["exit_code"], run.json["command"], run.json["results"]) == (2, 2, "list", [])
    assert run.json["error"]["slug"] == "usage"
    assert run.json["error"]["hint"]


def test_usage_error_in_json_lines_is_one_result_event(backupctl: CommandLine) -> None:
    (event,) = backupctl("-o", "jsonl", "list", "--nope").events
    assert (event["event"], event["exit_code"]) == ("result", 2)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("create", "vc01"), wording.DID_YOU_MEAN("-s vc01")),
        (("list", "VC01"), wording.DID_YOU_MEAN("-s VC01")),
        (("schedule", "list", "vc07.example.com"), wording.DID_YOU_MEAN("-s vc07.example.com")),
        (("list", "10.0.0.1:443"), wording.DID_YOU_MEAN("-s 10.0.0.1:443")),
        (("list", "surplus"), "run `backupctl list --help` for usage"),
    ],
)
def test_surplus_argument_that_names_a_server_has_a_hint_with_the_option(
    tmp_path: Path, words: tuple[str, ...], hint: str
) -> None:
    run = configured(tmp_path, "[servers.vc01]\nhost = 'vc01.example.com'\n")(*words)
    assert (run.code, run.err) == (2, f"error: unexpected argument '{words[-1]}'\nhint: {hint}\n")


def test_misspelt_command_has_a_suggestion(backupctl: CommandLine) -> None:
    assert "create" in backupctl("crate").err


def test_no_command_shows_help_on_standard_error_and_is_2(backupctl: CommandLine) -> None:
    run = backupctl()
    assert (run.code, run.out) == (2, "")
    assert "create" in run.err


def test_unknown_backupctl_variable_gives_a_warning_even_if_quiet(backupctl: CommandLine) -> None:
    run = backupctl("list", "-q", environ=backupctl.environ | {"BACKUPCTL_PASWORD_FILE": "/x"})
    assert run.code == 0
    assert f"warning: {wording.IGNORED_VARIABLE('BACKUPCTL_PASWORD_FILE')}" in run.err
    assert json.loads(backupctl("list", "-o", "json").out)["exit_code"] == 0


@pytest.mark.parametrize(("option", "what"), [("--group", "group"), ("--ca-file", "file"), ("--config", "file")])
def test_option_with_an_empty_name_is_2(backupctl: CommandLine, option: str, what: str) -> None:
    run = backupctl("list", option, "")
    assert run.code == 2
    assert f"{option}: {wording.EMPTY_NAME(what)}" in run.err
