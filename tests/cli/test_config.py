"""The commands config init, show, check and set-secret."""

import os
import re
import stat
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from backupctl.config.config_edit import SAMPLE
from backupctl.config.config_file import read_configuration
from backupctl.config.notify_keys import NOTIFY_KEYS
from backupctl.config.option import OptionGroup
from backupctl.config.option_table import OPTIONS, SECRETS
from backupctl.errors import ConfigError
from backupctl.results.config_results import DEFAULTS
from backupctl.secrets.from_keyring import Keyring
from backupctl.secrets.secret import Secret
from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine, Run, write_private
from tests.support.memory_keyring import MemoryKeyring, use_keyring

SECRET = "S3cret-Value."
GOOD = """# the estate
[defaults]
username = "svc-backup@vsphere.local"
password-file = "vcenter.pass"   # of the service account
location = "sftp://backup.example.com/vcenter/{server}"

# the first
[servers.vc01]
host = "vc01.example.com"
read-only = true
ca-file = "ca.pem"

[servers.vc02]
host = "vc02.example.com:8443"
backup-password-command = ["sh", "-c", "touch $HOME/ran; echo S3cret-Value."]

[groups]
production = ["vc01", "vc02"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home directory without a configuration file."""
    path = tmp_path / "home"
    path.mkdir()
    return path


class Config:
    """``backupctl config`` with one configuration file and a home directory."""

    def __init__(self, home: Path, text: str | None = None) -> None:
        self.path = home / ".config" / "backupctl" / "config.toml"
        self.environ = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "PATH": "/usr/bin:/bin"}
        if text is not None:
            self.path.parent.mkdir(parents=True)
            write_private(self.path, text)

    def __call__(self, *words: str, environ: dict[str, str] | None = None, **options: Any) -> Run:
        self.line = CommandLine(environ={**self.environ, **(environ or {})})
        return self.line("config", *words, **options)

    def secret(self, name: str, mode: int = 0o600, content: str = SECRET) -> Path:
        path = self.path.parent / name
        path.write_text(content)
        path.chmod(mode)
        return path


def uncommented(line: str) -> str | None:
    """Return the setting or table in a line of the sample, commented or not."""
    match = re.fullmatch(r'(?:# )?(\[[a-z0-9.]+\]|[a-z-]+ = (?:"[^"]*"|\[[^\]]*\]|[a-z0-9]+))(?: +#.*)?', line)
    return match[1] if match else None


def sample_keys() -> list[tuple[str, str]]:
    """Return table and line of every setting in the sample."""
    table, found = "", []
    for line in map(uncommented, SAMPLE.splitlines()):
        if line is not None and line.startswith("["):
            table = line
        elif line is not None:
            found.append((table, line))
    return found


