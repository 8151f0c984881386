"""Validate and parts: the checks before a backup, and the errors that end them."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    AuthorizationError,
    BackupctlError,
    BusyError,
    CertificateError,
    NotSupportedError,
    ServerFaultError,
)
from backupctl.location import Location
from backupctl.models import (
    BackupJobStatus,
    BackupRequest,
    DatabaseHealth,
    HealthMessage,
    HealthSettings,
    LocalizableMessage,
    Part,
    ReturnResult,
    SystemVersion,
    UnreadableEntry,
)
from backupctl.operations.parts import read_parts, total_mb
from backupctl.operations.validate import location_checks, validate
from backupctl.secrets.secret import Secret
from tests import wording
from tests.support.clock import FakeClock
from tests.support.operation_bench import HEALTH, Bench, ScriptedRecovery, scripted, simulated

ID = "20260301-020000-1"
LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True)
PARTS = [
    Part(id="common", optional=False, selected_by_default=True),
    Part(id="seat", selected_by_default=True),
    Part(id="supervisors", selected_by_default=False),
]
SIZES = {"common": 700, "seat": 300, "supervisors": 50}
OK = ReturnResult(status="OK")
RELEASE = SystemVersion(version="8.0.2.00100")


def request(*parts: str) -> BackupRequest:
    return BackupRequest(
        parts=parts, location_type="SFTP", location=Location.parse("sftp://backup.example.com/vcenter")
    )


def scripted_bench(clock: FakeClock, **answers: Any) -> tuple[Bench, ScriptedRecovery]:
    defaults = {"version": RELEASE, "parts": [PARTS], "part_size": SIZES.__getitem__, "jobs": [[]], "validate": OK}
    return scripted(clock, **defaults | answers)


def checks(bench: Bench, *parts: str) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for check in bench.run(validate(bench.appliance, request(*parts))):
        found.setdefault(check.name, []).append((check.status, check.message))
    return found


@pytest.mark.parametrize("release", ["6.5", "6.7U2", "8.0"])
def test_validate_of_healthy_appliance_is_ok_and_starts_no_backup(release: str, clock: FakeClock) -> None:
    bench, simulator = simulated(clock, release=release)
    location = "sftp://backup.example.com/vcenter" if release == "8.0" else "ftp://backup.example.com/vcenter"
    backup = structs.replace(
        request(),
        location_type=location.partition(":")[0].upper(),
        location=Location.parse(location),
        backup_password=Secret("B@ckup123"),
    )
    assert {check.status for check in bench.run(validate(bench.appliance, backup))} == {"OK"}
    assert list(simulator.jobs) == []


def test_validate_fails_if_the_validation_of_the_appliance_fails(clock: FakeClock) -> None:
    bench, _ = simulated(clock, faults=["validate-fail"])
    assert "FAIL" in [status for status, _ in checks(bench)["appliance validation"]]


@pytest.mark.parametrize(
    ("parts", "sizes", "status", "expected_text"),
    [
        ((), SIZES, "OK", "common 700 MB, seat 300 MB; 1.0 GB before"),
        (("common",), SIZES, "OK", "common 700 MB; 700 MB before"),
        (("seat",), SIZES, "OK", "common 700 MB, seat 300 MB; 1.0 GB before"),
        (("supervisors", "common"), SIZES, "OK", "common 700 MB, supervisors 50 MB; 750 MB before"),
        (("moon", "seat"), SIZES, "FAIL", "not offered: moon (offered: common, seat, supervisors)"),
        ((), {**SIZES, "common": 0}, "WARNING", "common 0 MB, seat 300 MB: an estimate of 0 MB"),
        (("common",), {**SIZES, "seat": 0}, "OK", "common 700 MB"),
    ],
)
def test_validate_checks_the_parts(
    parts: tuple[str, ...], sizes: dict[str, int], status: str, expected_text: str, clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock, part_size=sizes.__getitem__)
    ((found, message),) = checks(bench, *parts)["parts"]
    assert found == status
    assert message.startswith(expected_text)


@pytest.mark.parametrize(
    ("chosen", "expected_text"),
    [
        ((), f"common 700 MB, seat 300 MB: 2 more {wording.UNREADABLE}"),
        (("moon",), f"not offered: moon (offered: common, seat, supervisors; 2 more {wording.UNREADABLE})"),
    ],
)
def test_validate_warns_of_unreadable_parts(chosen: tuple[str, ...], expected_text: str, clock: FakeClock) -> None:
    odd = [UnreadableEntry(name=f"#{number}", why="no id") for number in (4, 5)]
    bench, _ = scripted_bench(clock, parts=[[*PARTS, *odd]])
    assert checks(bench, *chosen)["parts"] == [("WARNING", expected_text)]


def test_validate_sends_the_default_parts_to_the_appliance(clock: FakeClock) -> None:
    bench, api = scripted_bench(clock)
    checks(bench)
    assert [call[1].parts for call in api.calls if call[0] == "validate"] == [("common", "seat")]


def test_validate_during_a_backup_fails_without_validation_request(clock: FakeClock) -> None:
    bench, api = scripted_bench(clock, jobs=[[ID]], job=BackupJobStatus(id=ID, state="INPROGRESS", progress=12))
    found = checks(bench)
    assert found["running job"] == [("FAIL", f"backup job {ID} is running (12 %)")]
    assert found["appliance validation"] == [("WARNING", f"not checked: {wording.ANOTHER_BACKUP_RUNNING}")]
    assert "validate" not in api.names()


def test_validate_retries_to_read_the_running_job(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, jobs=[LOST, LOST, []])
    assert checks(bench)["running job"] == [("OK", "no backup is running")]


def test_validate_warns_if_the_running_job_is_unknown(clock: FakeClock) -> None:
    bench, api = scripted_bench(clock, jobs=ServerFaultError("500 ERROR: the history is broken"))
    ((status, message),) = checks(bench)["running job"]
    assert (status, "the history is broken" in message) == ("WARNING", True)
    assert "validate" in api.names()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK, [("OK", "vCenter reports OK")]),
        (ReturnResult(status="ODD"), [("WARNING", "vCenter reports ODD")]),
        (
            ReturnResult(
                status="FAIL",
                messages=[LocalizableMessage(default_message="No."), LocalizableMessage(id="com.vmware.x")],
            ),
            [("FAIL", "No."), ("FAIL", "com.vmware.x")],
        ),
        (NotSupportedError("no such operation"), [("WARNING", "no such operation")]),
        (
            ServerFaultError("500 ERROR", details=["Cannot connect.", "Refused."]),
            [("FAIL", "500 ERROR: Cannot connect.: Refused.")],
        ),
        (ApplianceAnswerError("400 INVALID_ARGUMENT"), [("FAIL", "400 INVALID_ARGUMENT")]),
        ([LOST, ServerFaultError("503", certain=False, retryable=True), OK], [("OK", "vCenter reports OK")]),
    ],
)
def test_validate_reports_the_validation_of_the_appliance(
    answer: Any, expected: list[tuple[str, str]], clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock, validate=answer)
    assert checks(bench)["appliance validation"] == expected


@pytest.mark.parametrize(
    ("if_running", "expected"),
    [
        ("fail", ("FAIL", wording.ANOTHER_JOB_RUNNING)),
        ("wait", ("WARNING", f"{wording.ANOTHER_JOB_RUNNING}; {wording.WAITING_FOR_IT}")),
    ],
)
def test_validate_during_a_restore_says_what_is_not_checked(
    if_running: str, expected: tuple[str, str], clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock, validate=BusyError("a restore is running"))
    found = [
        (check.status, check.message)
        for check in bench.run(validate(bench.appliance, request(), if_running))
        if check.name in {"running job", "appliance validation"}
    ]
    assert found == [expected, ("WARNING", f"not checked: {wording.ANOTHER_JOB_RUNNING}")]


FATAL_ERRORS = [
    LOST,
    ApplianceUnreachableError("refused"),
    CertificateError("not trusted"),
    AuthenticationError("401"),
]


@pytest.mark.parametrize("error", FATAL_ERRORS, ids=lambda error: error.message)
@pytest.mark.parametrize("operation", ["version", *HEALTH[:3], "parts", "part_size", "jobs", "validate"])
def test_validate_raises_if_the_appliance_is_unreachable_or_rejects_the_login(
    operation: str, error: BackupctlError, clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock, **{operation: error})
    with pytest.raises(type(error)) as caught:
        checks(bench)
    assert caught.value is error


@pytest.mark.parametrize(
    "error",
    [
        AuthorizationError("403"),
        ApplianceAnswerError("odd JSON", certain=False, retryable=True),
        ServerFaultError("html 502", certain=False, retryable=True),
    ],
    ids=lambda error: error.message,
)
def test_validate_raises_if_the_validation_response_is_not_from_the_appliance(
    error: BackupctlError, clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock, validate=error)
    with pytest.raises(type(error)):
        checks(bench)


# Login, health and location type


def test_validate_shows_user_api_family_and_release(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock)
    assert checks(bench)["login and rights"] == [("OK", "administrator@vsphere.local, release 8.0.2.00100 (/api)")]


def test_validate_of_a_release_without_health_operations_has_no_such_checks(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, version=ServerFaultError("500"))
    found = checks(bench)
    assert {"recovery", "system health", "database health", "location type"}.isdisjoint(found)
    assert found["login and rights"][0][1].endswith("release unknown (/api)")


@pytest.mark.parametrize(
    ("supported", "expected"),
    [
        (True, ("OK", "supported")),
        (False, ("FAIL", wording.NOT_ON_A_PASSIVE_NODE)),
        (ServerFaultError("500: broken"), ("WARNING", "unknown: 500: broken")),
        (AuthorizationError("403: no"), ("WARNING", "unknown: 403: no")),
    ],
)
def test_validate_checks_whether_recovery_is_supported(
    supported: Any, expected: tuple[str, str], clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock, recovery_supported=supported)
    assert checks(bench)["recovery"] == [expected]


@pytest.mark.parametrize(
    ("health", "status"),
    [
        *(("green", "OK"), ("gray", "OK"), ("yellow", "WARNING"), ("orange", "WARNING"), ("red", "FAIL")),
        ("a colour of a later release", "WARNING"),
    ],
)
def test_validate_checks_the_system_health(health: str, status: str, clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, system_health=health)
    assert checks(bench)["system health"] == [(status, health)]


DEGRADED = DatabaseHealth(
    status="DEGRADED",
    messages=[HealthMessage(severity="WARNING", message=LocalizableMessage(default_message="VCDB is slow."))],
)
CHECKED = HealthSettings(db_health_check_state_manual_backup=True)
NOT_CHECKED = HealthSettings(db_health_check_state_manual_backup=False)


@pytest.mark.parametrize(
    ("health", "settings", "status", "expected_text"),
    [
        (DatabaseHealth(status="HEALTHY"), CHECKED, "OK", f"healthy {wording.CHECKED_BEFORE_EACH_BACKUP}"),
        (DEGRADED, CHECKED, "FAIL", f"degraded {wording.CHECKED_BEFORE_EACH_BACKUP}; VCDB is slow."),
        (
            DEGRADED,
            HealthSettings(db_health_check_state_manual_backup=True),
            "FAIL",
            f"degraded {wording.CHECKED_BEFORE_EACH_BACKUP}; VCDB is slow.",
        ),
        (DEGRADED, NOT_CHECKED, "WARNING", "degraded (not checked before backups); VCDB is slow."),
        (DEGRADED, ServerFaultError("500"), "FAIL", f"degraded {wording.CHECKED_BEFORE_EACH_BACKUP}; VCDB is slow."),
        (ServerFaultError("500: broken"), CHECKED, "WARNING", "unknown: 500: broken"),
    ],
)
def test_validate_fails_for_an_unhealthy_database_only_if_backups_check_it(
    health: Any, settings: Any, status: str, expected_text: str, clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock, database_health=health, health_settings=settings)
    assert checks(bench)["database health"] == [(status, expected_text)]


@pytest.mark.parametrize(
    ("location_type", "release", "better"),
    [
        *(("SCP", "6.5.0.20000", None), ("SCP", "6.7.0.53000", None), ("SCP", "7.0.0.10100", "SFTP")),
        *(("SFTP", "6.7.0.53000", "SCP"), ("SFTP", "7.0.0.10100", None), ("SFTP", "9.1.0.0", None)),
        *(("NFS", "6.7.0.14000", "SCP"), ("NFS", "6.7.0.30000", None), ("SMB", "6.5.0.20000", "SCP")),
        *(("SMB", "8.0.0.10000", None), ("FTPS", "6.5.0.20000", None), ("FTP", "10.0", None)),
    ],
)
def test_unsuitable_location_type_is_a_warning_with_a_better_type(
    location_type: str, release: str, better: str | None
) -> None:
    (check,) = location_checks(location_type, release)
    assert check.status == ("WARNING" if better else "OK")
    assert better is None or check.message.endswith(f"use {better}")


@pytest.mark.parametrize("release", ["8" * 5000, "\u0668.0", "."])
def test_location_type_is_checked_for_an_unusual_release(release: str) -> None:
    assert len(location_checks("SFTP", release)) == 1


LOCATION_WARNINGS = [
    ("ftps://backup.example.com:990/vcenter", ["only explicit FTPS"]),
    ("ftps://backup.example.com:21/vcenter", []),
    ("ftps://backup.example.com/vcenter", []),
    ("ftp://backup.example.com:990/vcenter", ["FTPS or SFTP"]),
    ("ftp://backup.example.com/vcenter", ["FTPS or SFTP"]),
    ("http://backup.example.com/vcenter", ["WebDAV", "use HTTPS"]),
    ("https://backup.example.com/vcenter", ["WebDAV"]),
    ("sftp://[2001:db8::5]/vcenter", ["IPv6"]),
    ("sftp://192.0.2.5:22/vcenter", []),
    ("ftps://[2001:db8::5]:990/vcenter", ["explicit", "IPv6"]),
    ("sftp://backup.example.com/vcenter", []),
    ("nfs://192.0.2.5:/export", []),
]


@pytest.mark.parametrize(
    ("location", "expected_text"), LOCATION_WARNINGS, ids=[location for location, _ in LOCATION_WARNINGS]
)
def test_validate_warns_of_unusable_or_unsafe_locations(
    location: str, expected_text: list[str], clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock)
    bench.appliance = structs.replace(bench.appliance, host="192.0.2.1")
    kind = location.partition(":")[0].upper()
    backup = structs.replace(
        request(), location=Location.parse(location).of_type(kind), location_type=kind, location_password=Secret("x")
    )
    found = [check for check in bench.run(validate(bench.appliance, backup)) if check.name == "location"]
    assert [check.status for check in found] == ["WARNING"] * len(expected_text)
    assert all(words in check.message for check, words in zip(found, expected_text, strict=True))


@pytest.mark.parametrize(
    ("host", "location", "password"),
    [
        ("vc01.example.com", "sftp://[2001:db8::5]/vcenter", "x"),
        ("2001:db8::1", "sftp://[2001:db8::5]/vcenter", "x"),
        ("2001:db8::1", "sftp://backup.example.com/vcenter", "x"),
        ("vc01.example.com", "ftp://backup.example.com/vcenter", None),
    ],
)
def test_validate_does_not_warn_of_locations_that_may_work(
    host: str, location: str, password: str | None, clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock)
    bench.appliance = structs.replace(bench.appliance, host=host)
    kind = location.partition(":")[0].upper()
    secret = None if password is None else Secret(password)
    backup = structs.replace(
        request(), location=Location.parse(location).of_type(kind), location_type=kind, location_password=secret
    )
    assert "location" not in {check.name for check in bench.run(validate(bench.appliance, backup))}


@pytest.mark.parametrize(
    ("hours", "expected_text"),
    [
        (2, f"backup job {ID} is running (12 %), started 2 h ago (2026-03-01 00:00 UTC)"),
        (48, f"backup job {ID} is running (12 %), started 2 days ago (2026-02-27 02:00 UTC); cancel it with"),
    ],
)
def test_validate_shows_the_start_of_a_running_backup(hours: int, expected_text: str, clock: FakeClock) -> None:
    began = clock.now() - timedelta(hours=hours)
    status = BackupJobStatus(id=ID, state="INPROGRESS", progress=12, start_time=began)
    bench, _ = scripted_bench(clock, jobs=[[ID]], job=status)
    ((_, message),) = checks(bench)["running job"]
    assert message.startswith(expected_text)
    assert (f"backupctl cancel {ID}" in message) == (hours > 24)


def test_validate_without_backup_password_warns_of_missing_encryption(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock)
    assert checks(bench)["encryption"][0][0] == "WARNING"


# Parts


@pytest.mark.parametrize(
    "unknown", [ServerFaultError("500"), NotSupportedError("404"), AuthorizationError("403"), ApplianceAnswerError("x")]
)
def test_part_size_is_none_if_its_request_fails(unknown: BackupctlError, clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, part_size=[700, unknown, 50])
    parts, _ = bench.run(read_parts(bench.appliance))
    assert [(part.id, part.size_mb) for part in parts] == [("common", 700), ("seat", None), ("supervisors", 50)]
    assert total_mb(parts) == 750


@pytest.mark.parametrize("size", [-1, 2**63, 10**400], ids=lambda size: str(size)[:20])
def test_part_size_is_none_if_it_is_out_of_range(size: int, clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, part_size=[700, size, 50])
    parts, _ = bench.run(read_parts(bench.appliance))
    assert [part.size_mb for part in parts] == [700, None, 50]


def test_parts_without_known_sizes_have_no_total(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, part_size=ServerFaultError("500"))
    parts, _ = bench.run(read_parts(bench.appliance))
    assert total_mb(parts) is None


def test_part_without_name_is_named_by_its_id(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock)
    (first, *_), _ = bench.run(read_parts(bench.appliance))
    assert (first.name, first.description, first.optional) == ("common", "", False)


@pytest.mark.parametrize("error", FATAL_ERRORS, ids=lambda error: error.message)
def test_parts_raise_if_the_appliance_is_unreachable_or_rejects_the_login(
    error: BackupctlError, clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock, part_size=[700, error])
    with pytest.raises(type(error)):
        bench.run(read_parts(bench.appliance))
