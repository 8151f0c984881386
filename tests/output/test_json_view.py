import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backupctl.errors import OutputError, UsageError
from backupctl.output.json_view import JsonLinesView, JsonView
from backupctl.output.safe_stream import SafeStream
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Progressed, RunEvent, Warned
from backupctl.results.result import Envelope, PreparedRequest, RequestsResult
from tests import wording
from tests.output.samples import (
    ERROR,
    WHERE,
    a_finished_job,
    a_job,
    a_message,
    every_event,
    every_result,
)
from tests.support.clock import START, FakeClock

ENVELOPE_KEYS = ["schema", "command", "exit_code", "error", "results"]
RESULT_KEYS = ["server", "host", "api", "release", "simulated", "exit_code", "error"]
ERROR_KEYS = ["slug", "message", "hint", "details", "attach"]
JOB_KEYS = [
    "id", "state", "progress", "messages", "start_time", "end_time", "type", "size_bytes", "duration_seconds",
    "location", "location_user", "user", "build", "comment", "parts", "encrypted", "step",
    "expected_end", "usual_duration_seconds",
]  # fmt: skip
SCHEDULE_KEYS = [
    "name", "location", "location_user", "parts", "enable", "hour", "minute", "days", "max_count", "fast_backup",
    "time_zone", "next_run", "encrypted",
]  # fmt: skip
PRUNED_KEYS = ["archive", "start_time", "comment", "size_bytes", "reasons", "removed"]
ARCHIVE_KEYS = ["archive", "system_name", "start_time", "end_time", "version", "comment", "location", "parts"]
TARGET_ARCHIVE_KEYS = [
    *ARCHIVE_KEYS,
    *("kind", "state", "complete", "problems", "size_bytes", "files", "restore_command"),
]
METADATA_KEYS = [
    "applicable", "boxname", "version", "timestamp", "parts", "comment", "sso_login_required", "messages",
]  # fmt: skip
CERTIFICATE_RESULT_KEYS = ["certificate", "chain", "chain_complete", "trusted", "store", "needs_ca", "reason", "pinned"]
CERTIFICATE_KEYS = [
    *("subject", "issuer", "names", "not_before", "not_after", "expires_in_days"),
    *("authority", "serial_number", "fingerprint"),
]
OWN_KEYS_OF_RESULTS = {
    "JobResult": ["job"],
    "StartedResult": ["job"],
    "JobsResult": ["jobs", "remembers", "unreadable"],
    "PartsResult": ["parts", "total_mb", "unreadable"],
    "ChecksResult": ["checks"],
    "SchedulesResult": ["schedules", "unreadable"],
    "ScheduleResult": ["schedule", "changes", "requests"],
    "AuditResult": [
        *("since", "until", "judged_since", "schedule", "runs", "gaps", "counts", "unexplained", "notes"),
    ],
    "SystemsResult": ["systems"],
    "ArchivesResult": ["archives", "unreadable"],
    "DirectArchivesResult": ["archives", "unreadable", "other_entries"],
    "ArchiveResult": ["archive"],
    "VerificationResult": ["verification"],
    "PruneResult": ["keep", "remove"],
    "RestoreResult": ["metadata", "job"],
    "CertificateResult": CERTIFICATE_RESULT_KEYS,
    "PinResult": [*CERTIFICATE_RESULT_KEYS, "file", "profile", "replaced"],
    "LocationPinResult": ["location", "kind", "fingerprint", "pinned", "file", "profile", "replaced"],
    "CaCertificatesResult": ["authorities", "file", "verified", "vouches", "reason"],
    "SettingsResult": ["file", "groups", "settings"],
    "FileResult": ["file", "secret", "entry", "replaced"],
    "HistoryResult": ["history"],
    "VerdictResult": ["check"],
    "ReportResult": ["report", "insecure"],
    "RequestsResult": ["requests"],
}
OWN_KEYS_OF_EVENTS = {
    "connected": ["host", "api", "release"],
    "parts-selected": ["parts"],
    "waiting": ["job"],
    "started": ["job"],
    "adopted": ["job", "reason"],
    "attached": ["job"],
    "progress": ["job"],
    "trouble": ["error"],
    "recovered": [],
    "warning": ["message", "hint"],
    "cancelling": ["job"],
    "queued": [],
    "ended": ["exit_code", "error"],
    "left": ["job", "attach"],
}


class Shown:
    """A JSON view and what it wrote."""

    def __init__(self, *, lines: bool = False, out: Any = None, **options: bool) -> None:
        self.clock = FakeClock()
        self._out, self._err = out or io.StringIO(), io.StringIO()
        out_, err = SafeStream(self._out), SafeStream(self._err)
        self.view = JsonLinesView(out_, err, clock=self.clock, **options) if lines else JsonView(out_, err, **options)

    @property
    def out(self) -> str:
        return str(self._out.getvalue())

    @property
    def err(self) -> str:
        return self._err.getvalue()

    @property
    def documents(self) -> list[Any]:
        return [json.loads(text) for text in self.out.splitlines()]


