"""Requests and responses shown by -v and -vv, with secrets masked."""

import json
import re
from typing import Any

import pytest

from backupctl.secrets.secret import MASK
from tests.support.command_line import LOCATION, PASSWORD, CommandLine, Run
from tests.support.intercept import ReplacedAnswer

AT = ("--location", LOCATION, "--location-user", "backup")
LOCATION_SECRET = "S3cret&loc"


def response_shown(content: bytes, *words: str, headers: dict[str, str] | None = None) -> Run:
    """Show the response of an appliance to a request for its jobs."""
    answer = ReplacedAnswer("GET", "/job/details", content, headers=headers or {})
    return CommandLine(intercept=answer)("list", *words)


def with_location_password(**more: str) -> dict[str, str]:
    return {**CommandLine().environ, "BACKUPCTL_LOCATION_PASSWORD": LOCATION_SECRET, **more}


def lines(run: Run, sign: str) -> list[str]:
    return [line.removeprefix(f"debug: {sign} ") for line in run.err.splitlines() if line.startswith(f"debug: {sign} ")]


def bodies(run: Run, sign: str) -> list[Any]:
    return [json.loads(line) for line in lines(run, sign) if line.startswith(("{", "["))]


def test_verbose_once_shows_each_request_as_one_line(backupctl: CommandLine) -> None:
    run = backupctl("list", "-v")
    assert "debug: GET /api/appliance/recovery/backup/job/details: 200 in 0.000 s" in run.err
    assert lines(run, ">") == lines(run, "<") == []


@pytest.mark.parametrize("verbose", ["-vv", "-vvv"])
def test_verbose_twice_shows_headers_and_bodies_with_secrets_masked(backupctl: CommandLine, verbose: str) -> None:
    environ = with_location_password(BACKUPCTL_BACKUP_PASSWORD="Correct-Horse1")
    run = backupctl("create", *AT, verbose, environ=environ)
    assert run.code == 0
    sent = lines(run, ">")
    assert "POST /api/session" in sent
    assert f"authorization: {MASK}" in sent
    assert f"vmware-api-session-id: {MASK}" in sent
    assert not [line for line in sent if line.startswith("content-length")]
    (piece,) = bodies(run, ">")
    assert (piece["location"], piece["location_password"], piece["backup_password"]) == (LOCATION, MASK, MASK)
    assert "201 Created" in lines(run, "<")
    assert MASK in lines(run, "<")
    assert "SUCCEEDED" in {body.get("state") for body in bodies(run, "<") if isinstance(body, dict)}
    for secret in (PASSWORD, LOCATION_SECRET, "Correct-Horse1"):
        assert secret not in run.out + run.err


def test_password_in_a_query_is_masked_in_place() -> None:
    backupctl = CommandLine(history=True)
    words = ("archive", "systems", *AT, "--api", "rest", "--allow-password-in-url", "-vv")
    run = backupctl(*words, environ=with_location_password())
    assert run.code == 0
    assert any(f"loc_spec.location_password={MASK}" in line for line in lines(run, ">"))
    assert any("S3cret%26loc" in url for url in backupctl.line.urls)


def test_unknown_secrets_in_a_response_are_masked_by_their_keys() -> None:
    content = {"location_password": "x1", "list": [{"key": "password", "value": "x2"}], "deep": [{"apiToken": "x3"}]}
    run = response_shown(
        json.dumps(content).encode(), "-vv", headers={"Set-Cookie": "x4", "X-Auth-Token": "x5", "Server": "x6"}
    )
    shown = [body for body in bodies(run, "<") if "list" in body]
    masked = {"location_password": MASK, "list": [{"key": "password", "value": MASK}], "deep": [{"apiToken": MASK}]}
    assert shown[0] == masked
    assert {f"set-cookie: {MASK}", f"x-auth-token: {MASK}", "server: x6"} <= set(lines(run, "<"))


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
def test_text_of_the_appliance_is_made_printable(output: str) -> None:
    run = response_shown(b"\x1b[2J<b>\xff\xe2\x80\xae\r\nsecond\x07", "-vv", "-o", output, headers={"X-Odd": "[red]"})
    assert not [character for character in run.err if not character.isprintable() and character != "\n"]
    assert r"debug: < \x1b[2J<b>\xff\u202e" in run.err
    assert r"debug: < second\x07" in run.err
    assert "debug: < x-odd: [red]" in run.err


def test_long_body_is_masked_before_it_is_truncated() -> None:
    content = b"x" * (64 * 1024 - 4) + PASSWORD.encode() + b"y" * 100
    run = response_shown(content, "-vv")
    shown = next(line for line in lines(run, "<") if line.startswith("x" * 99))
    assert shown == "x" * (64 * 1024 - 4) + MASK + "... (100 more characters)"


def test_quiet_and_verbose_show_only_results_and_debug_lines(backupctl: CommandLine) -> None:
    quiet = backupctl.create("-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    both = backupctl.create("-q", "-v")
    assert both.out == ""
    assert both.err
    assert all(line.startswith("debug: ") for line in both.err.splitlines())


def test_short_secret_does_not_turn_the_output_into_asterisks(backupctl: CommandLine) -> None:
    run = backupctl("create", *AT, "-vv", environ=with_location_password(BACKUPCTL_LOCATION_PASSWORD="up"))
    assert "debug: > POST /api/appliance/recovery/backup/job" in run.err
    assert bodies(run, ">")[0]["location_password"] == MASK


def test_long_json_is_masked_string_by_string_and_truncated() -> None:
    run = response_shown(json.dumps({"list": [f'"{PASSWORD}" {number}' for number in range(9000)]}).encode(), "-vv")
    shown = next(line for line in lines(run, "<") if line.startswith('{"list"'))
    assert PASSWORD not in run.err + run.out
    assert shown.startswith(rf'{{"list":["\"{MASK}\" 0","\"{MASK}\" 1",')
    assert re.fullmatch(r".{65536}\.\.\. \([0-9]+ more characters\)", shown)


def test_secret_as_a_json_key_is_masked() -> None:
    run = response_shown(
        json.dumps({PASSWORD: {PASSWORD: 1}, "list": [{"key": "password", PASSWORD: 2, "value": "x"}]}).encode(), "-vv"
    )
    assert PASSWORD not in run.err + run.out
    shown = [body for body in bodies(run, "<") if "list" in body]
    assert shown[:1] == [{MASK: {MASK: 1}, "list": [{"key": "password", MASK: 2, "value": MASK}]}]


def test_secret_in_the_name_of_an_encoding_is_masked() -> None:
    run = response_shown(b"x", headers={"Content-Encoding": PASSWORD})
    assert PASSWORD.lower() not in (run.err + run.out).lower()
    assert f"encoding '{MASK}'" in run.err