def test_sample_has_every_key_and_the_reader_accepts_each(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    keys = sample_keys()
    options = {option.file_key for option in OPTIONS if option.file_key}
    places = {key for secret in SECRETS for key in secret.file_keys}
    assert {line.partition(" ")[0] for _, line in keys} == options | places | {
        *("host", "read-only", "production", "ping-file", "urls-file", *NOTIFY_KEYS.options),
    }
    for table, line in keys:
        servers = '[servers.vc01]\nhost = "a"\n[servers.vc02]\nhost = "b"\n' if table == "[groups]" else ""
        host = 'host = "vc02.example.com"\n' if table == "[servers.vc02]" and not line.startswith("host") else ""
        write_private(path, f"{servers}{table}\n{host}{line}\n")
        read_configuration(path, FakeClock())


def test_init_writes_a_complete_private_valid_sample(home: Path) -> None:
    config = Config(home)
    run = config("init", "-o", "json")
    assert (run.code, run.result["file"]) == (0, str(config.path))
    assert config.path.read_text() == SAMPLE
    assert stat.S_IMODE(config.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.path.parent.stat().st_mode) == 0o700
    assert config("show").code == 0
    assert config("check").code == 0


def test_init_prints_the_path_and_the_next_step(home: Path) -> None:
    config = Config(home)
    run = config("init")
    assert run.out == f"✓ {config.path} created\n"
    assert "config check" in run.err
    assert Config(home / "quiet")("init", "-q").out == ""


def test_init_writes_to_another_path_and_keeps_an_existing_file(home: Path) -> None:
    config = Config(home, GOOD)
    run = config("init")
    assert run.code == 3
    assert wording.ALREADY_EXISTS(config.path) in run.err
    assert config.path.read_text() == GOOD
    assert config("init", "--config", str(home / "a")).code == 0
    assert config("init", environ={"BACKUPCTL_CONFIG": str(home / "b" / "c")}).code == 0
    assert (home / "a").read_text() == (home / "b" / "c").read_text() == SAMPLE


def test_init_after_trust_pin_keeps_the_pin(home: Path) -> None:
    pinned = '[servers.vc01]\nhost = "vc01.example.com"\n'
    config = Config(home, pinned)
    assert config("init").code == 0
    assert config.path.read_text() == f"{SAMPLE}\n{pinned}"
    assert config("init").code == 3


@pytest.mark.parametrize(
    ("environ", "code"), [({"HOME": "", "XDG_CONFIG_HOME": "relative"}, 3), ({"XDG_CONFIG_HOME": "/proc/nobody"}, 11)]
)
def test_init_that_cannot_write_reports_the_reason(home: Path, environ: dict[str, str], code: int) -> None:
    run = Config(home)("init", environ=environ)
    assert run.code == code
    assert run.err.startswith("error: ")


def settings(run: Run) -> dict[str, dict[str, Any]]:
    return {setting["name"]: setting for setting in run.result["settings"]}


def test_show_names_the_source_of_every_value(home: Path) -> None:
    config = Config(home, GOOD)
    environ = {"BACKUPCTL_TIMEOUT": "1h", "HTTPS_PROXY": f"http://u:{SECRET}@proxy:3128", "BACKUPCTL_PASSWORD": SECRET}
    run = config("show", "--server", "vc01", "-o", "json", environ=environ)
    assert (run.code, run.result["server"], run.result["groups"]) == (0, "vc01", ["production"])
    assert run.result["file"] == str(config.path)
    found = {
        name: (each["value"], each["place"], each["source"], each["source_name"])
        for name, each in settings(run).items()
    }
    assert found["host"] == ("https://vc01.example.com", None, "file", "servers.vc01.host")
    assert found["read-only"] == (True, None, "file", "servers.vc01.read-only")
    assert found["username"] == ("svc-backup@vsphere.local", None, "file", "defaults.username")
    assert found["timeout"] == (3600.0, None, "environment", "BACKUPCTL_TIMEOUT")
    assert found["proxy"] == ("http://proxy:3128", None, "environment", "HTTPS_PROXY")
    assert found["ca-file"] == (str(config.path.parent / "ca.pem"), None, "file", "servers.vc01.ca-file")
    assert found["if-running"] == ("fail", None, "default", None)
    assert found["password"] == (None, "variable BACKUPCTL_PASSWORD", "environment", "BACKUPCTL_PASSWORD")
    assert found["backup-password"] == (None, None, "default", None)
    assert SECRET not in run.out + run.err


def test_show_of_the_defaults_has_the_options_of_the_run(home: Path) -> None:
    run = Config(home, GOOD)("show", "-o", "json", environ={"BACKUPCTL_GROUP": "production"})
    assert (run.result["server"], run.result["host"]) == (DEFAULTS, "")
    found = settings(run)
    assert (found["group"]["value"], found["group"]["source"]) == (["production"], "environment")
    assert found["parallel"]["value"] == 16
    assert "host" not in found


def test_show_reads_no_secret_and_runs_nothing(home: Path, tmp_path: Path) -> None:
    config = Config(home, GOOD)
    config.secret("vcenter.pass", mode=0o644)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "sso-password").write_text(f"{SECRET}\n{SECRET}\n")
    environ = {
        "CREDENTIALS_DIRECTORY": str(credentials),
        "BACKUPCTL_LOCATION_PASSWORD_COMMAND": f"cat {SECRET}",
    }
    run = config("show", "-s", "vc02", "-o", "json", environ=environ)
    places = {name: each["place"] for name, each in settings(run).items() if each["place"]}
    assert places == {
        "password": f"file {config.path.parent}/vcenter.pass",
        "location-password": "command cat ...",
        "backup-password": "command sh ...",
        "sso-password": "systemd credential sso-password",
    }
    text = config("show", "-s", "vc02", "-v", environ=environ)
    assert SECRET not in run.out + run.err + text.out + text.err
    assert not (home / "ran").exists()


