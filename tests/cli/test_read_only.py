"""A read-only appliance is changed by no command, however it is named."""

import re
from pathlib import Path
from typing import Any

import click
import pytest

from backupctl.api import endpoints
from backupctl.api.endpoint import Endpoint
from backupctl.cli.lazy_group import LazyGroup
from backupctl.cli.root import COMMANDS, root
from backupctl.errors import ReadOnlyError
from backupctl.secrets.secret import Secret
from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import LOCATION, USER, CommandLine, configured
from tests.support.command_tree import is_without_appliance
from tests.support.scripted_transport import ScriptedTransport, api_over

HOST = "guarded.example.com"
OTHER = "other.example.com"
ARCHIVE = f"{LOCATION}/vCenter/sn_{HOST}/S_8.0.0.10000_20260301-000000_"

CONFIGURATION = f"""
[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"

[servers.guarded]
host = "{HOST}"
read-only = true

[servers.other]
host = "{OTHER}"

[groups]
production = ["guarded"]
both = ["other", "guarded"]
"""

WORDS: dict[tuple[str, ...], list[str]] = {
    ("create",): ["--location", LOCATION],
    ("watch",): ["latest"],
    ("status",): ["latest"],
    ("list",): [],
    ("cancel",): ["latest", "--yes"],
    ("check",): [],
    ("parts",): [],
    ("metrics", "export"): [],
    ("validate",): ["--location", LOCATION],
    ("schedule", "list"): [],
    ("schedule", "show"): [],
    ("schedule", "audit"): [],
    ("schedule", "set"): ["--location", LOCATION, "--at", "02:30"],
    ("schedule", "enable"): [],
    ("schedule", "disable"): [],
    ("schedule", "delete"): ["default", "--yes"],
    ("schedule", "run"): [],
    ("archive", "systems"): ["--location", LOCATION],
    ("archive", "list"): ["--location", LOCATION],
    ("archive", "show"): ["M_1", "--location", LOCATION],
    ("archive", "prune"): ["--location", LOCATION, "--keep-last", "1", "--yes"],
    ("report",): [],
    ("restore", "validate"): ["--location", ARCHIVE, "--sso-username", USER],
    ("restore", "create"): ["--location", ARCHIVE, "--sso-username", USER, "--yes"],
    ("restore", "status"): [],
    ("restore", "watch"): ["--timeout", "1m"],
    ("restore", "cancel"): [],
    ("restore", "reconcile"): ["--sso-username", USER],
}
"""Every command that calls the API, with arguments that make it succeed."""

CHANGING = {
    *(("create",), ("cancel",)),
    *(("schedule", word) for word in ("set", "enable", "disable", "delete", "run")),
    *(("restore", word) for word in ("create", "cancel", "reconcile")),
}
PRUNE = ("archive", "prune")
"""Changes the location; a dry run of it works on a read-only appliance, too (``test_prune.py``)."""
HARMLESS = sorted(WORDS.keys() - CHANGING - {PRUNE})

WAYS = [
    *(["-s", name] for name in ("guarded", HOST, HOST.upper(), f"{HOST}.", f"{HOST}:443", f"{HOST}:5480")),
    *(["-s", f"https://{name}"] for name in (HOST, f"{HOST}:443/", f"{HOST}:5480")),
    *(["-g", "production"], ["-g", "both"], ["--all"], ["-s", OTHER, "-s", HOST]),
]
VARIABLES = [{"BACKUPCTL_SERVER": HOST}, {"BACKUPCTL_GROUP": "production"}, {"BACKUPCTL_ALL": "1"}]


def tree() -> set[tuple[str, ...]]:
    assert isinstance(root, LazyGroup)
    found: set[tuple[str, ...]] = set()
    for name in set(COMMANDS) - {"trust"}:  # trust changes the file and sends no HTTP request
        command = root.load(name)
        found |= {(name, below) for below in command.commands} if isinstance(command, click.Group) else {(name,)}
    return {words for words in found if not is_without_appliance(words)}


def guarded(folder: Path, text: str = CONFIGURATION, **options: Any) -> CommandLine:
    return configured(folder, text, others={HOST: {}, OTHER: {}}, history=True, **options)


def writes(backupctl: CommandLine, host: str = HOST) -> list[tuple[str, str, Any]]:
    """Return the requests that could change an appliance, without those whose body only selects what to read."""
    reading = re.compile(r"POST .*/recovery/(backup|backup/system-name.*|.*/validate)")
    return [write for write in backupctl.lines[host].writes if not reading.fullmatch(f"{write[0]} {write[1]}")]


def test_table_has_every_command_of_the_program() -> None:
    assert WORDS.keys() == tree()


@pytest.mark.parametrize("command", sorted({*CHANGING, PRUNE}), ids=" ".join)
def test_writing_command_is_rejected_and_sends_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    backupctl = guarded(tmp_path)
    run = backupctl(*command, *WORDS[command], "-s", "guarded", "-o", "json")
    assert (run.code, run.json["error"]["slug"]) == (3, "read-only")
    assert wording.READ_ONLY("guarded") in run.json["error"]["message"]
    assert backupctl.lines[HOST].urls == []


