import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from backupctl.simulator.archive_directory import ArchiveDirectory
from backupctl.simulator.backup_runs import BackupSpec
from tests.simulator.client import Client, logged_in

SYSTEMS = "/appliance/recovery/backup/system-name"
SYSTEM = "sn_vcsa.simulator.test"
PAST_LOCATION = "sftp://backup.example.com/vcenter"
LOCATION = "ftp://backup.example.com/vc"


def systems(client: Client, location: str) -> httpx.Response:
    if client.family == "rest":
        return client.call("GET", f"{SYSTEMS}?{urlencode({'loc_spec.location': location})}")
    return client.call("POST", f"{SYSTEMS}?action=list", json={"location": location})


def archives(client: Client, location: str, system: str = SYSTEM, **conditions: Any) -> httpx.Response:
    path = f"{SYSTEMS}/{system}/archives"
    if client.family == "rest":
        query = {"loc_spec.location": location} | {f"filter_spec.{name}": value for name, value in conditions.items()}
        return client.call("GET", f"{path}?{urlencode(query)}")
    return client.call(
        "POST", f"{path}?action=list", json={"loc_spec": {"location": location}, "filter_spec": conditions}
    )


def archive(client: Client, location: str, name: str) -> httpx.Response:
    path = f"{SYSTEMS}/{SYSTEM}/archives/{name}"
    if client.family == "rest":
        return client.call("GET", f"{path}?{urlencode({'spec.location': location})}")
    return client.call("POST", f"{path}?action=get", json={"location": location})


def finish_backup(client: Client, **changes: Any) -> None:
    client.start(**{"location": LOCATION, **changes})
    client.clock.sleep(60)


def test_location_lists_its_systems_and_archives(family: str) -> None:
    client = logged_in(family)
    finish_backup(client, location=f"{LOCATION}/", comment="a/b")
    assert client.value(systems(client, "ftp://someone@backup.example.com:/vc")) == [SYSTEM]
    (summary,) = client.value(archives(client, LOCATION))
    name = "M_8.0.0.10000_20260301-020000_MEXWE==="
    assert summary == {
        "archive": name,
        "timestamp": "2026-03-01T02:00:00.000Z",
        "version": "8.0.0.10000",
        "comment": "a/b",
    }
    assert client.value(archive(client, LOCATION, name)) == {
        "timestamp": "2026-03-01T02:00:20.000Z",
        "location": f"{LOCATION}/vCenter/{SYSTEM}/M_8.0.0.10000_20260301-020000_MEXWE%3D%3D%3D",
        "parts": ["common", "seat"],
        "version": "8.0.0.10000",
        "system_name": SYSTEM,
        "comment": "a/b",
    }


def test_failed_or_running_backup_leaves_no_archive(family: str) -> None:
    client = logged_in(family)
    client.start(location=LOCATION)
    assert systems(client, LOCATION).status_code == 404
    client.clock.sleep(20)
    assert len(client.value(archives(client, LOCATION))) == 1
    client.appliance.inject("fail-at=50")
    finish_backup(client)
    assert len(client.value(archives(client, LOCATION))) == 1


@pytest.mark.parametrize(
    ("conditions", "comments"),
    [
        ({}, ["3", "2", "1 one"]),
        ({"max_results": 2}, ["3", "2"]),
        ({"max_results": 0}, []),
        ({"comment_substring": "one"}, ["1 one"]),
        ({"start_timestamp": "2026-03-01T02:01:00.000Z"}, ["3", "2"]),
        ({"end_timestamp": "2026-03-01T02:01:00.000Z"}, ["2", "1 one"]),
        ({"start_timestamp": "2026-03-01T03:01:00+01:00", "end_timestamp": "2026-03-01T02:01:59Z"}, ["2"]),
        ({"start_timestamp": "2026-03-01T02:01:00.000Z", "comment_substring": "one"}, []),
    ],
)
def test_archive_filter_combines_its_conditions(family: str, conditions: dict[str, Any], comments: list[str]) -> None:
    client = logged_in(family)
    for comment in ("1 one", "2", "3"):
        finish_backup(client, comment=comment)
    assert [entry["comment"] for entry in client.value(archives(client, LOCATION, **conditions))] == comments