def test_show_as_text_is_an_untruncated_table(home: Path) -> None:
    run = Config(home, GOOD)("show", "-s", "vc02", environ={"BACKUPCTL_COMMENT": "nightly"})
    lines = {line.split()[0]: line.split()[1:] for line in run.out.splitlines()}
    assert lines["SETTING"] == ["VALUE", "SOURCE"]
    assert lines["location"] == ["sftp://backup.example.com/vcenter/{server}", "[defaults]"]
    assert lines["comment"] == ["nightly", "$BACKUPCTL_COMMENT"]
    assert lines["backup-password"] == ["(command", "sh", "...)", "[servers.vc02]"]
    assert (lines["timeout"], lines["stall-timeout"]) == (["1d", "default"], ["2h", "default"])


def test_show_of_several_servers_has_a_result_for_each(home: Path) -> None:
    run = Config(home, GOOD)("show", "-s", "vc02", "-s", "stranger.example.com", "-o", "json")
    assert [result["server"] for result in run.json["results"]] == ["vc02", "stranger.example.com"]


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.environment], ids=lambda option: str(option.name)
)
def test_every_variable_is_used_and_named_as_the_source(home: Path, option: Any) -> None:
    config = Config(home, GOOD)
    samples = {
        "server": "vc02",
        "config": str(config.path),
        "group": "production",
        "all": "yes",
        "parallel": "3",
        "username": "me@vsphere.local",
        "ca-file": "/x.pem",
        "proxy": "http://p:1",
        "location-type": "NFS",
        "location": "nfs://host/x",
        "location-user": "u",
        "part": "common,seat",
        "comment": "c",
        "timeout": "1h",
        "stall-timeout": "1h",
        "interval": "5s",
        "fingerprint": f"sha256:{'0' * 64}",
        "location-fingerprint": f"SHA256:{'A' * 43}",
        "path-for": "nfs://nas/export=/mnt/export",
        **{f"keep-{period}": "3" for period in ("last", "daily", "weekly", "monthly")},
        "keep-within": "30d",
    }
    text = samples.get(option.name) or (option.choices[-1] if option.choices else "yes")
    run = config("show", "-v", "-o", "json", environ={str(option.environment): text})
    assert run.code == 0
    if option.group is OptionGroup.OUTPUT:
        return
    if option.name == "config":
        assert run.result["file"] == text
        return
    found = settings(run)[option.file_key or option.name]
    assert (found["source"], found["source_name"]) == ("environment", option.environment)
    assert option.name == "proxy" or f"({found['source']} {option.environment})" in run.err
    refused = config("show", environ={str(option.environment): "\x07"})
    assert refused.code == 3
    assert str(option.environment) in refused.err


def checks(run: Run, server: str) -> dict[str, tuple[str, str]]:
    (result,) = [result for result in run.json["results"] if result["server"] == server]
    return {check["name"]: (check["status"], check["message"]) for check in result["checks"]}


