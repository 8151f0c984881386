"""The commands archive systems, list and show."""

from dataclasses import replace

import pytest

from backupctl.simulator.releases import release_named
from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, TO_APPLIANCE, CommandLine

SYSTEM = f"sn_{HOST}"
AT = ("--location", LOCATION, "--location-user", "backup")
PASSWORD = "s3cret+&x"
WITH_PASSWORD = TO_APPLIANCE | {"BACKUPCTL_LOCATION_PASSWORD": PASSWORD}
ALLOW = "--allow-password-in-url"
EVERY_FAMILY = pytest.mark.parametrize("api", ["rest", "api"])


@pytest.fixture
def stocked() -> CommandLine:
    """Return an appliance with archives at the location."""
    return CommandLine(history=True, environ=WITH_PASSWORD)


@EVERY_FAMILY
def test_archive_systems_lists_the_systems_at_the_location(stocked: CommandLine, api: str) -> None:
    run = stocked("archive", "systems", *AT, ALLOW, "--api", api, "-o", "json")
    assert (run.code, run.result["systems"]) == (0, [SYSTEM])


@EVERY_FAMILY
@pytest.mark.parametrize("system", [[], ["--system", SYSTEM]])
def test_archive_list_is_newest_first(stocked: CommandLine, api: str, system: list[str]) -> None:
    run = stocked("archive", "list", *AT, *system, ALLOW, "--api", api, "-o", "json")
    archives = run.result["archives"]
    starts = [archive["start_time"] for archive in archives]
    assert (run.code, starts) == (0, sorted(starts, reverse=True))
    assert {archive["system_name"] for archive in archives} == {SYSTEM}
    assert len(archives) == stocked.states.count("SUCCEEDED")


@pytest.mark.parametrize(
    "words",
    [
        ["--limit", "2"],
        ["--since", "2026-02-28T00:00Z"],
        ["--until", "2026-02-28T00:00Z"],
        ["--since", "26h", "--until", "1h"],
        ["--comment-contains", "upgrade"],
        ["--comment-contains", "no such comment"],
        ["--since", "0001-01-01T00:00Z", "--until", "9999-12-31T23:59Z"],
    ],
    ids=" ".join,
)
def test_archive_list_filters_equal_the_filtered_whole_list(stocked: CommandLine, words: list[str]) -> None:
    every = stocked("archive", "list", *AT, "-o", "json").result["archives"]
    run = stocked("archive", "list", *AT, *words, "-o", "json")
    given = dict(zip(words[::2], words[1::2], strict=True))
    ago = {"26h": "2026-02-28T00:00", "1h": "2026-03-01T01:00"}
    since, until = (ago.get(given.get(flag, ""), given.get(flag)) for flag in ("--since", "--until"))
    expected = [
        archive
        for archive in every
        if (since is None or archive["start_time"] >= since.removesuffix("Z"))
        and (until is None or archive["start_time"] <= until.removesuffix("Z") + ":00Z")
        and given.get("--comment-contains", "") in archive["comment"]
    ]
    assert run.code == 0
    assert run.result["archives"] == expected[: int(given.get("--limit", "128"))]


@EVERY_FAMILY
def test_archive_show_has_its_contents(stocked: CommandLine, api: str) -> None:
    newest = stocked("archive", "list", *AT, ALLOW, "-o", "json").result["archives"][0]
    run = stocked("archive", "show", newest["archive"], *AT, ALLOW, "--api", api, "-o", "json")
    archive = run.result["archive"]
    assert (run.code, archive["archive"], archive["system_name"]) == (0, newest["archive"], SYSTEM)
    assert (archive["parts"], archive["version"]) == (["common", "seat"], "8.0.0.10000")
    assert archive["location"].startswith(LOCATION)
    assert archive["end_time"] > newest["start_time"]


@pytest.mark.parametrize(
    "words",
    [
        ["systems", "--location", "sftp://elsewhere.example.com/x"],
        ["list", "--location", "sftp://elsewhere.example.com/x"],
        ["list", "--location", LOCATION, "--system", "sn_other"],
        ["show", "M_1", "--location", LOCATION],
        ["show", "../x?y", "--location", LOCATION, "--system", SYSTEM],
    ],
    ids=" ".join,
)
@EVERY_FAMILY
def test_archive_unknown_is_10(stocked: CommandLine, words: list[str], api: str) -> None:
    run = stocked("archive", *words, "--api", api, "-o", "json", environ=TO_APPLIANCE)
    assert (run.code, run.result["error"]["slug"]) == (10, "not-found")


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--location", LOCATION, "--limit", "0"],
        ["list", "--location", LOCATION, "--since", "yesterday"],
        ["list", "--location", LOCATION, "--until", "2026-13-01"],
        ["list", "--location", LOCATION, "--since", ""],
        ["list"],
        ["systems"],
        ["show", "--location", LOCATION],
        ["systems", "--location", "sftp://u:p@h/x"],
        ["systems", "--location", "backup.example.com/x"],
    ],
    ids=" ".join,
)
def test_archive_with_a_bad_value_is_2_and_nothing_is_sent(stocked: CommandLine, words: list[str]) -> None:
    run = stocked("archive", *words, environ=TO_APPLIANCE)
    assert (run.code, stocked.line.urls) == (2, [])


