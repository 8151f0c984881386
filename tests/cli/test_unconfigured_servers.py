"""Server names that are not configured."""

import socket
from pathlib import Path

import httpx
import pytest

from tests import wording
from tests.support.command_line import TO_APPLIANCE, Run, configured
from tests.support.intercept import Send

MANY = "".join(f"[servers.vc{number:02}]\nhost = 'vc{number:02}.example.com'\n" for number in range(1, 9))


def resolve_no_names(request: httpx.Request, _: Send) -> httpx.Response:
    """Fail as the name resolution does for unknown hosts."""
    cause = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    raise httpx.ConnectError(str(cause), request=request) from cause


def run(folder: Path, text: str, *words: str, **environ: str) -> Run:
    environ = {**TO_APPLIANCE, "BACKUPCTL_SERVER": "", **environ}
    return configured(folder, text, environ=environ, intercept=resolve_no_names)(*words)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (
            "cv01",
            f"{wording.DID_YOU_MEAN('vc01')} {wording.CONFIGURED_NAMES}vc01, vc02, vc03, vc04, vc05 and 3 more",
        ),
        ("vcenter02", f"{wording.DID_YOU_MEAN('vc02')} {wording.CONFIGURED_NAMES}vc01"),
        ("vc01.invalid", f"{wording.CONFIGURED_NAMES}vc01"),
        ("zebra", f"{wording.CONFIGURED_NAMES}vc01, vc02, vc03, vc04, vc05 and 3 more"),
    ],
)
def test_unknown_unconfigured_host_has_a_hint_with_configured_names(tmp_path: Path, name: str, hint: str) -> None:
    shown = run(tmp_path, MANY, "list", "-s", name)
    assert shown.code == 5
    assert f"error: {name}: {wording.UNKNOWN_HOST_NAME}" in shown.err
    assert f"hint: {wording.UNCONFIGURED_NAME(repr(name))} in {tmp_path}/config.toml; {hint}" in shown.err
    assert f"else {wording.CHECK_SERVER_AND_NAME_RESOLUTION}" in shown.err


def test_unknown_host_named_like_a_group_has_a_hint_with_the_group_option(tmp_path: Path) -> None:
    shown = run(tmp_path, f'{MANY}[groups]\nProd = ["vc01"]\n', "list", "-s", "Prod")
    assert shown.code == 5
    assert (
        f"hint: {wording.IS_A_GROUP('prod', tmp_path / 'config.toml')}; {wording.DID_YOU_MEAN('--group Prod')}"
        in shown.err
    )


@pytest.mark.parametrize(("text", "name"), [(MANY, "vc01"), (MANY, "vc01.example.com:5480"), ("", "vc10")])
def test_unknown_host_that_is_configured_or_without_a_file_has_the_general_hint(
    tmp_path: Path, text: str, name: str
) -> None:
    shown = run(tmp_path, text, "list", "-s", name)
    assert shown.code == 5
    assert f"hint: {wording.CHECK_SERVER_AND_NAME_RESOLUTION}" in shown.err


def test_only_the_unconfigured_server_among_several_has_the_hint(tmp_path: Path) -> None:
    shown = run(tmp_path, MANY, "list", "-s", "vc02", "-s", "cv01", "-o", "json")
    hints = [result["error"]["hint"] for result in shown.json["results"]]
    assert [wording.DID_YOU_MEAN("vc01") in hint for hint in hints] == [False, True]


@pytest.mark.parametrize(
    ("text", "words", "environ", "warned"),
    [
        (MANY, ["-s", "cv01"], {}, True),
        (MANY, [], {"BACKUPCTL_SERVER": "vc02,cv01"}, True),
        (MANY, ["-s", "cv01.example.com"], {}, False),
        (MANY, ["-s", "vc01"], {"BACKUPCTL_SERVER": "::1"}, False),
        ("", ["-s", "cv01"], {}, False),
    ],
)
def test_check_warns_about_an_unconfigured_name_without_a_domain(
    tmp_path: Path, text: str, words: list[str], environ: dict[str, str], warned: bool
) -> None:
    shown = run(tmp_path, text, "config", "check", *words, "-o", "json", **environ)
    checks = [check for check in shown.json["results"][0]["checks"] if check["name"] == "server"]
    assert shown.code == 0
    assert [check["status"] for check in checks] == ["WARNING"] * warned
    assert all(wording.UNCONFIGURED_NAME("'cv01'") in check["message"] for check in checks)


def test_missing_server_and_unknown_group_list_a_few_configured_names(tmp_path: Path) -> None:
    missing = run(tmp_path, MANY, "list")
    assert missing.code == 2
    assert f"{wording.CONFIGURED_NAMES}vc01, vc02, vc03, vc04, vc05 and 3 more" in missing.err
    unknown = run(tmp_path, f"{MANY}[groups]\nproduction = ['vc01']", "list", "-g", "prodution")
    assert unknown.code == 3
    assert f"hint: {wording.DID_YOU_MEAN('production')} {wording.CONFIGURED_NAMES}production" in unknown.err


@pytest.mark.parametrize(
    ("names", "typed", "host"),
    [
        (["vc01", "vc02"], "VC01", "0.example.com"),
        (["Lab"], "lab", "0.example.com"),
        (["lab", "Lab"], "Lab", "1.example.com"),
        (["lab", "Lab"], "LAB", "lab"),  # the host name, as the configured one is not clear
    ],
)
def test_configured_name_matches_without_case_unless_two_do(
    tmp_path: Path, names: list[str], typed: str, host: str
) -> None:
    text = "".join(f"[servers.{name}]\nhost = '{number}.example.com'\n" for number, name in enumerate(names))
    run = configured(tmp_path, text, environ=TO_APPLIANCE)("list", "-s", typed, "-o", "json")
    assert run.result["host"] == host
