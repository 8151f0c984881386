"""The oracle finds violations: correct runs whose records are edited afterwards are rejected."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.adversary.faults import Fault, ObservedRequest
from tests.adversary.oracle import OTHERWISE_SECONDS, violations
from tests.adversary.play import Record, run_scenario
from tests.adversary.scenario import LOCATION, Scenario, undisturbed
from tests.adversary.service import USER, Habits

pytestmark = pytest.mark.real

Edit = Callable[[Record], Record]


def _reported(record: Record, code: int, slug: str = "", *, job: Any = None, **error: Any) -> Record:
    """Return the record with another result of the program."""
    default: dict[str, Any] = {"slug": slug, "message": slug, "hint": None, "details": [], "attach": None}
    reported = default | error if code else None
    result = {"server": "vc01", "exit_code": code, "error": reported, "job": job}
    document = {"schema": 1, "command": "create", "exit_code": code, "error": reported, "results": [result]}
    return replace(record, code=code, out=json.dumps(document), err="")


def _old_job(record: Record) -> Record:
    return _reported(record, 0, job={"id": record.truth.jobs[0].id})


def _second_job(record: Record) -> Record:
    record.truth.now = 10_000.0
    record.truth.start_job(ours=True, location=LOCATION, user=USER)
    return record


def _sent_twice(record: Record) -> Record:
    sent = next(each for each in record.server.wire.requests if each.request.label in {"create", "restore"})
    record.server.wire.requests.append(replace(sent, status=401, vapi=True))
    return record


def _job_failed(record: Record) -> Record:
    record.truth.ours[0].outcome = "FAILED"
    return record


def _details_failed(record: Record) -> Record:
    for observed in record.server.wire.requests:
        for details in observed.details.values():
            details["status"] = "FAILED"
    return replace(record, scenario=replace(record.scenario, habits=Habits(details="contradicting")))


def _session_left(record: Record) -> Record:
    observed: list[ObservedRequest] = record.server.wire.requests
    observed[:] = [each for each in observed if each.request.label != "logout"]
    record.truth.sessions.update(record.truth.opened)
    return record


def _nothing_left(record: Record) -> Record:
    record.truth.jobs[:] = [job for job in record.truth.jobs if not job.ours]
    return record


CREATE: Final = undisturbed("create", timeout=600.0)
EDITED_RECORDS: Final[dict[str, tuple[Scenario, Edit, str]]] = {
    "0 for an old job": (CREATE, _old_job, "claimed"),
    "0 for a job that failed": (CREATE, _job_failed, "claimed"),
    "0 where details say FAILED": (CREATE, _details_failed, "claimed"),
    "0 without a job": (CREATE, lambda record: _reported(record, 0), "claimed"),
    "0 for a job that is not there": (CREATE, lambda record: _reported(record, 0, job={"id": "x"}), "claimed"),
    "0 for nothing": (CREATE, _nothing_left, "claimed"),
    "7 for a job that succeeded": (
        CREATE,
        lambda record: _reported(record, 7, "backup-failed", job={"id": record.job_id}),
        "claimed",
    ),
    "two jobs": (CREATE, _second_job, "doubled"),
    "two requests": (CREATE, _sent_twice, "doubled"),
    "two restores": (undisturbed("restore create"), _sent_twice, "doubled"),
    "not started": (
        CREATE,
        lambda record: _reported(record, 5, "not-started", message="no backup was started"),
        "lost",
    ),
    "refused": (CREATE, lambda record: _reported(record, 6, "api"), "lost"),
    "busy with our own": (CREATE, lambda record: _reported(record, 9, "busy"), "lost"),
    "detached without its name": (CREATE, lambda record: _reported(record, 130, "interrupted"), "lost"),
    "a restore refused": (undisturbed("restore create"), lambda record: _reported(record, 6, "api"), "lost"),
    "unknown without a way out": (CREATE, lambda record: _reported(record, 5, "outcome-unknown"), "form"),
    "a schedule that is not changed": (
        undisturbed("schedule disable", Fault("schedule-update", "status", status=503, works="no")),
        lambda record: _reported(record, 0),
        "schedule",
    ),
    "a schedule that is changed": (
        undisturbed("schedule disable"),
        lambda record: _reported(record, 6, "api"),
        "schedule",
    ),
    "a schedule that is still there": (
        undisturbed("schedule delete", Fault("schedule-delete", "status", status=503, works="no")),
        lambda record: _reported(record, 0),
        "schedule",
    ),
    "a session": (CREATE, _session_left, "session"),
    "time": (CREATE, lambda record: replace(record, seconds=OTHERWISE_SECONDS + 1), "hang"),
    "time after a signal": (CREATE, lambda record: replace(record, signalled=10.0), "hang"),
    "real time": (CREATE, lambda record: replace(record, real_seconds=60.0), "hang"),
    "a bug": (CREATE, lambda record: _reported(record, 1, "bug"), "bug"),
    "a traceback": (CREATE, lambda record: replace(record, err="Traceback (most recent call last):"), "bug"),
    "an unknown line on standard error": (CREATE, lambda record: replace(record, err="Exception ignored in x"), "form"),
    "no envelope": (CREATE, lambda record: replace(record, out="done"), "form"),
    "another code": (CREATE, lambda record: replace(record, code=5), "form"),
}


@pytest.mark.parametrize(("scenario", "edit", "column"), EDITED_RECORDS.values(), ids=EDITED_RECORDS)
def test_oracle_finds_the_violation_in_an_edited_record(scenario: Scenario, edit: Edit, column: str) -> None:
    record = run_scenario(scenario)
    assert column not in {found for found, _ in violations(record)}
    assert column in {found for found, _ in violations(edit(record))}