def test_archive_location_placeholders_are_filled(stocked: CommandLine) -> None:
    stocked("archive", "systems", "--location", f"{LOCATION}/{{server}}")
    assert stocked.writes[0][2]["location"] == f"{LOCATION}/{HOST}"


# The password in the URL


@pytest.mark.parametrize("command", [["list"], ["show", "M_1"]], ids=" ".join)
@pytest.mark.parametrize("system", [[], ["--system", SYSTEM]], ids=" ".join)
def test_archive_finds_out_the_api_family_once(stocked: CommandLine, command: list[str], system: list[str]) -> None:
    stocked("archive", *command, *AT, *system)
    assert sum(url.endswith("/appliance/recovery") for url in stocked.line.urls) == 1


@pytest.mark.parametrize("words", [["systems"], ["list"], ["list", "--system", SYSTEM], ["show", "M_1"]], ids=" ".join)
def test_archive_password_is_in_no_url_unless_allowed(words: list[str]) -> None:
    backupctl = CommandLine(release="7.0", history=True, environ=WITH_PASSWORD)
    run = backupctl("archive", *words, *AT, "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (2, "usage")
    assert ALLOW in run.result["error"]["hint"]
    assert not [url for url in backupctl.line.urls if "system-name" in url or "s3cret" in url]

    allowed = backupctl("archive", *words, *AT, ALLOW, "-v", "-o", "json")
    assert allowed.code == (10 if "show" in words else 0)
    assert [url for url in backupctl.line.urls if "location_password=s3cret%2B%26x" in url]
    assert "s3cret" not in allowed.out + allowed.err


def test_archive_password_is_in_no_url_where_only_sessions_use_the_newer_api(clock: FakeClock) -> None:
    release = replace(release_named("7.0"), api="session")
    backupctl = CommandLine(clock=clock, release=release, history=True, environ=WITH_PASSWORD)
    run = backupctl("archive", "systems", *AT, "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (2, "usage")
    assert not [url for url in backupctl.line.urls if "s3cret" in url]
    assert backupctl("archive", "systems", *AT, ALLOW).code == 0


def test_archive_without_a_password_needs_no_option() -> None:
    backupctl = CommandLine(release="7.0", history=True)
    assert backupctl("archive", "systems", "--location", LOCATION).code == 0


def test_archive_password_is_in_no_message_when_the_request_is_lost_or_redirected() -> None:
    for fault, code in (("drop=99", 5), ("redirect=99", 6), ("html-503=99", 6), ("bad-json=99", 6)):
        backupctl = CommandLine(release="7.0", history=True, environ=WITH_PASSWORD)
        backupctl.appliance.inject(fault)
        for output in ("text", "json"):
            run = backupctl("archive", "systems", *AT, ALLOW, "-v", "-o", output)
            assert run.code == code
            assert "s3cret" not in run.out + run.err


@pytest.mark.parametrize("words", [["systems"], ["list"], ["show", "x"]], ids=" ".join)
def test_archive_on_a_release_without_archives_is_6_with_operation_and_release(words: list[str]) -> None:
    backupctl = CommandLine(release="6.5")
    run = backupctl("archive", *words, "--location", "ftp://backup.example.com/x", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (6, "not-supported")
    assert f"at a location: {wording.NOT_SUPPORTED('6.5.0.20000')}" in run.result["error"]["message"]


def test_archive_show_of_several_systems_needs_the_system_option(clock: FakeClock) -> None:
    backupctl = CommandLine(clock=clock, history=True)
    other = CommandLine(clock=clock, history=True).appliance
    other.host = "vc02.example.com"
    for job in other.jobs:
        if job.status(clock.monotonic())["state"] == "SUCCEEDED":
            backupctl.appliance.archives.write(job, other.host, 100, complete=True)
    run = backupctl("archive", "show", "M_1", "--location", LOCATION, "-o", "json")
    assert (run.code, run.result["error"]["message"]) == (2, wording.SEVERAL_SYSTEMS(2))
    every = backupctl("archive", "list", "--location", LOCATION, "-o", "json").result["archives"]
    assert {archive["system_name"] for archive in every} == {SYSTEM, "sn_vc02.example.com"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list", "--system", "\udcff"), 2),
        (("list", "--system", ".."), 2),
        (("show", "\udcff"), 10),
        (("list", "--comment-contains", "\udcff"), 2),
        (("list", "--comment-contains", "x" * 70_000, "--api", "rest"), 2),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_archive_name_that_no_url_can_hold_is_rejected(words: tuple[str, ...], code: int) -> None:
    run = CommandLine(history=True)("archive", *words, "--location", LOCATION)
    assert run.code == code
    assert "unexpected" not in run.err