def test_check_of_a_good_configuration_is_0_and_runs_nothing(home: Path) -> None:
    config = Config(home, GOOD.replace('ca-file = "ca.pem"\n', "").replace("S3cret-Value.", "VMw@re123"))
    config.secret("vcenter.pass")
    run = config("check", "-o", "json")
    assert (run.code, run.json["error"]) == (0, None)
    assert checks(run, DEFAULTS)["file"] == ("OK", f"{config.path} ({wording.USER_CONFIGURATION}): 2 servers, 1 group")
    found = checks(run, "vc02")
    assert found["certificate"] == ("OK", wording.VERIFIED_BY_THE_SYSTEM)
    assert found["location"] == ("OK", "sftp://backup.example.com/vcenter/vc02 (defaults.location)")
    assert found["password"][0] == "OK"
    assert found["encryption"] == ("OK", "command sh ... (servers.vc02.backup-password-command), not run")
    assert checks(run, "vc01")["read-only"][0] == "OK"
    assert not (home / "ran").exists()
    assert config("check", "--run-commands").code == 0
    assert (home / "ran").exists()


DEFAULT = "[defaults]\n"
FAILURES = [
    ("[default]", [], {}, "file", wording.NO_SUCH_TABLE),
    ("[defaults", [], {}, "file", wording.NOT_TOML),
    (DEFAULT, [], {"BACKUPCTL_GROUP": "nope"}, "group", wording.NO_SUCH_GROUP("nope")),
    (DEFAULT, [], {"BACKUPCTL_TIMEOUT": "soon"}, "timeout", f"BACKUPCTL_TIMEOUT: {wording.INVALID_DURATION('soon')}"),
    (DEFAULT, [], {"BACKUPCTL_USERNAME": "a:b"}, "username", f"BACKUPCTL_USERNAME: {wording.COLON_IN_USER_NAME}"),
    (DEFAULT, [], {"BACKUPCTL_LOCATION": "x"}, "location", wording.LOCATION_WITHOUT_TYPE),
    (f'{DEFAULT}location = "nfs://h/{{nope}}"', [], {}, "file", wording.UNKNOWN_PLACEHOLDER("{nope}")),
    (
        f'{DEFAULT}location = "nfs://h/x"\nlocation-type = "SFTP"',
        [],
        {},
        "location",
        wording.LOCATION_OF_ANOTHER_TYPE("SFTP", "nfs://"),
    ),
    (f'{DEFAULT}location = "x"', [], {}, "location", wording.ADD_LOCATION_TYPE),
    (f'{DEFAULT}password-file = "none"', [], {}, "password", f"{wording.UNREADABLE}: No such file"),
    (f'{DEFAULT}password-file = "open.pass"', [], {}, "password", "chmod 600"),
    (f'{DEFAULT}password-env = "NOPE"', [], {}, "password", wording.VARIABLE_NOT_SET("NOPE")),
    (
        f'{DEFAULT}password-command = ["no-such-program", "x"]',
        [],
        {},
        "password",
        wording.COMMAND_NOT_FOUND("no-such-program"),
    ),
    (f'{DEFAULT}password-command = ["false"]', ["--run-commands"], {}, "password", wording.COMMAND_FAILED(1)),
    (DEFAULT, [], {"BACKUPCTL_PASSWORD": ""}, "password", wording.VARIABLE_EMPTY("BACKUPCTL_PASSWORD")),
    (f'{DEFAULT}backup-password-file = "weak.pass"', [], {}, "encryption", wording.PASSWORD_NEEDS_A_DIGIT),
    (
        f'{DEFAULT}require-encryption = true\nif-running = "attach"',
        [],
        {},
        "encryption",
        wording.ENCRYPTION_OF_RUNNING_BACKUP_UNKNOWN,
    ),
    (f'{DEFAULT}ca-file = "weak.pass"', [], {}, "certificate", wording.NOT_A_PEM_FILE),
    (f'{DEFAULT}ca-file = "none.pem"', [], {}, "certificate", "No such file"),
    (
        DEFAULT,
        [],
        {"BACKUPCTL_FINGERPRINT": "sha256:00"},
        "certificate",
        f"BACKUPCTL_FINGERPRINT: {wording.INVALID_FINGERPRINT}",
    ),
    (DEFAULT, [], {"HTTPS_PROXY": f"ftp://u:{SECRET}@p"}, "proxy", f"HTTPS_PROXY: {wording.INVALID_PROXY_SCHEME}"),
]


