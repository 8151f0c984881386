"""Operations against hostile responses: each returns a value or raises a BackupctlError, and nothing else."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from backupctl.api.recovery_api import RecoveryApi
from backupctl.errors import BackupctlError, BugError
from backupctl.location import Location
from backupctl.models import (
    ArchiveFilter,
    BackupRequest,
    LocationSpec,
    ReconciliationSpec,
    RecurrenceInfo,
    RestoreRequest,
    ScheduleSpec,
)
from backupctl.secrets.secret import Secret
from tests.support.clock import FakeClock
from tests.support.fuzz_report import FuzzCounts, Show, note_round
from tests.support.fuzz_transport import LOGINS, FuzzExchange, FuzzTransport
from tests.support.fuzz_values import TEXTS
from tests.support.scripted_transport import TOKEN, api_over

JOB: Final = "20260301-020000-24091160"
LOCATION: Final = LocationSpec(
    location=Location.parse("sftp://b.example.com/vc"), location_user="b", location_password=Secret("l")
)
BACKUP: Final = BackupRequest(parts=("common",), location_type="SFTP", location=LOCATION.location)
RESTORE: Final = RestoreRequest(location_type="SFTP", location=LOCATION.location)
SPEC: Final = ScheduleSpec(location=LOCATION.location, recurrence_info=RecurrenceInfo(hour=1, minute=2))
MESSAGE: Final = {"id": "com.vmware.m", "default_message": "Almost full.", "args": ["90"], "localized": "fast voll"}
TIME: Final = "2026-03-01T02:00:00.000Z"
STATUS: Final = {"id": JOB, "state": "INPROGRESS", "progress": 12, "messages": [MESSAGE]} | {
    "start_time": TIME,
    "end_time": TIME,
}
DETAILS: Final = {
    "status": "RUNNING",
    "type": "MANUAL",
    "location": "sftp://b.example.com/vc",
    "location_user": "b",
    "duration": 60,
    "size": 1073741824,
    "progress": {"total": 100, "completed": 12, "message": MESSAGE},
    "messages": [MESSAGE],
    "build": {"version_name": "VC", "version": "8.0.2.00100", "build_number": "22617221"},
    "start_time": TIME,
    "end_time": TIME,
    "user": "VSPHERE.LOCAL\\Administrator",
}
SCHEDULE: Final = {
    "location": "sftp://b.example.com/vc",
    "location_user": "b",
    "parts": ["common"],
    "enable": True,
    "recurrence_info": {"hour": 1, "minute": 2, "days": ["MONDAY"]},
    "retention_info": {"max_count": 7},
    "fast_backup": False,
}
PART: Final = {"id": "seat", "name": MESSAGE, "description": MESSAGE, "selected_by_default": True, "optional": True}
RESULT: Final = {"status": "OK", "messages": [MESSAGE]}
METADATA: Final = {
    "timestamp": TIME,
    "parts": ["common"],
    "version": "8",
    "boxname": "vc",
    "sso_login_required": True,
    "comment": "c",
    "applicable": True,
    "messages": [MESSAGE],
}
ARCHIVE: Final = {"archive": "S_1", "timestamp": TIME, "version": "8", "comment": "c"}
ARCHIVE_INFO: Final = ARCHIVE | {"location": "sftp://b/vc", "parts": ["common"], "system_name": "sn"}
HEALTH: Final = {"status": "HEALTHY", "messages": [{"severity": "x", "message": MESSAGE}]}
SETTINGS: Final = {"db_health_check_state_manual_backup": True, "db_health_check_state_scheduled_backup": True}
VERSION: Final = {"version": "8", "build": "1", "product": "p"}
RECONCILIATION: Final = RESULT | {"progress": 3}


@dataclass(frozen=True)
class Operation:
    """An operation with the name of an object, its good response, and its path in each family."""

    call: Callable[[RecoveryApi, str], object]
    value: Any
    path: str
    rest_path: str = ""

    def answer(self, request: httpx.Request) -> tuple[int, Any]:
        """Return the response of a good appliance."""
        if request.url.path in LOGINS:
            token = {"value": TOKEN} if LOGINS[request.url.path] else TOKEN
            return (200, token) if request.method == "POST" else (204, None)
        if not request.url.path.startswith("/rest/"):
            return 200, self.value
        is_map = isinstance(self.value, dict) and set(self.value) <= {JOB, "default"}
        value = [{"key": key, "value": each} for key, each in self.value.items()] if is_map else self.value
        return 200, {"value": value}

    def matches(self, request: httpx.Request, name: str) -> bool:
        """Return whether a request is for exactly this operation."""
        family, _, path = request.url.raw_path.decode().partition("?")[0][1:].partition("/")
        expected = self.rest_path if family == "rest" and self.rest_path else self.path
        named = expected.format(quote(name, safe="*"))
        return family in {"rest", "api"} and path == f"appliance/{named}"


JOBS: Final = "recovery/backup/job"
ONE_JOB: Final = f"{JOBS}/{{}}"
SCHEDULES: Final = "recovery/backup/schedules"
ONE_SCHEDULE: Final = f"{SCHEDULES}/{{}}"
SYSTEMS: Final = "recovery/backup/system-name"
TO_RESTORE: Final = "recovery/restore"
OPERATIONS: Final = (
    Operation(lambda api, _: api.version(), VERSION, "system/version"),
    Operation(lambda api, _: api.recovery_supported(), {"supported": True}, "recovery"),
    Operation(lambda api, _: api.system_health(), "green", "health/system"),
    Operation(lambda api, _: api.time_zone(), "Etc/UTC", "system/time/timezone"),
    Operation(lambda api, _: api.database_health(), HEALTH, "health/database"),
    Operation(lambda api, _: api.health_settings(), SETTINGS, "health/settings"),
    Operation(lambda api, _: api.create_job(BACKUP), STATUS, JOBS),
    Operation(lambda api, _: api.jobs(), [JOB, "20260228-020000-24091160"], JOBS),
    Operation(lambda api, name: api.job(name), STATUS, ONE_JOB),
    Operation(lambda api, _: api.job(JOB), STATUS, f"{JOBS}/{JOB}"),
    Operation(lambda api, name: api.job_details([name]), {JOB: DETAILS}, f"{JOBS}/details"),
    Operation(lambda api, _: api.job_details(), {JOB: DETAILS}, f"{JOBS}/details"),
    Operation(lambda api, name: api.cancel_job(name), RESULT, ONE_JOB, f"{ONE_JOB}/cancel"),
    Operation(lambda api, _: api.parts(), [PART], "recovery/backup/parts"),
    Operation(lambda api, name: api.part_size(name), 123, "recovery/backup/parts/{}"),
    Operation(lambda api, _: api.validate(BACKUP), RESULT, "recovery/backup", "recovery/backup/validate"),
    Operation(lambda api, _: api.schedules(), {"default": SCHEDULE}, SCHEDULES),
    Operation(lambda api, name: api.schedule(name), SCHEDULE, ONE_SCHEDULE),
    Operation(lambda api, name: api.create_schedule(name, SPEC), None, SCHEDULES, ONE_SCHEDULE),
    Operation(lambda api, name: api.update_schedule(name, SPEC), None, ONE_SCHEDULE, f"{SCHEDULES}/update/{{}}"),
    Operation(lambda api, name: api.delete_schedule(name), None, ONE_SCHEDULE),
    Operation(lambda api, name: api.run_schedule(name), STATUS, ONE_SCHEDULE),
    Operation(lambda api, _: api.system_names(LOCATION), ["sn_vc"], SYSTEMS),
    Operation(lambda api, name: api.archives(LOCATION, name, ArchiveFilter()), [ARCHIVE], f"{SYSTEMS}/{{}}/archives"),
    Operation(lambda api, name: api.archive(LOCATION, name, "S_1"), ARCHIVE_INFO, f"{SYSTEMS}/{{}}/archives/S_1"),
    Operation(lambda api, _: api.validate_restore(RESTORE), METADATA, TO_RESTORE, f"{TO_RESTORE}/validate"),
    Operation(lambda api, _: api.create_restore(RESTORE), STATUS, f"{TO_RESTORE}/job"),
    Operation(lambda api, _: api.restore_job(), STATUS, f"{TO_RESTORE}/job"),
    Operation(lambda api, _: api.cancel_restore(), RESULT, f"{TO_RESTORE}/job", f"{TO_RESTORE}/job/cancel"),
    Operation(
        lambda api, _: api.create_reconciliation(ReconciliationSpec()), RECONCILIATION, "recovery/reconciliation/job"
    ),
    Operation(lambda api, _: api.reconciliation(), RECONCILIATION, "recovery/reconciliation/job"),
)

CALLS_IN_A_ROW: Final = 12
MOST_REQUESTS_OF_A_CALL: Final = 4
"""An expired session, then an operation of the other family only, and an expired session there."""
LONGEST_CALL: Final = 10 * 320.0
"""Seconds: those requests and their logins, each with its own limit."""


def run_calls(random: Random, counts: FuzzCounts) -> None:
    """Call a dozen operations of one hostile appliance, and check each."""
    clock = FakeClock()
    hostility, login_hostility = random.choice(((0.1, 0.05), (0.6, 0.1), (1.0, 0.1), (1.0, 1.0)))
    line = FuzzTransport(random, clock, OPERATIONS[0].answer, hostility=hostility, login_hostility=login_hostility)
    family, basic = random.choice(((None, False), (None, False), ("rest", False), ("api", False), (None, True)))
    api = api_over(line, clock, family=family, basic=basic)
    for _ in range(CALLS_IN_A_ROW):
        operation = random.choice(OPERATIONS)
        name = JOB if random.random() < 0.7 else random.choice(TEXTS)
        line.honest = operation.answer
        before, began = len(line.exchanges), clock.elapsed
        try:
            value = operation.call(api, name)
            end = "value"
            assert_value_is_about(operation, value, name)
        except BackupctlError as error:
            end = type(error).__name__
        counts.ends[end] += 1
        assert end != BugError.__name__
        assert line.violations == []
        assert clock.elapsed - began <= LONGEST_CALL
        assert_requests_are_allowed(operation, line.exchanges[before:], name)
    api.log_out()
    api.close()
    assert line.violations == []
    counts.answers += line.consumed


def assert_value_is_about(operation: Operation, value: object, name: str) -> None:
    """Check that a status is that of the requested job."""
    if operation.path == ONE_JOB and hasattr(value, "id"):
        assert value.id in {"", name}


def assert_requests_are_allowed(operation: Operation, exchanges: Sequence[FuzzExchange], name: str) -> None:
    """Check that only this operation was requested, and again only after a definite refusal with at most one login."""
    asked = [index for index, each in enumerate(exchanges) if each.kind == "operation"]
    assert len(asked) <= MOST_REQUESTS_OF_A_CALL
    for index in asked:
        assert operation.matches(exchanges[index].request, name), exchanges[index].request
    for first, second in itertools.pairwise(asked):
        assert exchanges[first].status in {401, 404}
        assert sum(each.kind == "login" for each in exchanges[first:second]) <= 1


def run_seed(seed: int, counts: FuzzCounts) -> None:
    with note_round(f"the seed {seed}"):
        run_calls(Random(seed), counts)


def test_operations_with_a_few_hostile_answers_raise_only_own_errors() -> None:
    counts = FuzzCounts()
    for seed in range(3):
        run_seed(seed, counts)
    assert counts.answers >= CALLS_IN_A_ROW


@pytest.mark.exhaustive
def test_operations_with_many_hostile_answers_raise_only_own_errors(fuzz_answers: int, show: Show) -> None:
    counts = FuzzCounts()
    for seed in itertools.count():
        run_seed(seed, counts)
        if counts.answers >= fuzz_answers:
            break
    show(f"by the seeds 0 to {seed}: {counts}")
