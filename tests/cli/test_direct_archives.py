"""The commands archive systems, list and show with --direct: they read the location and contact no appliance."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import wording
from tests.support.archive_folders import METADATA, archive_name, write_archive
from tests.support.command_line import HOST, LOCATION, CommandLine, configured
from tests.support.intercept import Send

NEWEST = archive_name("20260228-020000", comment="before the upgrade")
DAMAGED = archive_name("20260227-020000", kind="S")
UNFINISHED = archive_name("20260226-020000", comment="50 % / ü")
OTHER = archive_name("20260227-030000", version="8.0.3.00400")
OTHER_HOST = "VC02.example.com"

Direct = Callable[..., Any]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a location with two systems."""
    location = tmp_path_factory.mktemp("location")
    write_archive(location, HOST, NEWEST)
    write_archive(location, HOST, DAMAGED, {"vum.gz": b""})
    write_archive(location, HOST, UNFINISHED, {METADATA: None})
    write_archive(location, OTHER_HOST, OTHER)
    (location / "vCenter" / f"sn_{HOST}" / "M_old").mkdir()
    (location / "vCenter" / f"sn_{HOST}" / METADATA).write_text("{}")
    return location


def direct_at(place: Path) -> Direct:
    """Return a function that runs an archive command at a location, and checks that no appliance is contacted."""
    backupctl = CommandLine(environ={"BACKUPCTL_LOCATION": LOCATION, "BACKUPCTL_LOCATION_USER": "backup"})

    def run(command: str, *words: str) -> Any:
        ended = backupctl("archive", command, "--direct", "--path-for", f"{LOCATION}={place}", *words)
        assert backupctl.reached == []
        return ended

    return run


@pytest.fixture
def direct(place: Path) -> Direct:
    return direct_at(place)


def names(result: Any) -> list[str]:
    return [archive["archive"] for archive in result["archives"]]


def test_without_a_server_all_systems_are_read(direct: Direct) -> None:
    assert direct("systems", "-o", "json").result["systems"] == [f"sn_{OTHER_HOST}", f"sn_{HOST}"]
    run = direct("list", "-o", "json")
    assert (run.code, names(run.result)) == (0, [NEWEST, OTHER, DAMAGED, UNFINISHED])
    assert (run.result["server"], run.result["other_entries"]) == ("backup.example.com", 2)


def test_archive_has_the_keys_of_a_list_and_what_only_its_folder_tells(direct: Direct) -> None:
    newest, other, damaged, unfinished = direct("list", "-o", "json").result["archives"]
    folder = f"{LOCATION}/vCenter/sn_{HOST}/{NEWEST}"
    command = newest.pop("restore_command")
    assert command == f"backupctl restore validate -s {HOST} -u root --location-user backup --location {folder}"
    files = newest.pop("files")
    assert (len(files), sum(file["size"] for file in files)) == (7, newest.pop("size_bytes"))
    assert newest == {
        "archive": NEWEST,
        "system_name": f"sn_{HOST}",
        "start_time": "2026-02-28T02:00:00Z",
        "end_time": None,
        "version": "8.0.0.10000",
        "comment": "before the upgrade",
        "location": folder,
        "parts": None,
        "kind": "M",
        "state": "complete",
        "complete": True,
        "problems": [],
    }
    assert f"-s {OTHER_HOST} " in other["restore_command"]
    assert (damaged["complete"], damaged["state"], damaged["kind"]) == (False, "damaged", "S")
    assert (unfinished["complete"], unfinished["state"], unfinished["comment"]) == (False, "unfinished", "50 % / ü")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--limit", "2"), [NEWEST, OTHER]),
        (("--since", "2026-02-27T02:30Z"), [NEWEST, OTHER]),
        (("--until", "2026-02-27T02:00Z", "--limit", "1"), [DAMAGED]),
        (("--comment-contains", "upgrade"), [NEWEST]),
        (("--comment-contains", "nothing"), []),
        (("--system", "vc01.EXAMPLE.com", "--limit", "1"), [NEWEST]),
        (("-s", "vc02.example.com"), [OTHER]),
        (("-s", "10.0.0.1", "--system", f"sn_{OTHER_HOST}"), [OTHER]),
    ],
    ids=str,
)
def test_list_can_be_narrowed(direct: Direct, words: tuple[str, ...], expected: list[str]) -> None:
    assert names(direct("list", *words, "-o", "json").result) == expected


def test_list_shows_how_to_restore_what_is_complete_and_what_is_wrong_with_the_rest(direct: Direct) -> None:
    run = direct("list")
    folder = f"{LOCATION}/vCenter/sn_"
    restore = "    backupctl restore validate -s {} -u root --location-user backup --location {}"
    assert run.out.splitlines() == [
        f"sn_{OTHER_HOST}",
        f"  ✓ {OTHER}",
        "    complete · 47 h ago · 2026-02-27 03:00 UTC · 8.0.3.00400 · 24 kB in 7 files",
        restore.format(OTHER_HOST, f"{folder}{OTHER_HOST}/{OTHER}"),
        f"sn_{HOST}",
        f"  ✓ {NEWEST}",
        "    complete · 24 h ago · 2026-02-28 02:00 UTC · 8.0.0.10000 · 24 kB in 7 files",
        "    comment: before the upgrade",
        restore.format(HOST, f"{folder}{HOST}/{NEWEST}"),
        f"  ✗ {DAMAGED}",
        "    damaged · 2 days ago · 2026-02-27 02:00 UTC · 8.0.0.10000 · 20 kB in 7 files",
        "    vum.gz is empty",
        f"  ! {UNFINISHED}",
        "    unfinished · 3 days ago · 2026-02-26 02:00 UTC · 8.0.0.10000 · 24 kB in 6 files",
        "    comment: 50 % / ü",
        f"    {METADATA} is missing",
    ]
    assert run.err == "other entries at the location: 2\n"
    assert direct("list", "-q").out.splitlines() == [NEWEST, OTHER, DAMAGED, UNFINISHED]