@pytest.mark.parametrize(("text", "words", "environ", "name", "expected"), FAILURES, ids=[row[4] for row in FAILURES])
def test_check_that_fails_is_3_with_the_reason(  # noqa: PLR0917 - a row of the table
    home: Path, text: str, words: list[str], environ: dict[str, str], name: str, expected: str
) -> None:
    config = Config(home, text)
    config.secret("open.pass", mode=0o644)
    config.secret("weak.pass", content="Secret-Value.")
    run = config("check", *words, "-o", "json", environ=environ)
    assert run.code == 3
    every = [check for result in run.json["results"] for check in result["checks"] if check["status"] == "FAIL"]
    assert [check["name"] for check in every] == [name]
    assert expected in every[0]["message"]
    assert not {"S3cret", "Secret-Value."} & set(re.split(r"[^\w.-]", run.out + run.err))
    quiet = config("check", *words, "-q", environ=environ)
    assert (quiet.code, quiet.out) == (3, "")
    assert f"✗ {name}" in quiet.err


WARNINGS = [
    ("", {}, "username", wording.NOT_SET),
    ("", {}, "password", wording.NOT_SET),
    ("", {}, "location", wording.NOT_SET),
    ("", {}, "encryption", wording.NOT_ENCRYPTED),
    ("require-encryption = true", {}, "encryption", wording.NOT_SET),
    ('password-credential = "x"', {}, "password", wording.ONLY_IN_A_UNIT),
    ('location-user = "u"', {}, "location login", wording.LOCATION_PASSWORD_NOT_SET),
    ("", {"BACKUPCTL_LOCATION_PASSWORD": "x"}, "location login", wording.LOCATION_PASSWORD_WITHOUT_USER),
    ("", {"BACKUPCTL_PASWORD": "x"}, "environment", wording.IGNORED_VARIABLE("BACKUPCTL_PASWORD")),
]


@pytest.mark.parametrize(("line", "environ", "name", "expected"), WARNINGS)
def test_check_that_only_warns_is_0(home: Path, line: str, environ: dict[str, str], name: str, expected: str) -> None:
    run = Config(home, f"{DEFAULT}{line}")("check", "-o", "json", environ=environ)
    warned = [check for result in run.json["results"] for check in result["checks"] if check["name"] == name]
    assert run.code == 0
    assert [check["status"] for check in warned] == ["WARNING"]
    assert expected in warned[0]["message"]


@pytest.mark.parametrize("location", ["sftp://x/y", "sftp://x/{server}"])
def test_check_without_servers_checks_the_default_location(home: Path, location: str) -> None:
    config = Config(home, f'{DEFAULT}location = "{location}"\nlocation-user = "u"\nlocation-password-file = "pass"\n')
    config.secret("pass")
    run = config("check", "-o", "json")
    found = checks(run, DEFAULTS)
    assert (run.code, found["location"][0], found["location login"][0]) == (0, "OK", "OK")


def test_check_of_a_pipe_as_ca_file_fails_at_once(home: Path) -> None:
    config = Config(home, f'{DEFAULT}ca-file = "fifo"')
    os.mkfifo(config.path.parent / "fifo")
    for environ in ({}, {"BACKUPCTL_CA_FILE": "/dev/zero"}):
        status, message = checks(config("check", "-o", "json", environ=environ), DEFAULTS)["certificate"]
        assert status == "FAIL"
        assert wording.NOT_A_REGULAR_FILE in message


def test_check_shows_the_pin_of_a_server(home: Path) -> None:
    pin = f"sha256:{'a1' * 32}"
    config = Config(home, GOOD.replace('ca-file = "ca.pem"', f'fingerprint = "{pin}"'))
    certificate = checks(config("check", "-s", "vc01", "-o", "json"), "vc01")["certificate"]
    assert certificate == ("OK", f"pinned to {pin} (servers.vc01.fingerprint)")


