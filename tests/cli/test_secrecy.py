"""Secrets stand in no output: each command under each fault, with marked secrets from files and the environment."""

import itertools
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import HOST, LOCATION, USER, CommandLine

pytestmark = pytest.mark.exhaustive

MARK = "Mark3d"
SECRETS = {
    "password": f"{MARK}-login",
    "location-password": f"{MARK}-location",
    "backup-password": f"{MARK}-Backup.1",
    "sso-password": f"{MARK}-sso",
}

AT = ["--location", LOCATION, "--location-user", "backup"]
ARCHIVE = f"{LOCATION}/vCenter/sn_{HOST}/S_8.0.0.10000_20260301-000000_"
FROM = ["--location", ARCHIVE, "--location-user", "backup", "--sso-username", USER]

OUTPUTS = ["text", "jsonl"]
COMMANDS = [
    ["create", "--location", LOCATION, "--location-user", "backup", "--timeout", "2m"],
    ["create", "--location", LOCATION, "--location-user", "backup", "--dry-run"],
    ["create", "--location", f"sftp://backup:{MARK}@host/x"],
    ["create", "--location", LOCATION, "--part", "a b"],
    ["validate", "--location", LOCATION, "--location-user", "backup"],
    ["watch", "latest"],
    ["status"],
    ["list"],
    ["cancel", "latest"],
    ["parts"],
]
OF_SCHEDULES_AND_ARCHIVES = [
    ["schedule", "set", *AT, "--at", "02:30"],
    ["schedule", "set", *AT, "--at", "03:30", "--dry-run"],
    ["schedule", "run", "--timeout", "2m"],
    ["schedule", "delete"],
    ["archive", "systems", *AT],
    ["archive", "list", *AT, "--api", "rest", "--allow-password-in-url"],
    ["archive", "show", "M_1", *AT, "--api", "rest"],
]
TO_FRESH = [
    ["restore", "validate", *FROM],
    ["restore", "create", *FROM, "--yes", "--timeout", "2m"],
    ["restore", "create", *FROM, "--dry-run"],
    ["restore", "status"],
    ["restore", "cancel"],
    ["restore", "reconcile", "--sso-username", USER],
]
FAULTS = [
    *("", "fail-at=40", "stall-at=60", "busy", "forbidden", "validate-fail", "lost-create-answer"),
    *(
        "lost-create-request",
        "drop=99",
        "http-503=99",
        "html-503=99",
        "empty=99",
        "bad-json=99",
        "redirect=99",
        "trickle",
    ),
]


@pytest.mark.parametrize(
    ("accepted", "fault"), [*((True, fault) for fault in FAULTS), (False, ""), (False, "http-503=99@login")]
)
def test_secrets_stand_in_no_output_whatever_happens(tmp_path: Path, fault: str, accepted: bool) -> None:
    flags = []
    for name, secret in SECRETS.items():
        file = tmp_path / name
        file.write_text(f"{secret}\n")
        file.chmod(0o600)
        flags += [f"--{name}-file", str(file)] if name == "password" else []
    environ = {f"BACKUPCTL_{name.replace('-', '_').upper()}": secret for name, secret in SECRETS.items()}
    environ |= {"BACKUPCTL_SERVER": HOST, "BACKUPCTL_USERNAME": USER}
    # Each command meets each fault once, and over the faults both outputs.
    outputs = OUTPUTS if (FAULTS.index(fault) if fault in FAULTS else 0) % 2 else OUTPUTS[::-1]
    every = [*COMMANDS, *OF_SCHEDULES_AND_ARCHIVES, *TO_FRESH]
    for words, output in zip(every, itertools.cycle(outputs), strict=False):
        backupctl = CommandLine(
            password=SECRETS["password"] if accepted else "other",
            faults=[fault] if fault else [],
            environ=environ,
            history=words[0] in {"schedule", "archive", "restore"},
            fresh=words in TO_FRESH,
        )
        run = backupctl(*words, *flags, "-v", "-o", output)
        assert MARK not in run.out + run.err, words
        assert "Traceback" not in run.err, words
        assert run.code != 1, (words, run.err)


class Broken(httpx.BaseTransport):
    """A transport with a bug, whose exception holds all that it was given."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise RuntimeError(f"{dict(request.headers)} {MARK}")


def test_bug_is_1_and_shows_where_it_happened_but_no_values() -> None:
    backupctl = CommandLine(transport=Broken(), environ={"BACKUPCTL_PASSWORD": f"{MARK}-login"})
    run = backupctl("list", "-s", HOST, "-u", USER, "-v")
    assert run.code == 1
    assert "RuntimeError" in run.err
    assert "test_secrecy" in run.err
    assert MARK not in run.out + run.err
    assert "Basic" not in run.err