def an_envelope() -> Envelope:
    return Envelope.of("create", [JobResult(**WHERE, exit_code=7, error=ERROR, job=a_finished_job("FAILED"))])


def test_json_contract_envelope_error_and_job_have_these_keys_in_this_order() -> None:
    shown = Shown()
    envelope = msgspec.structs.replace(an_envelope(), error=ERROR)
    shown.view.finish(envelope)
    document = json.loads(shown.out)
    result = document["results"][0]
    assert list(document) == ENVELOPE_KEYS
    assert list(document["error"]) == ["server", *list(result["error"])] == ["server", *ERROR_KEYS]
    assert list(result) == [*RESULT_KEYS, "job"]
    assert list(result["job"]) == JOB_KEYS


def test_json_contract_results_have_these_keys() -> None:
    shown = Shown()
    shown.view.finish(Envelope.of("any", every_result()))
    keys = {type(result).__name__: list(json_) for result, json_ in zip(
        every_result(), json.loads(shown.out)["results"], strict=True
    )}  # fmt: skip
    assert keys == {name: [*RESULT_KEYS, *own] for name, own in OWN_KEYS_OF_RESULTS.items()}


def test_json_contract_inner_values_have_these_keys() -> None:
    shown = Shown()
    shown.view.finish(Envelope.of("any", every_result()))
    results = {
        type(result).__name__: json_
        for result, json_ in zip(every_result(), json.loads(shown.out)["results"], strict=True)
    }
    job, parts, checks = (results[name] for name in ("JobResult", "PartsResult", "ChecksResult"))
    requests, changed, restore = (results[name] for name in ("RequestsResult", "ScheduleResult", "RestoreResult"))
    assert list(job["job"]["messages"][0]) == ["id", "default_message", "args"]
    assert list(parts["parts"][0]) == ["id", "name", "description", "selected_by_default", "optional", "size_mb"]
    assert list(checks["checks"][0]) == ["name", "status", "message"]
    assert list(requests["requests"][0]) == list(changed["requests"][0]) == ["method", "url", "body"]
    assert list(changed["schedule"]) == list(results["SchedulesResult"]["schedules"][0]) == SCHEDULE_KEYS
    assert list(changed["changes"][0]) == ["field", "before", "after"]
    assert list(results["VerdictResult"]["check"]) == ["state", "summary", "metrics"]
    assert list(results["VerdictResult"]["check"]["metrics"]["age"]) == ["value", "unit", "warning", "critical"]
    assert list(results["ArchivesResult"]["archives"][0]) == ARCHIVE_KEYS
    assert list(results["ArchiveResult"]["archive"]) == ARCHIVE_KEYS
    assert list(results["PruneResult"]["keep"][0]) == PRUNED_KEYS
    assert sorted(results["DirectArchivesResult"]["archives"][0]) == sorted(TARGET_ARCHIVE_KEYS)
    assert list(restore["metadata"]) == METADATA_KEYS
    assert list(restore["metadata"]["messages"][0]) == ["id", "default_message", "args"]
    assert list(restore["job"]) == JOB_KEYS
    assert list(results["CertificateResult"]["certificate"]) == CERTIFICATE_KEYS
    assert list(results["CaCertificatesResult"]["authorities"][0]) == CERTIFICATE_KEYS


def test_json_contract_events_have_these_keys() -> None:
    shown = Shown(lines=True)
    for event in every_event():
        shown.view.event(event)
    keys = {document["event"]: list(document) for document in shown.documents}
    assert keys == {name: ["schema", "event", "time", "server", *own] for name, own in OWN_KEYS_OF_EVENTS.items()}


def test_json_contract_unknown_is_null_and_times_have_a_zone() -> None:
    shown = Shown()
    shown.view.finish(Envelope.of("status", [JobResult(**WHERE, job=a_job(progress=None))]))
    job = json.loads(shown.out)["results"][0]["job"]
    assert job["start_time"] == "2026-03-01T02:00:00Z"
    assert {key for key, value in job.items() if value is None} == set(JOB_KEYS) - {
        "id", "state", "start_time", "messages"
    }  # fmt: skip


def test_every_event_is_in_the_samples() -> None:
    assert {type(event) for event in every_event()} == set(RunEvent.__subclasses__())


def test_json_while_following_only_warnings_are_shown_and_on_standard_error() -> None:
    shown = Shown()
    for event in every_event():
        shown.view.event(event)
    shown.view.warn("the certificate is\x1b[31m not checked", "pin it")
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "warning: vc01: the appliance's clock is wrong",
        "hint: set it",
        r"warning: the certificate is\x1b[31m not checked",
        "hint: pin it",
    ]


def test_json_quiet_leaves_the_warnings_out_but_not_the_document() -> None:
    shown = Shown(quiet=True)
    shown.view.event(Warned(time=START, server="vc01", message="careful"))
    shown.view.warn("careful", "hint")
    shown.view.finish(an_envelope())
    assert shown.err == ""
    assert json.loads(shown.out)["exit_code"] == 7