def test_check_without_a_file_names_the_paths_searched(home: Path) -> None:
    run = Config(home)("check", "-o", "json")
    assert run.code == 0
    assert checks(run, DEFAULTS)["file"][0] in {"WARNING", "OK"}  # The machine may have a system-wide file.


def test_check_lists_groups_and_servers_without_a_group(home: Path) -> None:
    run = Config(home, GOOD.replace('["vc01", "vc02"]', '["vc01"]'))("check")
    assert "production: vc01" in run.out
    assert "in no group: vc02" in run.out


def test_check_of_many_servers_shows_only_problems(home: Path) -> None:
    servers = "".join(f'[servers.v{number}]\nhost = "v{number}"\n' for number in range(9))
    config = Config(home, f'{DEFAULT}username = "me"\nlocation = "nfs://h/x"\n{servers}password-file = "none"\n')
    run = config("check", environ={"BACKUPCTL_LOCATION_TYPE": "NFS"})
    assert run.code == 3
    assert "✓ username" not in run.out
    assert run.out.count("✗ password") == 1
    assert "8 done, 1 misconfigured" in run.err
    assert "✓ username" in config("check", "-s", "v3").out


def test_set_secret_asks_without_echo_and_a_run_finds_it_in_the_keyring(home: Path, memory: MemoryKeyring) -> None:
    config = Config(home, GOOD)
    run = config("set-secret", "password", "--yes", answers=["", SECRET])
    assert (run.code, config.line.prompter.questions) == (0, [wording.ASK_PASSWORD] * 2)
    assert memory.entries == {"password": SECRET}
    expected = GOOD.replace(
        'password-file = "vcenter.pass"   # of the service account', 'password-keyring = "password"'
    )
    assert config.path.read_text() == expected
    assert wording.REPLACED_KEY("password-file") in run.out
    assert SECRET not in run.out + run.err
    options: dict[str, Any] = {"environ": config.environ, "username": "svc-backup@vsphere.local"}
    assert CommandLine(password=SECRET, **options)("list", "-s", "vc02").code == 0
    assert CommandLine(password="other", **options)("list", "-s", "vc02").code == 4


def test_set_secret_of_one_server_is_written_to_its_table(home: Path, memory: MemoryKeyring) -> None:
    config = Config(home, GOOD)
    answers = ["weak", "VMw@re123", "x", "VMw@re123", "VMw@re123"]
    run = config("set-secret", "backup-password", "-s", "vc01.example.com", "-o", "json", answers=answers)
    result = run.result
    assert (run.code, result["server"], result["entry"]) == (0, "vc01", "vc01/backup-password")
    assert memory.entries == {"vc01/backup-password": "VMw@re123"}
    layers = read_configuration(config.path, FakeClock()).servers["vc01"].layers
    assert layers[0].values["backup-password-keyring"] == "vc01/backup-password"
    assert config.path.read_text().replace('backup-password-keyring = "vc01/backup-password"\n', "") == GOOD


def test_set_secret_reads_standard_input_and_creates_the_file(home: Path, memory: MemoryKeyring) -> None:
    config = Config(home)
    run = config("set-secret", "location-password", "--location-password-file", "-", stdin=f"{SECRET}\n")
    assert run.code == 0
    assert memory.entries == {"location-password": SECRET}
    written = {"defaults": {"location-password-keyring": "location-password"}}
    assert tomllib.loads(config.path.read_text()) == written
    assert stat.S_IMODE(config.path.stat().st_mode) == 0o600


def test_set_secret_stays_in_its_table_when_later_comments_are_uncommented(home: Path, memory: MemoryKeyring) -> None:
    config = Config(home, SAMPLE)
    assert config("set-secret", "password", answers=[SECRET]).code == 0
    assert config.path.read_text().replace('password-keyring = "password"\n', "", 1) == SAMPLE
    config.path.write_text(config.path.read_text().replace("# [groups]", "[groups]"))
    assert read_configuration(config.path, FakeClock()).defaults.values["password-keyring"] == "password"