def test_several_servers_have_a_result_each(direct: Direct) -> None:
    run = direct("list", "-s", HOST, "-s", "vc03.example.com", "-o", "json")
    found, missing = run.json["results"]
    assert (run.code, names(found)) == (10, [NEWEST, DAMAGED, UNFINISHED])
    assert missing["error"]["slug"] == "not-found"
    assert missing["error"]["details"] == [f"sn_{OTHER_HOST}", f"sn_{HOST}"]
    assert "--system" in missing["error"]["hint"]


def test_show_wants_a_server_or_a_system(direct: Direct) -> None:
    assert direct("show", DAMAGED).code == 2
    for words in ("-s", HOST), ("--system", HOST):
        run = direct("show", DAMAGED, *words)
        assert (run.code, run.out.splitlines()[0]) == (0, f"archive {DAMAGED}")
        assert {"  state     damaged", "  problem   vum.gz is empty"} <= set(run.out.splitlines())
        assert f"/{DAMAGED}" in run.out.splitlines()[-1]
        archive = direct("show", DAMAGED, *words, "-o", "json").result["archive"]
        assert archive in direct("list", *words, "-o", "json").result["archives"]
        assert direct("show", "latest", *words, "-o", "json").result["archive"]["archive"] == NEWEST


@pytest.mark.parametrize("name", ["M_1", "../sn_vc01.example.com", archive_name("20200101-000000"), ""])
def test_show_of_no_archive_is_10(direct: Direct, name: str) -> None:
    assert direct("show", name, "-s", HOST, "-o", "json").result["error"]["slug"] == "not-found"


@pytest.mark.parametrize(
    ("folder", "hint"),
    [
        ("nothing", None),
        ("none", None),
        (f"vCenter/sn_{HOST}", wording.FOLDER_OF_ONE_APPLIANCE),
    ],
)
def test_location_without_any_appliance_is_10(direct: Direct, place: Path, folder: str, hint: str | None) -> None:
    (place / "none").mkdir(exist_ok=True)
    for words in (), ("--comment-contains", "x"), ("-s", HOST):
        run = direct("list", "--location", f"{LOCATION}/{folder}", *words, "-o", "json")
        error = run.result["error"]
        assert (run.code, error["slug"], error["hint"]) == (10, "not-found", hint)


HOSTILE = "\x1b[31m\u202e\u200b[bold red]x[/]\r\n\t$(reboot) `id` '\";&|<>"


def test_names_and_comments_of_others_do_no_harm(tmp_path: Path) -> None:
    direct, place = direct_at(tmp_path), tmp_path
    system = "$(reboot);'\"`id` --insecure"
    folder = write_archive(place, system, archive_name("20260301-010000", comment=HOSTILE))
    write_archive(place, system, "M_8_20260301-013000_$(id);' --insecure")
    write_archive(place, system, f"M_8_20260301-014500_{'A' * 200}")
    write_archive(place, system, f"M_8_20260301-014600_{HOSTILE.replace('/', '')}")  # no usable name
    (folder / HOSTILE.replace("/", "")).write_bytes(b"")
    run = direct("list", "--system", system)
    shown = run.out + run.err
    assert (run.code, shown.replace("\n", "").isprintable()) == (0, True)
    assert run.err == "other entries at the location: 1\n"
    archives = direct("list", "--system", system, "-o", "json").result["archives"]
    assert len(archives) == 3
    for archive in archives:
        words = shlex.split(archive["restore_command"])
        assert words[:5] == ["backupctl", "restore", "validate", "-s", system]
        assert words[5:-1] == ["-u", "root", "--location-user", "backup", "--location"]
        assert not set(words[-1]) & set(" $`'\";&|<>\\()")
        assert json.dumps(words[-1]).isascii()


@pytest.mark.parametrize("server", [f'host = "{HOST}"', f'host = "10.0.0.1"\nsystem = "{HOST.upper()}"'])
def test_configured_server_is_in_the_restore_command(server: str, place: Path, tmp_path: Path) -> None:
    text = f'[defaults]\nlocation = "{LOCATION}"\npath-for = ["{LOCATION}={place}"]\n[servers.main]\n{server}\n'
    for words in (), ("-s", "main"):
        archive = configured(tmp_path, text)("archive", "list", "--direct", *words, "-o", "json").result["archives"][0]
        assert archive["restore_command"].startswith("backupctl restore validate -s main -u root --location sftp:")


@pytest.mark.parametrize("words", [["systems"], ["list"], ["show", "M_1"]], ids=" ".join)
def test_appliance_that_does_not_answer_points_to_direct_and_nothing_else_is_contacted(
    place: Path, words: list[str]
) -> None:
    def refuse(request: httpx.Request, _send: Send) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    backupctl = CommandLine(intercept=refuse)
    run = backupctl("archive", *words, "--location", LOCATION, "--path-for", f"{LOCATION}={place}", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (5, "connection")
    assert run.result["error"]["hint"].endswith(wording.ADD_DIRECT)
    assert {server.host for server in backupctl.reached} == {HOST}
