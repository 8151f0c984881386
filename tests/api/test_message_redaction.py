"""Secrets in messages of the appliance are masked before placeholders are filled."""

import json
from typing import Any

import httpx
import pytest

from backupctl.api.extensions import RAW_HEADERS, REDACT
from backupctl.api.message_redaction import mask_messages, mask_texts
from backupctl.api.vapi_error import vapi_error
from backupctl.api.wire_log import wire_log_lines
from backupctl.error_facts import ErrorFacts
from backupctl.errors import ApplianceAnswerError, BackupctlError
from backupctl.models import BackupJobStatus, JobDetails, LocalizableMessage
from backupctl.results.job import Job, Message
from backupctl.results.result_redaction import redacted
from backupctl.rules.placeholders import MAX_FILLED_LENGTH
from backupctl.secrets.redaction import MAX_ANSWER_LENGTH, Redactor
from backupctl.secrets.secret import MASK, Secret
from tests.support.clock import FakeClock
from tests.support.scripted_transport import API_LOGIN, Reply, ScriptedTransport, api_over

SECRET = "pass{}%s!word"


def redact(text: str, *, skip_common_words: bool = False) -> str:
    redactor = Redactor()
    redactor.add(Secret(SECRET))
    return redactor.redact(text)


def test_secret_that_looks_like_a_placeholder_is_masked() -> None:
    message = LocalizableMessage(id="m", default_message=f"login with {SECRET} at {{}}", args=["host"])
    status = BackupJobStatus(id="1", state="FAILED", messages=[message])
    masked = mask_messages(status, redact).messages
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
    assert SECRET not in str(mask_texts(message, redact))


def test_error_of_details_is_masked_and_other_fields_are_unchanged() -> None:
    details = JobDetails(status="FAILED", location=f"sftp://host/{SECRET}", error={"why": [f"no {SECRET}"]})
    masked = mask_messages({"job": details}, redact)["job"]
    assert (masked.location, masked.error) == (details.location, {"why": ["no ***"]})


def test_value_without_messages_is_returned_unchanged() -> None:
    status = BackupJobStatus(id="1", state="FAILED", messages=None)
    assert mask_messages(status, redact) is status


