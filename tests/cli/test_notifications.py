"""Pings, messages and hooks around the commands that make backups."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from backupctl.simulator.archive_directory import ArchiveDirectory
from tests import wording
from tests.support.command_line import HOST, NFS, USER, CommandLine, Run, configured, write_private

MONITOR = "hc.example.com"
PATH = "/0f1e2d3c-5b6a"
PINGS = """
[notify]
ping-file = "ping.url"
"""
MESSAGES = """
[notify]
urls-file = "apprise.urls"
on = "{}"
""".format


class Monitor(httpx.BaseTransport):
    """A monitor that speaks the protocol of healthchecks.io; ``answers`` are those to its next requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response | Exception] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, content=b"OK")
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def pings(self) -> list[str]:
        """What follows the id in the path of each ping."""
        return [request.url.path.removeprefix(PATH) for request in self.requests]

    @property
    def bodies(self) -> list[str]:
        return [request.content.decode() for request in self.requests]


class Chat:
    """In place of the package apprise, which takes half a second to import; the real one is in ``tests/real``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, broken: bool = False) -> None:
        self.messages: list[dict[str, Any]] = []
        service = SimpleNamespace(add=lambda url: url.startswith("json://"), notify=self._notify)
        package = {"Apprise": lambda **_: service, "AppriseAsset": SimpleNamespace}
        monkeypatch.setitem(sys.modules, "apprise", SimpleNamespace(**package))
        self.broken = broken

    def _notify(self, body: str, title: str, **message: Any) -> bool:
        if self.broken:
            raise ZeroDivisionError
        self.messages.append({"body": body, "title": title, **message})
        return True

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]


def told(
    folder: Path, text: str, *, monitor: Monitor | None = None, servers: Sequence[str] = ("vc01",), **options: Any
) -> CommandLine:
    """Return a command line with configured servers and notify tables, and the files that these name."""
    write_private(folder / "ping.url", f"https://{MONITOR}{PATH}\n")
    write_private(folder / "apprise.urls", "json://chat.example.com/t0ken\n")
    hosts = {name: f"{name}.example.com" for name in servers}
    tables = [f'[servers.{name}]\nhost = "{host}"\n' for name, host in hosts.items()]
    groups = f"[groups]\nproduction = {json.dumps(list(servers))}\n"
    defaults = f'[defaults]\nusername = "{USER}"\npassword-env = "VC_PASSWORD"\nlocation = "{NFS}"\n'
    each = options.pop("each", {})
    others = {host: each.get(name, {}) for name, host in hosts.items() if host != HOST}
    environ = {"XDG_STATE_HOME": str(folder), **options.pop("environ", {})}
    line = configured(folder, "\n".join([defaults, *tables, groups, text]), others=others, environ=environ, **options)
    line.lines[MONITOR] = monitor or Monitor()  # type: ignore[assignment]
    return line


def test_a_ping_tells_the_start_and_the_end_of_a_backup(tmp_path: Path) -> None:
    monitor = Monitor()
    run = told(tmp_path, PINGS, monitor=monitor)("create", "-s", "vc01", "-q")
    assert (run.code, run.err, monitor.pings) == (0, "", ["/start", ""])
    start, end = (request.url.params["rid"] for request in monitor.requests)
    assert start == end
    assert monitor.bodies[1].startswith("vc01: backup done\n")


def test_no_output_shows_the_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Chat(monkeypatch)
    backupctl = told(tmp_path, MESSAGES("always") + 'ping-file = "ping.url"\n')
    lines = (["create", "-s", "vc01", "-vv"], ["notify", "test", "-vv"], ["config", "show", "--server", "vc01", "-vv"])
    runs = [backupctl(*words) for words in lines]
    assert [run.code for run in runs] == [0, 0, 0]
    assert [run for run in runs if PATH in run.out + run.err or "t0ken" in run.out + run.err] == []


def test_a_failure_is_pinged_with_its_code_and_its_reason(tmp_path: Path) -> None:
    monitor = Monitor()
    run = told(tmp_path, PINGS, monitor=monitor, faults=["fail-at=40"])("create", "-s", "vc01")
    assert (run.code, monitor.pings) == (7, ["/start", "/7"])
    assert "vc01: backup not done (backup-failed)" in monitor.bodies[1]
    assert "backup job " in monitor.bodies[1]
    assert "exit code 7" in monitor.bodies[1]


def test_an_error_that_ends_the_run_before_it_begins_is_reported(tmp_path: Path) -> None:
    monitor = Monitor()
    backupctl = told(tmp_path, PINGS, monitor=monitor)
    run = backupctl("create", "-s", "vc01", environ={**backupctl.environ, "VC_PASSWORD": ""})
    assert (run.code, monitor.pings) == (3, ["/3"])
    assert (backupctl("create", "-s", "vc01", "--part", "a b", answers=[]).code, monitor.pings) == (2, ["/3"])


@pytest.mark.parametrize(
    ("words", "pings"),
    [
        (["create", "-s", "vc01", "--no-wait"], []),
        (["create", "-s", "vc01", "--dry-run"], []),
        (["create", "--simulate"], []),
        (["list", "-s", "vc01"], []),
        (["validate", "-s", "vc01"], []),
        (["schedule", "run", "-s", "vc01"], ["/start", ""]),
    ],
    ids=" ".join,
)
def test_only_a_backup_that_is_seen_to_its_end_is_reported(tmp_path: Path, words: list[str], pings: list[str]) -> None:
    monitor = Monitor()
    run = told(tmp_path, PINGS, monitor=monitor, history=True)(*words)
    assert (run.code, monitor.pings) == (0, pings)


def test_an_interrupted_run_is_not_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import signal

    monitor, chat = Monitor(), Chat(monkeypatch)
    hook = f'after-failure = ["touch", "{tmp_path}/told"]'
    backupctl = told(tmp_path, PINGS + 'urls-file = "apprise.urls"\n' + hook, monitor=monitor, job_duration=600)
    backupctl.clock.at(60, lambda: os.kill(os.getpid(), signal.SIGTERM))
    run = backupctl("create", "-s", "vc01")
    assert (run.code, monitor.pings, chat.titles, (tmp_path / "told").exists()) == (130, ["/start"], [], False)


@pytest.mark.parametrize(
    ("answers", "pings"),
    [
        ([httpx.ConnectError("down")] * 9, ["/start", "/start", "/start", "", "", ""]),
        ([httpx.Response(503)] * 9, ["/start", "/start", "/start", "", "", ""]),
        ([httpx.Response(404)] * 9, ["/start", ""]),
        ([httpx.Response(200, content=b"OK (not found)")] * 9, ["/start", ""]),
        ([httpx.Response(302, headers={"location": "https://other.example.com"})] * 9, ["/start", ""]),
        ([ZeroDivisionError()] * 9, ["/start", ""]),
    ],
    ids=["down", "busy", "not found", "unknown", "redirect", "bug"],
)
def test_a_failing_ping_changes_nothing_and_is_always_said(
    tmp_path: Path, answers: list[httpx.Response | Exception], pings: list[str]
) -> None:
    monitor = Monitor()
    monitor.answers = answers
    backupctl = told(tmp_path, PINGS, monitor=monitor)
    run = backupctl("create", "-s", "vc01", "-q", "-o", "json")
    assert (run.code, run.result["exit_code"], monitor.pings, backupctl.states) == (0, 0, pings, ["SUCCEEDED"])
    assert run.err.count(wording.NOT_SENT("ping-file")) == 2
    assert PATH not in run.err + run.out


def test_a_secret_that_cannot_be_read_keeps_no_backup_from_being_made(tmp_path: Path) -> None:
    run = told(tmp_path, '[notify]\nping-file = "missing"\nurls-env = "NOT_SET"\n')("create", "-s", "vc01", "-q")
    assert (run.code, run.err.count(wording.NOT_SENT("ping-file"))) == (0, 2)


def test_an_unusable_ping_is_named_by_its_table(tmp_path: Path) -> None:
    backupctl = told(tmp_path, '[notify.groups.production]\nping-command = ["printf", "htp:/s3cret-uuid"]\n')
    run = backupctl("create", "-s", "vc01")
    assert run.err.count(wording.NOT_SENT("groups.production.ping-command") + wording.INVALID_PING) == 2
    check = backupctl("config", "check", "--run-commands")
    assert f"notify.groups.production.ping-command: {wording.INVALID_PING}" in " ".join(check.out.split())
    assert (run.code, check.code, "s3cret" in run.out + run.err + check.out + check.err) == (0, 3, False)


def test_a_bug_before_a_backup_keeps_it_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> None:
        raise UnicodeError

    monkeypatch.setattr("backupctl.cli.notifier.find_channels", bug)
    backupctl = told(tmp_path, PINGS)
    run = backupctl("create", "-s", "vc01", "-q")
    assert (run.code, backupctl.states, wording.NOTHING_REPORTED in run.err) == (0, ["SUCCEEDED"], True)


def test_secrets_are_read_while_the_backups_run(tmp_path: Path) -> None:
    read, marker = list[bool](), tmp_path / "read"

    def look(request: httpx.Request, send: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
        read.append(marker.exists())
        return send(request)

    text = f'[notify]\nping-command = ["sh", "-c", "touch {marker}; printf https://{MONITOR}{PATH}"]\n'
    monitor = Monitor()
    run = told(tmp_path, text, monitor=monitor, intercept=look)("create", "-s", "vc01", "-q")
    assert (run.code, run.err, read[0], monitor.pings) == (0, "", False, ["/start", ""])


def fleet(folder: Path, text: str, number: int, **options: Any) -> CommandLine:
    return told(folder, text, servers=[f"vc{index:02}" for index in range(2, number + 2)], **options)


@pytest.mark.parametrize("number", [6, pytest.param(50, marks=pytest.mark.exhaustive)])
def test_a_fleet_gets_one_message_and_one_ping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monitor, chat = Monitor(), Chat(monkeypatch)
    text = MESSAGES("failure") + 'ping-file = "ping.url"\n'
    backupctl = fleet(tmp_path, text, number, monitor=monitor, each={"vc07": {"faults": ["fail-at=40"]}})
    assert (backupctl("create", "-g", "production").code, monitor.pings) == (7, ["/start", "/7"])
    assert chat.titles == [f"1 of {number} backups not done: vc07"]
    assert chat.messages[0]["notify_type"] == "failure"
    assert "vc06: backup " in chat.messages[0]["body"]


def test_a_shared_ping_tells_a_success_only_of_all_that_share_it(tmp_path: Path) -> None:
    monitor = Monitor()
    backupctl = fleet(tmp_path, PINGS, 2, monitor=monitor)
    part = backupctl("create", "-s", "vc02")
    assert (part.code, monitor.pings, wording.PING_OF_OTHERS_TOO("vc03") in part.err) == (0, [], True)
    assert (backupctl("create", "--all").code, monitor.pings) == (0, ["/start", ""])


def test_a_read_only_server_does_not_hold_back_the_success_of_a_shared_ping(tmp_path: Path) -> None:
    monitor = Monitor()
    lab = '[servers.lab]\nhost = "lab.example.com"\nread-only = true\n'
    run = fleet(tmp_path, lab + PINGS, 2, monitor=monitor)("create", "-g", "production", "-q")
    assert (run.code, run.err, monitor.pings) == (0, "", ["/start", ""])


def test_a_table_of_a_server_wins_over_its_group_and_that_over_all(tmp_path: Path) -> None:
    text = """
    [notify]
    ping-env = "PING"
    [notify.groups.production]
    ping-file = "ping.url"
    [notify.servers.vc02]
    ping-command = ["printf", "https://own.example.com/vc02?create=1"]
    """
    of_group, own = Monitor(), Monitor()
    backupctl = fleet(tmp_path, text, 3, monitor=of_group)
    backupctl.lines["own.example.com"] = own  # type: ignore[assignment]
    run = backupctl("create", "--all", "-q")
    assert (run.code, run.err, of_group.pings) == (0, "", ["/start", ""])
    assert [str(request.url).partition("&rid=")[0] for request in own.requests] == [
        "https://own.example.com/vc02/start?create=1",
        "https://own.example.com/vc02?create=1",
    ]


@pytest.mark.parametrize(
    ("on", "titles"),
    [
        ("failure", ["vc01: backup not done (backup-failed)"]),
        ("recovery", ["vc01: backup not done (backup-failed)", "vc01: backup done"]),
        ("always", ["vc01: backup done", "vc01: backup not done (backup-failed)", *["vc01: backup done"] * 2]),
    ],
)
def test_messages_are_sent_on_the_occasion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: str, titles: list[str]
) -> None:
    chat = Chat(monkeypatch)
    for faults in ([], ["fail-at=40"], [], []):
        told(tmp_path, MESSAGES(on), faults=faults)("create", "-s", "vc01")
    assert chat.titles == titles


def test_a_recovery_that_could_not_be_sent_is_sent_after_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = Chat(monkeypatch)
    for chat.broken, faults in ((False, ["fail-at=40"]), (True, []), (False, []), (False, [])):
        told(tmp_path, MESSAGES("recovery"), faults=faults)("create", "-s", "vc01")
    assert chat.titles == ["vc01: backup not done (backup-failed)", "vc01: backup done"]


@pytest.mark.parametrize("separator", [" ", "\n", "\r\n"])
def test_several_apprise_urls_stand_on_one_line_or_on_lines_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, separator: str
) -> None:
    chat, backupctl = Chat(monkeypatch), told(tmp_path, MESSAGES("always"))
    write_private(tmp_path / "apprise.urls", separator.join(["json://one", "json://two", ""]))
    assert (backupctl("create", "-s", "vc01", "-q").err, len(chat.titles)) == ("", 2)


def test_without_a_state_directory_a_recovery_is_not_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chat, not_a_folder = Chat(monkeypatch), {"XDG_STATE_HOME": str(write_private(tmp_path / "file", ""))}
    runs = [
        told(tmp_path, MESSAGES("recovery"), faults=faults, environ=not_a_folder)("create", "-s", "vc01", "-q")
        for faults in (["fail-at=40"], [])
    ]
    assert ([run.code for run in runs], chat.titles) == ([7, 0], ["vc01: backup not done (backup-failed)"])
    assert wording.NO_RECOVERY in runs[1].err


def test_a_plugin_that_crashes_and_a_missing_package_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Chat(monkeypatch, broken=True)
    crashed = told(tmp_path, MESSAGES("always"))("create", "-s", "vc01", "-q")
    monkeypatch.setitem(sys.modules, "apprise", None)
    missing = told(tmp_path, MESSAGES("always"))("create", "-s", "vc01", "-q")
    assert (crashed.code, wording.NOT_SENT("urls-file 1") in crashed.err) == (0, True)
    assert (missing.code, wording.INSTALL_APPRISE in missing.err) == (0, True)


def hooks(folder: Path, **hooks: Sequence[str]) -> str:
    lines = [f"{key.replace('_', '-')} = {json.dumps(list(words))}" for key, words in hooks.items()]
    return "[notify]\n" + "\n".join(lines)


def test_hooks_get_the_result_and_no_secret(tmp_path: Path) -> None:
    script = f"cat > {tmp_path}/result; env > {tmp_path}/environ; echo noise"
    text = hooks(tmp_path, after_success=["sh", "-c", script], after_failure=["false"]) + '\nping-env = "MY_PING"\n'
    secrets = {"BACKUPCTL_BACKUP_PASSWORD": "Backup-Pass1!", "MY_PING": "https://hc.example.com/secret-uuid"}
    backupctl = told(tmp_path, text, environ=secrets)
    run = backupctl("create", "-s", "vc01", "-o", "json")
    assert run.code == 0
    assert json.loads((tmp_path / "result").read_text()) == run.result
    environ = dict(line.partition("=")[::2] for line in (tmp_path / "environ").read_text().splitlines())
    facts = {name: environ[f"BACKUPCTL_{name}"] for name in ("COMMAND", "SERVER", "EXIT_CODE", "SLUG", "JOB")}
    job = run.result["job"]["id"]
    assert facts == {"COMMAND": "create", "SERVER": "vc01", "EXIT_CODE": "0", "SLUG": "", "JOB": job}
    assert not {*secrets, "VC_PASSWORD"} & environ.keys()


@pytest.mark.parametrize(
    "words", [["sh", "-c", "echo share is full; exit 3"], ["/nowhere/hook"], ["sh", "-c", "kill -9 $$"]]
)
def test_a_failing_hook_before_a_backup_stops_it_before_anything_is_sent(tmp_path: Path, words: list[str]) -> None:
    backupctl = told(tmp_path, hooks(tmp_path, before=words, after_failure=["touch", f"{tmp_path}/told"]))
    run = backupctl("create", "-s", "vc01", "-o", "json")
    error = run.result["error"]
    assert (run.code, error["slug"], backupctl.line.urls) == (3, "hook-failed", [])
    assert error["details"] == (["share is full"] if "full" in words[-1] else [])
    assert (tmp_path / "told").exists()


def test_a_failing_hook_stops_only_its_own_server(tmp_path: Path) -> None:
    text = hooks(tmp_path, before=["sh", "-c", "test $BACKUPCTL_SERVER != vc02"])
    backupctl = fleet(tmp_path, text, 3)
    assert wording.STOPPED_BY_HOOK in backupctl("create", "--all").err
    run = backupctl("create", "--all", "-o", "json")
    codes = {result["server"]: result["exit_code"] for result in run.json["results"]}
    assert (run.code, codes) == (3, {"vc02": 3, "vc03": 0, "vc04": 0})


def test_a_failing_hook_after_a_backup_changes_nothing_and_is_said(tmp_path: Path) -> None:
    text = hooks(tmp_path, after_success=["sh", "-c", "echo VMware1!; exit 4"])
    run = told(tmp_path, text)("create", "-s", "vc01", "-q")
    assert (run.code, run.out) == (0, "")
    assert wording.HOOK_FAILED("after-success", "sh", wording.COMMAND_FAILED(4)) in run.err
    assert "VMware1!" not in run.err


def notify_test(backupctl: CommandLine, *words: str) -> tuple[int, dict[str, str], Run]:
    run = backupctl("notify", "test", *words, "-o", "json")
    return run.code, {each["name"]: each["status"] for each in run.result["checks"]}, run


def test_notify_test_tries_each_way_and_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor, chat = Monitor(), Chat(monkeypatch)
    backupctl = fleet(tmp_path, MESSAGES("failure") + 'ping-file = "ping.url"\n', 2, monitor=monitor)
    code, checks, _ = notify_test(backupctl)
    assert (code, checks) == (0, {"ping-file": "OK", "urls-file 1": "OK"})
    assert (monitor.pings, chat.titles, backupctl.line.urls) == (["/log"], ["backupctl: test message"], [])


def test_notify_test_fails_if_one_way_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Chat(monkeypatch)
    monitor = Monitor()
    monitor.answers = [httpx.Response(200, content=b"OK (not found)")]
    backupctl = told(tmp_path, MESSAGES("failure") + 'ping-file = "ping.url"\n', monitor=monitor)
    write_private(tmp_path / "apprise.urls", "json://chat.example.com nonsense://t0ken-of-mine")
    code, checks, run = notify_test(backupctl, "-s", "vc01")
    assert (code, run.json["error"]["slug"]) == (5, "not-sent")
    assert checks == {"ping-file": "FAIL", "urls-file 1": "OK", "urls-file 2": "FAIL"}
    assert "t0ken" not in run.out + run.err


def test_notify_test_without_anything_to_test_is_an_error(tmp_path: Path) -> None:
    run = told(tmp_path, "")("notify", "test")
    assert (run.code, wording.NOTHING_TO_NOTIFY in run.err) == (3, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[notify]\nping = "https://hc.example.com/s3cret"', wording.SECRET_IN_CONFIGURATION),
        ('[notify]\nurls = "json://s3cret"', wording.SECRET_IN_CONFIGURATION),
        ('[notify]\npong-file = "x"', wording.NO_SUCH_KEY),
        ('[notify]\non = "sometimes"', wording.INVALID_CHOICE("sometimes")),
        ('[notify]\nbefore = "check-space"', wording.NOT_A_LIST_OF_STRINGS),
        ('[notify]\nhook-timeout = "soon"', wording.INVALID_DURATION("soon")),
        ('[notify]\nhook-timeout = "0"', wording.TIMEOUT_TOO_SHORT),
        ('[notify]\nping-file = "x"\nping-env = "X"', wording.KEEP_ONE),
        ('[notify.servers.vc1]\non = "always"', wording.DID_YOU_MEAN("vc01")),
        ('[notify.groups.productoin]\non = "always"', wording.DID_YOU_MEAN("production")),
        ("[notify.groups]\nproduction = 1", wording.NOT_A_TABLE("notify.groups.production")),
    ],
)
def test_a_mistake_in_a_notify_table_is_an_error_that_names_the_key(tmp_path: Path, text: str, message: str) -> None:
    run = told(tmp_path, text)("create", "-s", "vc01")
    assert (run.code, message in run.err, f"{tmp_path}/config.toml: notify" in run.err) == (3, True, True)
    assert "s3cret" not in run.err


def test_config_show_and_check_know_the_notify_tables(tmp_path: Path) -> None:
    text = hooks(tmp_path, before=["sh", "t0p-secret"], after_failure=["no-such-hook"])
    text += '\nping-file = "ping.url"\nurls-env = "URLS"\n'
    backupctl = told(tmp_path, text)
    shown = backupctl("config", "show", "--server", "vc01", "-o", "json")
    settings = {each["name"]: each["value"] or each["place"] for each in shown.result["settings"]}
    assert settings["notify before"] == "sh"
    assert settings["notify ping"] == f"file {tmp_path}/ping.url"
    assert settings["notify urls"] == "variable URLS"
    checked = backupctl("config", "check", "-o", "json")
    statuses = {each["name"]: each["status"] for each in checked.json["results"][1]["checks"]}
    assert (statuses["ping"], statuses["urls"]) == ("OK", "FAIL")
    assert (statuses["before"], statuses.get("after-success"), statuses["after-failure"]) == ("OK", None, "FAIL")
    assert "t0p-secret" not in shown.out + checked.out


@pytest.mark.parametrize(
    ("servers", "code", "title"),
    [
        (["vc01"], 5, "vc01: backup done (not-verified)"),
        (["vc01", "vc02"], 5, "2 backups done, 2 with errors: vc01, vc02"),
        (["vc01"], 7, "vc01: backup not done (verify-failed)"),
    ],
)
def test_title_is_about_the_backup_and_not_about_its_verification(
    servers: list[str], code: int, title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, store = Chat(monkeypatch), ArchiveDirectory(tmp_path / "store")
    backupctl = told(tmp_path, MESSAGES("always"), servers=servers, store=store, faults=["unfinished"])
    mounted = store.root / NFS.removeprefix("nfs://") if code == 7 else tmp_path / "nowhere"
    assert backupctl("create", "--all", "--verify", "--path-for", f"{NFS}={mounted}").code == code
    assert chat.titles == [title]