@pytest.mark.parametrize(("verbose", "err"), [(True, "debug: two requests\n"), (False, "")])
def test_json_debug_is_for_the_verbose(verbose: bool, err: str) -> None:
    shown = Shown(verbose=verbose)
    shown.view.debug("two\nrequests")
    assert shown.err == err


def test_json_second_envelope_is_reported_on_standard_error() -> None:
    shown = Shown()
    shown.view.finish(an_envelope())
    first = shown.out
    shown.view.finish(Envelope.of_error("create", UsageError("something else broke")))
    assert shown.out == first
    assert shown.err == "error: something else broke\n"


def test_json_disk_full_raises_and_prints_the_lost_errors() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        shown = Shown(out=full)
        with pytest.raises(OutputError):
            shown.view.finish(an_envelope())
    assert shown.err == "error: the backup failed\n"


def test_json_lines_disk_full_is_raised_only_at_the_end() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        shown = Shown(lines=True, out=full)
        shown.view.event(Progressed(time=START, server="vc01", job=a_job()))
        with pytest.raises(OutputError):
            shown.view.finish(an_envelope())


def test_json_lines_last_line_is_the_envelope_at_its_time() -> None:
    shown = Shown(lines=True)
    shown.view.event(Progressed(time=START, server="vc01", job=a_job()))
    shown.clock.sleep(90)
    shown.view.finish(an_envelope())
    event, result = shown.documents
    assert (event["schema"], event["event"], event["time"]) == (1, "progress", "2026-03-01T02:00:00Z")
    assert list(result) == ["schema", "event", "time", *ENVELOPE_KEYS[1:]]
    assert (result["event"], result["time"], result["exit_code"]) == ("result", "2026-03-01T02:01:30Z", 7)


def test_json_lines_quiet_is_the_last_line_only() -> None:
    shown = Shown(lines=True, quiet=True)
    shown.view.event(Progressed(time=START, server="vc01", job=a_job()))
    shown.view.finish(an_envelope())
    assert [document["event"] for document in shown.documents] == ["result"]


@pytest.mark.parametrize("lines", [True, False])
def test_json_document_is_written_in_one_call(lines: bool) -> None:
    class Pieces(io.StringIO):
        def __init__(self) -> None:
            super().__init__()
            self.pieces: list[str] = []

        def write(self, text: str, /) -> int:
            self.pieces.append(text)
            return super().write(text)

    pieces = Pieces()
    shown = Shown(lines=lines, out=pieces)
    shown.view.finish(an_envelope())
    assert len(pieces.pieces) == 1
    assert pieces.pieces[0].endswith("}\n")


NASTY = "caf\u00e9 \U0001f4be \x9b2J \u202e \udcff \x1b[31m \x7f"


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_json_hostile_text_keeps_its_value_and_is_escaped(encoding: str) -> None:
    raw = io.BytesIO()
    view = JsonView(SafeStream(io.TextIOWrapper(raw, encoding=encoding)), SafeStream(None))
    view.finish(Envelope.of("status", [JobResult(**WHERE, job=a_job(messages=(a_message(NASTY),)))]))
    text = raw.getvalue().decode(encoding)
    assert all(character.isprintable() or character == "\n" for character in text)
    message = json.loads(text)["results"][0]["job"]["messages"][0]["default_message"]
    assert message == NASTY.replace("\udcff", "\ufffd")


def test_json_request_body_is_shown_as_it_would_be_sent() -> None:
    shown = Shown()
    shown.view.finish(Envelope.of("create", [every_result()[-1]]))
    assert isinstance(every_result()[-1], RequestsResult)
    assert json.loads(shown.out)["results"][0]["requests"][0]["body"] == {"location_password": "***"}


def test_json_close_may_be_called_repeatedly() -> None:
    shown = Shown()
    shown.view.close()
    shown.view.close()
    assert shown.out == shown.err == ""


@pytest.mark.parametrize("view", [JsonView, JsonLinesView])
def test_result_that_json_cannot_hold_does_not_affect_the_others(view: type[JsonView]) -> None:
    out = io.StringIO()
    more: dict[str, Any] = {"clock": FakeClock()} if view is JsonLinesView else {}
    odd = RequestsResult(
        server="vc00", host="vc00", exit_code=7, requests=(PreparedRequest(method="GET", url="/", body=object()),)
    )
    envelope = Envelope.of("any", [odd, JobResult(**WHERE, job=a_finished_job())])
    with pytest.raises(OutputError, match=f"{wording.RESULT_CANNOT_BE_SHOWN('vc00')}: TypeError"):
        view(SafeStream(out), SafeStream(io.StringIO()), **more).finish(envelope)
    first, second = json.loads(out.getvalue())["results"]
    assert (first["server"], first["exit_code"], second["job"]["id"]) == ("vc00", 7, a_finished_job().id)