@pytest.mark.parametrize("ending", ["", "\n", "  # the last line"])
def test_set_secret_is_appended_after_any_last_line(home: Path, memory: MemoryKeyring, ending: str) -> None:
    config = Config(home, f'[servers.vc01]\nhost = "vc01.example.com"{ending}')
    assert config("set-secret", "password", "-s", "vc01", answers=[SECRET]).code == 0
    values = read_configuration(config.path, FakeClock()).servers["vc01"].layers[0].values
    assert values == {"host": "vc01.example.com", "password-keyring": "vc01/password"}


@pytest.mark.parametrize(
    ("words", "answers", "code", "expected"),
    [
        (["sso-password"], None, 2, "--sso-password-file"),
        (
            ["password", "--backup-password-file", "-"],
            None,
            2,
            wording.OPTION_GIVES_ANOTHER_SECRET("--backup-password-file"),
        ),
        (["password", "-s", "nope"], ["x"], 3, wording.NO_SUCH_SERVER("nope")),
        (["backup-password", "--backup-password-file", "-"], None, 2, wording.PASSWORD_NEEDS_A_DIGIT),
        (["fingerprint"], None, 2, "is not one of"),
    ],
)
def test_set_secret_that_fails_changes_nothing(  # noqa: PLR0917 - a row of the table
    home: Path, memory: MemoryKeyring, words: list[str], answers: list[str] | None, code: int, expected: str
) -> None:
    config = Config(home, GOOD)
    run = config("set-secret", *words, answers=answers, stdin="Secret-Value.")
    assert run.code == code
    assert expected in run.err
    assert (config.path.read_text(), memory.entries) == (GOOD, {})


def test_keyring_that_loses_the_secret_is_an_error(home: Path, memory: MemoryKeyring) -> None:
    memory.forgetful = True
    config = Config(home, GOOD)
    run = config("set-secret", "password", "--yes", answers=[SECRET])
    assert run.code == 3
    assert wording.KEYRING_LOST_SECRET in run.err
    assert config.path.read_text() == GOOD


def test_keyring_without_its_package_is_an_error_with_the_pip_command(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    config = Config(home, f'{DEFAULT}password-keyring = "x"\n')
    run = config("set-secret", "password", answers=[])
    assert run.code == 3
    assert f"hint: {wording.INSTALL_KEYRING}" in run.err
    assert wording.INSTALL_KEYRING in checks(config("check", "-o", "json"), DEFAULTS)["password"][1]


class LockedKeyring(MemoryKeyring):
    """A keyring that waits until it is unlocked, as one without a screen does forever."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        super().get_password(service, username)
        self.unlocked.wait(20)
        return None


def test_keyring_that_times_out_is_not_asked_again() -> None:
    locked = LockedKeyring()
    with use_keyring(locked):
        asked = Keyring(timeout_seconds=0.05)
        for expected in (
            wording.KEYRING_TIMEOUT(0.05),
            wording.KEYRING_NOT_ASKED_AGAIN,
            wording.KEYRING_NOT_ASKED_AGAIN,
        ):
            with pytest.raises(ConfigError, match=expected):
                asked.read("x", "here")
        assert locked.asked == ["x"]
        locked.unlocked.set()


class BrokenKeyring(MemoryKeyring):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(password)


def test_keyring_failure_names_the_exception_but_not_the_secret() -> None:
    broken = re.escape(wording.KEYRING_BROKEN("RuntimeError"))
    with use_keyring(BrokenKeyring()), pytest.raises(ConfigError, match=broken) as caught:
        Keyring().store("x", Secret(SECRET), "here")
    assert SECRET not in f"{caught.value!r}{caught.value.hint}{caught.value.__cause__}"


def test_check_shows_the_placeholder_of_the_server_where_no_server_is_configured(home: Path) -> None:
    config = Config(home, "[defaults]\nlocation = 'sftp://backup.example.com/{server}'\n")
    location = checks(config("check", "-o", "json"), DEFAULTS)["location"]
    assert location == ("OK", "sftp://backup.example.com/{server} (defaults.location)")
