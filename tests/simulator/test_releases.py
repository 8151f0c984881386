import pytest

from backupctl.errors import UsageError
from backupctl.simulator.releases import RELEASE_NAMES, release_named
from tests.simulator.client import Client, logged_in


@pytest.mark.parametrize("name", RELEASE_NAMES)
def test_api_family_exists_from_70u2_on(name: str) -> None:
    status = Client("api", release=name).login().status_code
    assert status == (201 if name in {"7.0U2", "8.0", "8.0U3", "9.0", "9.1"} else 404)
    assert Client("rest", release=name).login().status_code == 200


@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [("6.5", "SCP", "NFS"), ("6.7", "SCP", "SMB"), ("6.7U2", "NFS", "SFTP"), ("7.0", "SFTP", "TAPE")],
)
def test_location_type_unknown_to_a_release_is_refused(name: str, known: str, unknown: str) -> None:
    client = logged_in(release=name)
    assert client.create(location_type=unknown, location="h/f").status_code == 400
    assert client.create(location_type=known, location="h/f").status_code == 200


@pytest.mark.parametrize(("name", "status"), [("7.0", 400), ("7.0U2", 200)])
def test_fast_backup_is_a_field_from_70u2_on(name: str, status: int) -> None:
    assert logged_in(release=name).create(fast_backup=True).status_code == status


def test_version_and_job_id_have_the_same_build() -> None:
    client = logged_in("api", release="8.0u3")
    build = client.call("GET", "/appliance/system/version").json()["build"]
    assert client.start().endswith(f"-{build}")


def test_unknown_release_is_a_usage_error_with_the_known_names() -> None:
    with pytest.raises(UsageError) as caught:
        release_named("5.5")
    assert "8.0U3" in str(caught.value.hint)
