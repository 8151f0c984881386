"""Blanks that were pasted around a name: they are never sent."""

import json
from pathlib import Path

import pytest

from tests import wording
from tests.support.command_line import HOST, LOCATION, USER, CommandLine, configured


@pytest.mark.parametrize(
    ("words", "environ", "key"),
    [
        (["-u", f"{USER} "], {}, ""),
        ([], {"BACKUPCTL_USERNAME": f" {USER}"}, ""),
        ([], {}, f'username = "{USER}\\t"'),
        (["-u", USER, "-s", " vc01 "], {}, ""),
    ],
    ids=["option", "variable", "file", "server"],
)
def test_blanks_around_a_user_or_a_server_are_removed(
    tmp_path: Path, words: list[str], environ: dict[str, str], key: str
) -> None:
    text = f'[servers.vc01]\nhost = "{HOST}"\npassword-env = "VC_PASSWORD"\n{key}\n'
    run = configured(tmp_path, text, environ=environ)("list", "-s", "vc01", *words)
    assert (run.code, run.err) == (0, f"{wording.NO_JOBS('vc01')}\n")


def test_blanks_around_a_location_user_are_removed(backupctl: CommandLine) -> None:
    assert backupctl.create("--location-user", " backup\n").code == 0
    assert backupctl.writes[0][2]["location_user"] == "backup"


def test_blanks_around_an_sso_administrator_are_removed(backupctl: CommandLine) -> None:
    words = ("--location", LOCATION, "--sso-username", f"{USER} ", "--dry-run", "-o", "json")
    (request, *_) = backupctl("restore", "create", *words).result["requests"]
    assert f'"{USER}"' in json.dumps(request["body"])
