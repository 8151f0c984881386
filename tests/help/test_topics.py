"""The topics of the manual are correct: command lines, options, codes, keys and faults match the program."""

import ast
import json
import re
import shlex
from functools import cache
from pathlib import Path

import click
import msgspec
import pytest

from backupctl.cli.lazy_group import LazyGroup
from backupctl.cli.root import COMMANDS, root
from backupctl.config.environment import HOOK_VARIABLES, environment_names
from backupctl.config.notify_keys import NOTIFY_KEYS
from backupctl.config.option_table import OPTIONS, PASSWORD, SECRETS
from backupctl.errors import BackupctlError
from backupctl.exit_codes import SEVERITY, ExitCode
from backupctl.results.archive_results import Archive, ArchiveMetadata
from backupctl.results.audit_results import ExpectedRun
from backupctl.results.backup_history import BackupHistory
from backupctl.results.backup_results import Check, PartSize
from backupctl.results.events import RunEvent
from backupctl.results.prune_results import PrunedArchive
from backupctl.results.report_results import BackupReport
from backupctl.results.result import Change, PreparedRequest
from backupctl.results.schedule_results import ScheduleInfo
from backupctl.results.target_archive import TargetArchive
from backupctl.results.verdict_results import Verdict
from backupctl.rules.hints import KNOWN_FAILURES, known_failure
from backupctl.simulator.faults import KINDS, PHASES
from backupctl.targets import target_errors  # noqa: F401 - its errors have slugs, too
from tests.support.command_line import CommandLine
from tests.support.documented_setup import DocumentedSetup
from tests.support.documents import PROJECT, README, TOPICS, blocks, command_lines, rows, section, text_of
from tests.support.source import sources, tree_nodes

DOCUMENTS = (README, *TOPICS, *sorted((PROJECT / "backupctl" / "help" / "commands").glob("*.md")))
KEYS = {
    "host",
    "read-only",
    *(option.file_key for option in OPTIONS),
    *(key for each in SECRETS for key in each.file_keys),
    *NOTIFY_KEYS.known,
}
NAMES = [path.stem for path in TOPICS]


def command_of(line: str) -> tuple[click.Command, list[str]]:
    """Return the command of a line and its arguments, with options that stand before the command moved behind it."""
    words = shlex.split(line)
    index = next(index for index, word in enumerate(words) if word in COMMANDS)
    arguments = words[index + 1 :] + words[:index]
    assert isinstance(root, LazyGroup)
    command = root.load(words[index])
    if isinstance(command, click.Group) and arguments:
        command = command.commands[arguments.pop(0)]
    return command, arguments


@cache
def all_options() -> set[str]:
    """Return the long and short options of all commands."""
    assert isinstance(root, LazyGroup)
    commands = [root.load(name) for name in COMMANDS]
    commands += [each for group in commands if isinstance(group, click.Group) for each in group.commands.values()]
    parameters = [each for command in (root, *commands) for each in command.params]
    named = {name for each in parameters for name in (*each.opts, *each.secondary_opts)}
    return {*named, "--help", "-h", "--version"}


LINES = sorted({(path.stem, line) for path in DOCUMENTS for line in command_lines(path.read_text(encoding="utf-8"))})


def usage_error(line: str) -> str | None:
    """Return what is wrong with a command line, None if it is valid."""
    command, arguments = command_of(line)
    try:
        command.make_context(str(command.name), arguments)
    except click.UsageError as error:
        return error.format_message()
    return None


def test_every_command_line_of_a_document_is_valid() -> None:
    errors = {(document, line): usage_error(line) for document, line in LINES}
    assert {place: error for place, error in errors.items() if error} == {}
    assert usage_error("list --stat FAILED") is not None


RUN_NOWHERE = (
    *("completion", "simulator", "setup", "help", "config set-secret", "config init", "restore", "trust", "notify"),
    *("archive prune", "archive verify", "create -s vc01 --verify"),
)
"""Commands that serve, ask, change the machine, read a backup server, or need an appliance that waits for a restore or
a notify table."""


