"""The conversion of the API's structs into jobs."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from backupctl.location import Location
from backupctl.models import (
    BackupJobStatus,
    BackupRequest,
    BuildInfo,
    DetailsProgress,
    JobDetails,
    LocalizableMessage,
    as_utc,
)
from backupctl.operations import job_conversion
from backupctl.results.job import Job, Message
from backupctl.secrets.secret import Secret

ID = "20260101-020000-1"
STARTED = datetime(2026, 3, 1, 2, tzinfo=UTC)
KNOWN = Job(id=ID, state="INPROGRESS", progress=30)


def status(**fields: Any) -> BackupJobStatus:
    return BackupJobStatus(**{"id": ID, "state": "INPROGRESS", **fields})


def details(**fields: Any) -> JobDetails:
    return JobDetails(**{"status": "RUNNING", **fields})


@pytest.mark.parametrize(
    ("value", "expected"),
    [(40, 40), (20, 30), (0, 30), (None, 30), (40.9, 40), (1e30, 100), (-5, 30), (math.nan, 30), (math.inf, 30)],
)
def test_progress_never_decreases_nor_exceeds_a_hundred(value: float | None, expected: int) -> None:
    assert job_conversion.from_status(status(progress=value), KNOWN).progress == expected


def test_progress_is_unknown_without_one_in_the_status() -> None:
    assert job_conversion.from_status(status(), Job(id=ID, state="")).progress is None


def test_status_updates_its_fields_and_keeps_the_others() -> None:
    message = LocalizableMessage(id="m", default_message="", localized="Langsam.", args=[1, "x"])
    known = Job(id=ID, state="INPROGRESS", location="sftp://h/d", comment="c", encrypted=True)
    end = STARTED + timedelta(seconds=90)
    job = job_conversion.from_status(
        status(state="SUCCEEDED", start_time=STARTED, end_time=end, messages=[message]), known
    )
    assert (job.state, job.start_time, job.end_time, job.duration_seconds) == ("SUCCEEDED", STARTED, end, 90)
    assert job.messages == (Message(id="m", default_message="Langsam.", args=("1", "x")),)
    assert (job.location, job.comment, job.encrypted) == ("sftp://h/d", "c", True)


def test_status_without_an_id_keeps_the_known_id() -> None:
    assert job_conversion.from_status(status(id=""), KNOWN).id == ID


@pytest.mark.parametrize("hours", [-8, 0, 2])
def test_times_with_any_offset_or_none_are_utc(hours: int) -> None:
    moment = as_utc(STARTED.astimezone(timezone(timedelta(hours=hours))))
    assert moment is not None
    assert (moment, moment.tzinfo) == (STARTED, UTC)
    assert as_utc(STARTED.replace(tzinfo=None)) == STARTED
    assert as_utc(None) is None


@pytest.mark.parametrize(
    ("details_status", "state"),
    [
        ("PENDING", "NONE"),
        ("RUNNING", "INPROGRESS"),
        ("BLOCKED", "INPROGRESS"),
        ("SUCCEEDED", "SUCCEEDED"),
        ("FAILED", "FAILED"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ],
)
def test_details_status_is_converted_to_a_job_state(details_status: str, state: str) -> None:
    assert job_conversion.from_details(details(status=details_status), Job(id=ID, state="")).state == state


def test_details_never_replace_a_known_state() -> None:
    assert job_conversion.from_details(details(status="SUCCEEDED"), KNOWN).state == "INPROGRESS"


def test_details_add_their_fields() -> None:
    extra = details(
        type="MANUAL",
        location="sftp://h/d",
        location_user="backup",
        size=1.5e9,
        duration=61.7,
        user="VSPHERE.LOCAL\\Administrator",
        progress=DetailsProgress(total=200, completed=90),
        build=BuildInfo(version="8.0.2.00100", build_number="22617221"),
    )
    job = job_conversion.from_details(extra, KNOWN)
    assert (job.type, job.location, job.location_user, job.size_bytes) == ("MANUAL", "sftp://h/d", "backup", 1500000000)
    assert (job.duration_seconds, job.progress, job.build) == (61, 45, "8.0.2.00100 build 22617221")
    assert job.user == "VSPHERE.LOCAL\\Administrator"


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"progress": DetailsProgress(total=0, completed=0)}, "progress", 30),
        ({"progress": DetailsProgress(total=math.nan, completed=1)}, "progress", 30),
        ({"progress": DetailsProgress(total=100)}, "progress", 30),
        ({"size": math.inf}, "size_bytes", None),
        ({"size": 1e300}, "size_bytes", None),
        ({"size": -1.0}, "size_bytes", None),
        ({"duration": 2.0**63}, "duration_seconds", None),
        ({"duration": math.nan}, "duration_seconds", None),
        ({"build": BuildInfo(version_name="VC-8.0.2a")}, "build", "VC-8.0.2a"),
        ({"build": BuildInfo(build_number="1")}, "build", "1"),
        ({"build": BuildInfo()}, "build", None),
        ({"location": "sftp://user:secret@h/d"}, "location", "sftp://user:***@h/d"),
    ],
)
def test_invalid_details_are_ignored_or_masked(fields: dict[str, Any], name: str, value: object) -> None:
    assert getattr(job_conversion.from_details(details(**fields), KNOWN), name) == value


def test_message_keeps_its_plain_arguments_only() -> None:
    odd = LocalizableMessage(id="m", args=["text", 7, [["nested"]], {"more": {}}, None, 0.5])
    assert job_conversion.messages_of([odd])[0].args == ("text", "7", "0.5")


def test_job_from_a_request_has_its_fields() -> None:
    request = BackupRequest(
        parts=("seat",),
        location_type="FTP",
        location=Location.parse("ftp://h/d"),
        comment="c",
        backup_password=Secret("x"),
    )
    job = job_conversion.from_request(request)
    assert (job.parts, job.location, job.comment, job.encrypted) == (("seat",), "ftp://h/d", "c", True)
