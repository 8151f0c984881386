import pytest

from backupctl.errors import UsageError
from backupctl.rules.request_fields import check_job_id, check_parts, parse_comment, parse_location_user


@pytest.mark.parametrize("user", ["backup", "DOMAIN\\backup", "backup@example.com", "jörg"])
def test_location_user_of_any_form_is_accepted(user: str) -> None:
    parse_location_user(user)


@pytest.mark.parametrize("user", ["", "-oProxyCommand=x", "a\nb", "a\x7fb", "a\x9bb", "a\u2028b", "a\udcffb"])
def test_dangerous_location_user_is_rejected(user: str) -> None:
    with pytest.raises(UsageError):
        parse_location_user(user)


def test_comment_of_one_line_is_accepted_and_of_more_rejected() -> None:
    parse_comment("before the upgrade to 8.0 U3 — ticket #12")
    parse_comment("")
    with pytest.raises(UsageError, match="character 2"):
        parse_comment("a\nb")


def test_parts_given_twice_are_kept_once_in_order() -> None:
    assert check_parts(["seat", "common", "seat"]) == ("seat", "common")
    assert check_parts([]) == ()


@pytest.mark.parametrize("part", ["", "-x", "a b", "a,b", "a/b", "é", "a\n"])
def test_invalid_part_name_is_rejected(part: str) -> None:
    with pytest.raises(UsageError):
        check_parts(["common", part])


@pytest.mark.parametrize("job_id", ["20180223-204306-7312210", "latest", "a~b_c.d:e"])
def test_job_id_of_unreserved_characters_is_accepted(job_id: str) -> None:
    check_job_id(job_id)


@pytest.mark.parametrize("job_id", ["", "-1", "a/b", "a?b", "a#b", "a%2Fb", ".", "..", "a b", "a\n", "a\\b", "é"])
def test_job_id_that_would_change_the_path_is_rejected(job_id: str) -> None:
    with pytest.raises(UsageError):
        check_job_id(job_id)