@pytest.mark.parametrize(
    "line", sorted({line for name, line in LINES if not line.startswith(RUN_NOWHERE) and "ca-file" not in line})
)
def test_command_line_of_the_manual_runs(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where reports are written to
    setup = DocumentedSetup(tmp_path, history=True)
    asks = line.startswith(("cancel latest", "schedule delete")) and "--dry-run" not in line
    line = line.replace("$first", "2026-02-01").replace("$next", "2026-03-01")  # variables of a script
    run = setup.run_line(line, answers=["y"] if asks else None)
    assert run.code not in {ExitCode.BUG, ExitCode.USAGE}, run.err
    assert run.code != ExitCode.CONFIG or "lab is read-only" in run.err, run.err


def test_manual_has_a_command_line_for_every_command() -> None:
    assert {next(word for word in line.split() if word in COMMANDS) for _, line in LINES} | {"completion"} == set(
        COMMANDS
    )


OTHER_PROGRAMS = (
    *("./", "/", "crontab", "dir-cli", "internal-sftp", "journalctl", "loginctl", "pipx", "prometheus-", "python3"),
    *("service-control", "ssh-keygen", "systemctl", "systemd-", "uv"),
)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_name_in_a_document_exists(path: Path) -> None:
    """Options, variables and topics."""
    text = path.read_text(encoding="utf-8")
    ours = [code for code in re.findall(r"`([^`\n]+)`", text) if not code.startswith(OTHER_PROGRAMS)]
    options = {word for code in ours for word in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", code)}
    assert options - all_options() - {"--NAME-file", "--NAME-command", "-vv", "-P", "-u", "-R"} == set()
    assert set(re.findall(r"BACKUPCTL_[A-Z_]*[A-Z]", text)) <= {*environment_names(), *HOOK_VARIABLES}
    assert set(re.findall(r"backupctl help ([a-z-]+)", text)) <= {*NAMES, *COMMANDS}


@pytest.mark.parametrize("path", TOPICS, ids=lambda path: path.stem)
def test_topic_has_one_title_and_lines_that_fit_a_terminal(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert text.startswith("# ")
    assert len(re.findall(r"(?m)^# ", prose)) == 1
    assert [line for line in prose.splitlines() if len(line) > 120] == []
    assert not re.search(r"(?m)^#{3,} |^ +[*-] ", prose)


@pytest.mark.parametrize("path", TOPICS, ids=lambda path: path.stem)
def test_code_of_a_topic_fits_80_columns(path: Path) -> None:
    code = "".join(
        block
        for language in ("sh", "text", "json", "toml")
        for block in blocks(path.read_text(encoding="utf-8"), language)
    )
    assert [line for line in code.splitlines() if len(line) > 76 and re.match(r"backupctl | +-| *\"", line)] == []


def test_keys_of_every_configuration_in_the_manual_exist() -> None:
    named = {key for path in TOPICS for key in re.findall(r"`([a-z-]+) = ", path.read_text(encoding="utf-8"))}
    assert named <= KEYS


def test_configuration_of_the_manual_passes_config_check(tmp_path: Path) -> None:
    run = DocumentedSetup(tmp_path).run("config", "check", "--run-commands", "-o", "json")
    checks = [check for result in run.json["results"] for check in result["checks"]]
    assert (run.code, {check["status"] for check in checks}) == (0, {"OK"})
    assert len(run.json["results"]) == 4


def test_notify_tables_of_the_manual_are_valid(tmp_path: Path) -> None:
    setup = DocumentedSetup(tmp_path)
    for table in blocks(text_of("notifications"), "toml"):
        setup.write("config.toml", f"{blocks(text_of('configuration'), 'toml')[0]}\n{table}")
        checks = setup.run("config", "check", "-o", "json").json["results"][0]["checks"]
        assert checks[0]["message"].endswith("3 servers, 1 group"), checks[0]


def test_read_only_server_of_the_manual_is_not_changed(tmp_path: Path) -> None:
    setup = DocumentedSetup(tmp_path)
    run = setup.run("create", "--all", "-o", "json")
    assert [result["exit_code"] for result in run.json["results"]] == [0, 0, 3]
    setup.assert_production_is_backed_up()


def test_linked_appliances_of_the_manual_start_together_or_not_at_all(tmp_path: Path) -> None:
    line = next(line for line in command_lines(text_of("several")) if "--together" in line)
    setup = DocumentedSetup(tmp_path)
    assert setup.run_line(line).code == 0
    setup.assert_production_is_backed_up()
    (tmp_path / "other").mkdir()
    setup = DocumentedSetup(tmp_path / "other")
    setup.run.others["vc02.example.com"].inject("validate-fail")
    assert setup.run_line(line).code == 7
    assert not any(setup.targets().values())


def slugs(cls: type[BackupctlError] = BackupctlError) -> dict[str, set[int]]:
    """Return the exit codes of each slug."""
    found = {cls.slug: {int(cls.exit_code)}}
    for child in cls.__subclasses__():
        for slug, codes in slugs(child).items():
            found.setdefault(slug, set()).update(codes)
    return found


def test_tables_of_codes_and_slugs_match_the_program() -> None:
    codes = rows(section(text_of("scripting"), "Exit codes"))
    finer = rows(section(text_of("scripting"), "Slugs"))
    assert [int(code) for code, _, _ in codes] == list(ExitCode)
    documented = {slug.strip("`"): {int(code)} for code, slug, _ in codes if slug}
    for slug, code, _ in finer:
        documented[slug.strip("`")] = {int(each) for each in re.findall(r"\d+", code)}
    follow = {slug for slug, code, _ in finer if code == "that of the failure"}
    assert {f"`{slug}`" for slug in documented if not documented[slug]} == follow
    actual = slugs()
    assert set(documented) == set(actual)
    assert {slug: codes for slug, codes in documented.items() if codes and codes != actual[slug]} == {}


def test_order_of_the_codes_of_several_appliances_matches_the_program() -> None:
    order = re.search(r"order: ([^.]+)\.", text_of("several"))
    assert order
    assert [int(code) for code in re.findall(r"(\d+) \(", order[1])] == list(SEVERITY)


def test_json_example_of_the_manual_has_the_keys_of_the_output(backupctl: CommandLine) -> None:
    (example,) = (json.loads(block) for block in blocks(text_of("scripting"), "json"))
    real = backupctl.create("-o", "json").json
    assert list(example) == list(real)
    assert list(example["results"][0]) == list(real["results"][0])
    assert list(example["results"][0]["job"]) == list(real["results"][0]["job"])


def test_table_of_keys_matches_the_output(tmp_path: Path) -> None:
    common = {"server", "host", "api", "release", "simulated", "exit_code", "error"}
    setup = DocumentedSetup(tmp_path, history=True)
    lines = {
        "list": "list",
        "parts": "parts",
        "validate": "validate",
        "status": "status latest",
        "schedule list": "schedule list",
        "schedule show": "schedule show",
        "schedule audit": "schedule audit",
        "archive systems": "archive systems --location sftp://backup.example.com/vcenter",
        "report": "report",
        "archive list": "archive list --location sftp://backup.example.com/vcenter",
        "archive list --direct": "archive list --direct --location sftp://backup.example.com/vcenter",
        "check": "check",
        "metrics export": "metrics export",
        "any": "create --dry-run",
    }
    table = {cells[0]: cells[1] for cells in rows(section(text_of("scripting"), "One JSON document"))}
    for command, line in lines.items():
        documented = next(keys for names, keys in table.items() if names.startswith("any") or f"`{command}" in names)
        if command == "any":
            documented = table["any other with `--dry-run`"]
        result = setup.run_line(f"{line} -s vc01 -o json").json["results"][0]
        assert set(result) - common == set(re.findall(r"`([a-z_]+)`", documented)), command


STRUCTS: dict[str, type[msgspec.Struct]] = {
    "parts": PartSize,
    "checks": Check,
    "schedule": ScheduleInfo,
    "runs": ExpectedRun,
    "changes": Change,
    "archive": Archive,
    "keep": PrunedArchive,
    "metadata": ArchiveMetadata,
    "requests": PreparedRequest,
    "check": Verdict,
    "history": BackupHistory,
    "report": BackupReport,
}


@pytest.mark.parametrize("name", STRUCTS)
def test_list_of_the_keys_of_an_object_matches_the_output(name: str) -> None:
    (item,) = re.findall(rf"(?m)^\* `{name}`(?: and `\w+`)?: ((?:.+\n)(?:  .+\n)*)", text_of("scripting"))
    assert re.findall(r"`(\w+)`", item.partition(";")[0]) == [
        field.encode_name for field in msgspec.structs.fields(STRUCTS[name])
    ]


def test_keys_of_an_archive_that_was_read_directly_match_the_output() -> None:
    (keys,) = re.findall(r"(?m); with `--direct` also (.+)$", text_of("scripting"))
    assert re.findall(r"`(\w+)`", keys) == [
        name for name in TargetArchive.__struct_fields__ if name not in Archive.__struct_fields__
    ]


def test_table_of_events_names_each_event() -> None:
    table = rows(section(text_of("scripting"), "One event a line"))
    events = {each.__struct_config__.tag for each in RunEvent.__subclasses__()}
    assert {row[0].strip("`") for row in table} == events | {"result"}


def test_table_of_faults_has_each_kind() -> None:
    table = section(text_of("simulator"), "Faults").partition("| fault |")[2]
    named = {name for row in rows(f"| fault |{table}") for name in re.findall(r"`([^`]+)`", row[0])}
    assert {name.partition("=")[0] for name in named} == set(KINDS)


def test_table_of_phases_has_each_phase() -> None:
    table = section(text_of("simulator"), "Faults").partition("| phase |")[2].partition("| fault |")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) == set(PHASES)


def test_known_messages_of_the_manual_get_the_same_hints_from_the_program() -> None:
    known = section(text_of("troubleshooting"), "The backup failed")
    items = re.findall(r"(?m)^\* ((?:`[^`]+`(?:, )?)+): ((?:.+\n)(?:  .+\n)*)", known)
    assert len(items) > 12
    for messages, text in items:
        articles = set(re.findall(r"KB (\d+)", text))
        for message in re.findall(r"`([^`]+)`", messages):
            known_one = known_failure([message], 10 if "At 10 %" in text else None)
            assert known_one, message
            assert set(known_one.articles) == articles, message
    assert {article for failure in KNOWN_FAILURES for article in failure.articles} <= set(
        re.findall(r"KB (\d+)", known)
    )


def test_messages_of_the_manual_are_messages_of_the_program() -> None:
    quoted = re.findall(r"(?m)^\*\*You see:\*\* (.+)$", text_of("troubleshooting"))
    messages = {
        node.value
        for tree in sources().values()
        for node in tree_nodes(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    phrases = [phrase for line in quoted for phrase in re.findall(r"`([^`]+)`", line)]
    assert len(phrases) > 12
    assert [phrase for phrase in phrases if not any(phrase in message for message in messages)] == []


def test_every_secret_and_its_keys_are_in_the_manual() -> None:
    text = text_of("secrets")
    keys = [cells[0].strip("`") for cells in rows(section(text, "Where a secret comes from"))]
    assert keys == list(PASSWORD.file_keys)


def test_promises_name_the_map_of_the_tests() -> None:
    assert "`tests/README.md`" in text_of("security")
    assert (PROJECT / "tests" / "README.md").is_file()