class CountingRedactor(Redactor):
    """Count the characters and the texts to mask."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = self.texts = 0

    def redact(self, text: str, *, skip_common_words: bool = False) -> str:
        self.characters += len(text)
        self.texts += 1
        return super().redact(text, skip_common_words=skip_common_words)


@pytest.fixture
def redactor() -> CountingRedactor:
    return CountingRedactor()


def assert_limited(redactor: CountingRedactor) -> None:
    assert redactor.characters < 2 * MAX_ANSWER_LENGTH
    assert redactor.texts <= MAX_ANSWER_LENGTH


LONG = "+" * 8000


@pytest.mark.exhaustive
def test_messages_of_a_response_are_masked_up_to_a_limit_and_the_rest_counted(redactor: CountingRedactor) -> None:
    messages = [LocalizableMessage(id="m", default_message=LONG, args=["x"])] * 1000
    masked = mask_messages(BackupJobStatus(id="1", state="FAILED", messages=messages), redactor.redact).messages or []
    assert_limited(redactor)
    assert masked[0].text == LONG
    assert masked[-1].text == f"... ({1001 - len(masked)} more messages)"


@pytest.mark.exhaustive
@pytest.mark.parametrize("args", [[""] * 400_000, [1] * 400_000, [None] * 400_000, [[""] * 1000] * 1000])
def test_arguments_without_characters_are_limited_too(args: list[object], redactor: CountingRedactor) -> None:
    masked = mask_texts(LocalizableMessage(default_message="x", args=args), redactor.redact)
    assert_limited(redactor)
    assert len(masked.args or []) <= MAX_ANSWER_LENGTH


@pytest.mark.exhaustive
def test_jobs_of_a_response_share_the_limit_and_none_is_lost(redactor: CountingRedactor) -> None:
    job = JobDetails(status="FAILED", messages=[LocalizableMessage(id="m", default_message=LONG)])
    masked = mask_messages({str(number): job for number in range(100)}, redactor.redact)
    assert_limited(redactor)
    assert len(masked) == 100
    assert [each.text for each in masked["99"].messages or []] == ["... (1 more messages)"]


@pytest.mark.exhaustive
def test_messages_of_an_error_are_masked_up_to_a_limit(redactor: CountingRedactor) -> None:
    messages = [{"id": "m", "default_message": LONG, "args": []}] * 1000
    body = json.dumps({"error_type": "ERROR", "messages": messages}).encode()
    error = vapi_error(httpx.Response(500, content=body, extensions={REDACT: redactor.redact}))
    assert error is not None
    assert_limited(redactor)
    assert error.messages[-1] == f"... ({1001 - len(error.messages)} more messages)"


@pytest.mark.parametrize("depth", range(50, 1050, 50))
def test_deeply_nested_error_is_no_bug(depth: int, redactor: CountingRedactor) -> None:
    args = b"[" * depth + b"]" * depth
    body = b'{"error_type": "ERROR", "messages": [{"args": ' + args + b"}]}"
    error = vapi_error(httpx.Response(500, content=body, extensions={REDACT: redactor.redact}))
    assert error is None or error.kind == "ERROR"


def test_filled_message_has_a_maximum_length() -> None:
    message = LocalizableMessage(default_message="{0}" * 10_000, args=["x" * 10_000])
    assert message.text == "x" * MAX_FILLED_LENGTH


@pytest.mark.parametrize("parts", [["x"] * 101, ["x" * 257]])
def test_too_many_parts_are_ignored(parts: list[str], clock: FakeClock) -> None:
    restore = "GET /api/appliance/recovery/restore/job"
    wire = ScriptedTransport({**API_LOGIN, restore: Reply(200, {"state": "INPROGRESS", "parts": parts})})
    status = api_over(wire, clock).restore_job()
    assert (status.state, status.parts) == ("INPROGRESS", None)


@pytest.mark.exhaustive
def test_event_or_result_is_masked_up_to_a_limit(redactor: CountingRedactor) -> None:
    message = Message(id="x", default_message=LONG, args=())
    job = redacted(Job(id="1", state="INPROGRESS", messages=(message,) * 1000), redactor.redact)
    assert job.messages[0].default_message == LONG
    assert job.messages[-1].default_message == "..."
    assert redactor.characters < 2 * MAX_ANSWER_LENGTH


@pytest.mark.exhaustive
@pytest.mark.parametrize("text", ["", "+" * 100])
def test_wire_log_of_a_response_is_masked_up_to_a_limit(text: str, redactor: CountingRedactor) -> None:
    request = httpx.Request("GET", "https://vc01/x")
    body = json.dumps([text] * 400_000).encode()
    response = httpx.Response(200, content=body, request=request, extensions={RAW_HEADERS: httpx.Headers({})})
    lines = wire_log_lines(request, response, redactor)
    assert redactor.texts <= MAX_ANSWER_LENGTH + 10  # those of the body, and the other lines
    assert "more characters" in lines[-1]


@pytest.mark.parametrize("word", ["server", "cause", "operation", "$server", "$cause"])
def test_password_equal_to_a_placeholder_keeps_the_facts_of_an_error(word: str) -> None:
    redactor = Redactor()
    redactor.add(Secret(word))
    redactor.add(Secret("S3cret-!"))
    error = ErrorFacts("$server said: $cause", server="vc01", cause="it is S3cret-!")
    shown = redacted(
        ApplianceAnswerError("$operation: $then", operation="ask", then=error, details=[error]), redactor.redact
    )
    assert (shown.message, shown.details) == (f"ask: vc01 said: it is {MASK}", (f"vc01 said: it is {MASK}",))


LOCAL_FACTS = {
    *("message", "server", "host", "operation", "of_file", "selector", "status", "certain", "retryable", "exit_code"),
}
"""Facts without text of the appliance; what stands in a message itself is redacted apart."""


@pytest.mark.parametrize("name", sorted(set(ErrorFacts._fields) - LOCAL_FACTS))
def test_each_fact_that_may_hold_text_of_the_appliance_is_masked(name: str) -> None:
    redactor = Redactor()
    redactor.add(Secret("S3cret-!"))
    text = "it is S3cret-!"
    fact: dict[str, Any] = {name: (text,) if name in {"texts", "details"} else text}
    facts = ErrorFacts("$cause")._replace(**fact)
    assert "S3cret" not in str(redacted(BackupctlError.from_facts(facts), redactor.redact).facts)
