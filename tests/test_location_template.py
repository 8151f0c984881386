from datetime import UTC, datetime

import pytest

from backupctl.errors import UsageError
from backupctl.location import LocationTemplate

NOW = datetime(2026, 3, 1, 2, 0, 9, tzinfo=UTC)


def filled(template: str, server: str = "vc01.example.com") -> str:
    return LocationTemplate(template).fill(server=server, moment=NOW).text


def test_template_with_every_placeholder_is_filled() -> None:
    assert (
        filled("sftp://h/{server}/{date}_{time}/{server}")
        == "sftp://h/vc01.example.com/2026-03-01_02-00-09/vc01.example.com"
    )


def test_template_with_doubled_braces_keeps_single_ones() -> None:
    assert filled("sftp://h/{{server}}/{{{date}}}") == "sftp://h/{server}/{2026-03-01}"


@pytest.mark.parametrize(("server", "folder"), [("vc01:8443", "vc01-8443"), ("[::1]:8443", "1--8443"), ("../x", "x")])
def test_server_name_is_changed_to_a_folder_name(server: str, folder: str) -> None:
    assert filled("sftp://h/{server}", server) == f"sftp://h/{folder}"


def test_server_name_without_usable_characters_is_rejected() -> None:
    with pytest.raises(UsageError) as caught:
        filled("sftp://h/{server}", "..")
    assert caught.value.hint == "remove {server} from the location"


@pytest.mark.parametrize(
    "template", ["sftp://h/{host}", "sftp://h/{}", "sftp://h/{Date}", "sftp://h/{server!r}", "{0}"]
)
def test_template_with_an_unknown_placeholder_names_the_known_ones(template: str) -> None:
    with pytest.raises(UsageError, match="unknown placeholder") as caught:
        filled(template)
    assert "{server}, {date} or {time}" in str(caught.value.hint)


@pytest.mark.parametrize("template", ["sftp://h/{", "sftp://h/}", "sftp://h/{date", "{{{"])
def test_template_with_a_single_brace_is_rejected(template: str) -> None:
    with pytest.raises(UsageError, match="single brace"):
        filled(template)


@pytest.mark.parametrize(
    ("template", "changes"), [("{date}", True), ("x{time}", True), ("{server}", False), ("{{date}}", False)]
)
def test_template_changes_with_time_if_it_has_date_or_time(template: str, changes: bool) -> None:
    assert LocationTemplate.parse(f"sftp://h/{template}").changes_with_time is changes


@pytest.mark.parametrize("template", ["sftp://h/{", "sftp://h/{host}", "sftp:///{server}", "sftp://u@h/{server}"])
def test_template_of_an_invalid_location_is_rejected_by_parse(template: str) -> None:
    with pytest.raises(UsageError):
        LocationTemplate.parse(template)


def test_unknown_placeholder_is_not_shown_next_to_credentials() -> None:
    with pytest.raises(UsageError) as caught:
        filled("sftp://u:{S3cret}@h/x")
    assert "S3cret" not in caught.value.message
