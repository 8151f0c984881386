"""Secrets in messages of the appliance are masked before the messages are filled."""

import pytest

from backupctl.api.masking import mask_messages, mask_texts
from backupctl.models import BackupJobStatus, JobDetails, LocalizableMessage
from backupctl.secret import KnownSecrets, Secret

SECRET = "pass{}%s!word"


def conceal(text: str) -> str:
    known = KnownSecrets()
    known.add(Secret(SECRET))
    return known.conceal(text)


def test_secret_that_looks_like_a_place_is_masked_whole() -> None:
    message = LocalizableMessage(id="m", default_message=f"login with {SECRET} at {{}}", args=["host"])
    status = BackupJobStatus(id="1", state="FAILED", messages=[message])
    masked = mask_messages(status, conceal).messages
    assert masked is not None
    assert [each.text for each in masked] == ["login with *** at host"]


@pytest.mark.parametrize(
    "message",
    [
        LocalizableMessage(args=[SECRET]),
        LocalizableMessage(params={"a": {"s": SECRET}}),
        LocalizableMessage(localized=SECRET),
    ],
)
def test_secret_anywhere_in_a_message_is_masked(message: LocalizableMessage) -> None:
    assert SECRET not in str(mask_texts(message, conceal))


def test_words_in_the_error_of_details_are_masked_and_all_else_stays_as_it_is() -> None:
    details = JobDetails(status="FAILED", location=f"sftp://host/{SECRET}", error={"why": [f"no {SECRET}"]})
    masked = mask_messages({"job": details}, conceal)["job"]
    assert (masked.location, masked.error) == (details.location, {"why": ["no ***"]})


def test_what_holds_no_secret_is_the_same_object() -> None:
    status = BackupJobStatus(id="1", state="FAILED", messages=None)
    assert mask_messages(status, conceal) is status