def refuse_all_ways(folder: Path, command: tuple[str, ...]) -> None:
    backupctl = guarded(folder)
    for way in WAYS:
        refuse(backupctl, [*command, *WORDS[command], *way], backupctl.environ)
    for variable in VARIABLES:
        refuse(backupctl, [*command, *WORDS[command]], backupctl.environ | variable)


def refuse(backupctl: CommandLine, words: list[str], environ: dict[str, str]) -> None:
    """Assert that nothing was sent and that the error is read-only, or that the command takes one appliance."""
    run = backupctl(*words, "-o", "json", environ=environ)
    errors = [result["error"] for result in run.json["results"] if result["server"] == "guarded"] or [run.json["error"]]
    slugs = [error["slug"] for error in errors]
    too_many = slugs == ["usage"] and "2 are selected" in run.json["error"]["message"]
    assert slugs == ["read-only"] or too_many, (words, run.out)
    assert run.code, words
    assert backupctl.lines[HOST].urls == [], words


def test_create_is_rejected_for_each_way_to_name_the_appliance(tmp_path: Path) -> None:
    refuse_all_ways(tmp_path, ("create",))


@pytest.mark.exhaustive
@pytest.mark.parametrize("command", sorted(CHANGING - {("create",)}), ids=" ".join)
def test_writing_command_is_rejected_for_each_way_to_name_the_appliance(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    refuse_all_ways(tmp_path, command)


@pytest.mark.parametrize("command", HARMLESS, ids=" ".join)
def test_reading_command_works_and_writes_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    backupctl = guarded(tmp_path)
    run = backupctl(*command, *WORDS[command], "-s", HOST, "-o", "json")
    assert "read-only" not in run.out
    assert backupctl.lines[HOST].urls != []
    assert writes(backupctl) == []


def test_commands_of_the_table_change_an_appliance_that_is_not_read_only(tmp_path: Path) -> None:
    fresh = {("restore", word) for word in ("create", "cancel", "reconcile")}
    for command in sorted(CHANGING - fresh):
        backupctl = guarded(tmp_path)
        if command == ("cancel",):
            backupctl.others[OTHER].inject("busy")
        backupctl(*command, *WORDS[command], "-s", "other")
        assert writes(backupctl, OTHER) or command == ("schedule", "enable"), (
            command
        )  # The schedule is enabled already.


@pytest.mark.parametrize("command", sorted(CHANGING), ids=" ".join)
def test_dry_run_works_on_a_read_only_appliance_and_writes_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert isinstance(root, LazyGroup)
    loaded = root.load(command[0])
    leaf = loaded.commands[command[1]] if isinstance(loaded, click.Group) else loaded
    if not any("--dry-run" in parameter.opts for parameter in leaf.params):
        assert command in {("cancel",), ("restore", "cancel")}
        return
    backupctl = guarded(tmp_path)
    run = backupctl(*command, *WORDS[command], "--dry-run", "-s", HOST, "-o", "json")
    assert run.code == 0, run.out
    assert run.json["results"][0]["error"] is None
    assert writes(backupctl) == []


def test_read_only_appliance_of_a_group_is_its_own_result_and_the_others_are_backed_up(tmp_path: Path) -> None:
    backupctl = guarded(tmp_path)
    run = backupctl("create", "--location", LOCATION, "-g", "both", "-o", "json")
    assert (run.code, [result["exit_code"] for result in run.json["results"]]) == (3, [0, 3])
    assert run.json["results"][1]["error"]["slug"] == "read-only"


def test_read_only_in_the_defaults_applies_to_all_that_do_not_override_it(tmp_path: Path) -> None:
    text = CONFIGURATION.replace("[defaults]", "[defaults]\nread-only = true")
    text = text.replace(f'host = "{OTHER}"', f'host = "{OTHER}"\nread-only = false')
    for words, code in ((["-s", "stranger.example.com"], 3), (["-s", "guarded"], 3), (["-s", "other"], 0)):
        assert guarded(tmp_path, text)("create", "--location", LOCATION, *words).code == code


@pytest.mark.parametrize(
    "name", [name for name, value in vars(endpoints).items() if isinstance(value, Endpoint) and value.changes]
)
def test_writing_operation_is_rejected_before_anything_is_sent(name: str, clock: FakeClock) -> None:
    wire = ScriptedTransport({})
    api = api_over(wire, clock, read_only=True)
    with pytest.raises(ReadOnlyError, match=wording.READ_ONLY_FOR_US):
        api._call(getattr(endpoints, name), job="1", schedule="default", piece=None, password=Secret("x"))
    assert wire.requests == []


def test_operations_that_change_nothing_use_get_but_for_these() -> None:
    declared = {name: value for name, value in vars(endpoints).items() if isinstance(value, Endpoint)}
    routes = {name: {value.rest.method, (value.api or value.rest).method} for name, value in declared.items()}
    posts = {name for name, methods in routes.items() if methods != {"GET"} and not declared[name].changes}
    assert posts == {"BACKUP_VALIDATE", "RESTORE_VALIDATE", "ARCHIVE_LIST", "ARCHIVE_GET", "SYSTEM_NAME_LIST"}