def test_archive_list_has_128_entries_by_default(family: str) -> None:
    client = logged_in(family, job_duration=1)
    for _ in range(130):
        client.appliance.start_backup(BackupSpec("FTP", LOCATION), user=None)
        client.clock.sleep(1)
        client.appliance.advance()
    assert len(client.value(archives(client, LOCATION))) == 128
    assert len(client.value(archives(client, LOCATION, max_results=1000))) == 130


@pytest.mark.parametrize(
    ("conditions", "status"),
    [({"colour": "red"}, 400), ({"start_timestamp": "yesterday"}, 400), ({"max_results": "many"}, 500)],
)
def test_archive_filter_that_is_invalid_is_refused(family: str, conditions: dict[str, Any], status: int) -> None:
    client = logged_in(family, history=True)
    response = archives(client, PAST_LOCATION, **conditions)
    assert (response.status_code, client.value(response)["error_type"]) == (status, "INVALID_REQUEST")


def test_missing_archive_is_404_and_invalid_location_500(family: str) -> None:
    client = logged_in(family, history=True)
    for response in (
        systems(client, "sftp://elsewhere.example.com/vcenter"),
        archives(client, f"{PAST_LOCATION}/deeper"),
        archives(client, PAST_LOCATION, system="sn_other"),
        archive(client, PAST_LOCATION, "M_8.0.0.10000_20200101-000000_"),
    ):
        assert (response.status_code, client.value(response)["error_type"]) == (404, "NOT_FOUND")
    for location in ("backup.example.com/vcenter", "tape://backup.example.com/vcenter"):
        response = systems(client, location)
        assert (response.status_code, client.value(response)["error_type"]) == (500, "ERROR")


def test_history_has_archives(family: str) -> None:
    client = logged_in(family, history=True)
    names = [entry["archive"][:1] for entry in client.value(archives(client, PAST_LOCATION))]
    assert names == ["S", "S", "M", "S", "M", "S"]
    assert (
        client.value(archives(client, PAST_LOCATION, comment_substring="patching"))[0]["comment"] == "before patching"
    )


@pytest.mark.parametrize("query", ["", "location=x", "spec.location=x", "loc_spec=x&loc_spec.location=x"])
def test_query_without_the_location_parameter_is_400(query: str) -> None:
    assert logged_in("rest", history=True).call("GET", f"{SYSTEMS}?{query}").status_code == 400


def test_location_in_the_body_of_a_get_without_query_is_read() -> None:
    client = logged_in("rest", history=True)
    body = json.dumps({"loc_spec": {"location": PAST_LOCATION}}).encode()
    assert client.value(client.call("GET", SYSTEMS, content=body)) == [SYSTEM]


def test_store_holds_the_new_archives_of_several_appliances(family: str, tmp_path: Path) -> None:
    client = logged_in(family, store=ArchiveDirectory(tmp_path), history=True)
    finish_backup(client, comment="kept")
    other = logged_in(family, store=ArchiveDirectory(tmp_path), host="other.example.com")
    finish_backup(other)
    other.appliance.advance()
    assert client.value(systems(client, LOCATION)) == ["sn_other.example.com", SYSTEM]
    assert client.value(systems(client, PAST_LOCATION)) == [SYSTEM]
    (summary,) = client.value(archives(client, LOCATION))
    assert client.value(archive(client, LOCATION, summary["archive"]))["comment"] == "kept"
    (folder,) = tmp_path.rglob(f"{SYSTEM}/{summary['archive']}")
    (folder / "backup-metadata.json").write_text("{}")
    assert client.value(archives(client, LOCATION)) == []
    assert archives(client, LOCATION, system="sn_gone").status_code == 404


def test_store_symlink_out_of_the_root_lists_nothing(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    source = logged_in(store=ArchiveDirectory(outside))
    finish_backup(source)
    source.appliance.advance()
    (root / "backup.example.com").mkdir(parents=True)
    (root / "backup.example.com" / "vc").symlink_to(outside / "backup.example.com" / "vc")
    assert systems(logged_in("api", store=ArchiveDirectory(root)), LOCATION).status_code == 404
