"""Handlers of backups: start, list, show, cancel, validate, and the parts."""

import zlib
from collections.abc import Mapping
from typing import Any

from backupctl.simulator.api_errors import Message, RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.archive_names import archive_location
from backupctl.simulator.backup_parts import PARTS, part_summary
from backupctl.simulator.backup_runs import LOCATION_NOT_EMPTY, BackupRun, BackupSpec, as_uri
from backupctl.simulator.http_messages import API, REST
from backupctl.simulator.operation_routes import OperationCall, OperationRoute
from backupctl.simulator.refusals import not_configured, not_found, refuse_if_busy, refuse_if_fresh
from backupctl.simulator.request_bodies import Structure
from backupctl.simulator.request_structures import BACKUP_REQUEST, VALIDATE_REQUEST
from backupctl.simulator.request_validation import request_problems, unknown_location_type
from backupctl.simulator.response_envelopes import KeyedMap

_IDS = "com.vmware.applmgmt.backup_restore"

_ODD_USERS: Mapping[str, str] = {
    "root": "root",
    "dn": "CN=Administrator,CN=Users,DC=vsphere,DC=local",
    "sid": "S-1-5-21-3623811015-3361044348-30300820-1013",
    "empty": "",
}
"""The user of every job, by the choice of the fault ``odd-user``."""


def create(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Start a backup; a location that cannot be used fails the job later, not this request."""
    request = _checked_request(state, call)
    refuse_if_fresh(state)
    found = request_problems(request, state.release)
    if found:
        raise RefusedError("invalid_argument", *found)
    job = state.start_backup(backup_spec(request), user=call.user)
    return job.status(state.moment)


def validate(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Check a request and start nothing; a failed check is 200 with the status FAIL."""
    request = _checked_request(state, call)
    found = request_problems(request, state.release)
    if state.location_is_used(request["location"]):
        found.append(LOCATION_NOT_EMPTY)
    if state.stage == "fresh":
        found.append(not_configured())
    if state.faults.find("validate-fail"):
        found.append(message(f"{_IDS}.access_denied", "Access to the remote server is denied. Check your credentials."))
    return return_result("FAIL" if found else "OK", found)


def list_jobs(state: ApplianceState, _call: OperationCall) -> list[str]:
    """Return the ids of all jobs, newest first; faults omit new jobs, or all but the oldest."""
    stale = state.faults.find("stale-list")
    least_age = stale.seconds or 0.0 if stale else 0.0
    listed = [job.job_id for job in reversed(state.jobs) if state.moment - job.started >= least_age]
    return listed[-1:] if state.faults.find("oldest-only") else listed


def get_job(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Return the status of one job."""
    return _job(state, call).status(state.moment)


def cancel_job(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Cancel a job, which ends FAILED soon after; FAIL for one that has ended is UNCONFIRMED."""
    job = _job(state, call)
    if job.ended(state.moment):
        return return_result("FAIL", [message(f"{_IDS}.not_running", f"Backup job {job.job_id} is not running.")])
    job.cancel(state.moment)
    return return_result("OK", [])


def list_details(state: ApplianceState, call: OperationCall) -> KeyedMap:
    """Return the details of all jobs, or of those in the filter; an unknown id has no entry.

    The order of a map means nothing. Here it is the order of checksums, so clients that rely on another one fail.
    """
    selected = _job_filter(call)
    jobs = sorted(
        (job for job in state.jobs if selected is None or job.job_id in selected),
        key=lambda job: zlib.crc32(job.job_id.encode()),
    )
    return KeyedMap({job.job_id: _details(state, job) for job in jobs})


def _details(state: ApplianceState, job: BackupRun) -> dict[str, Any]:
    view = job.details(state.moment)
    odd_user = state.faults.find("odd-user")
    if odd_user and "user" in view:
        view["user"] = _ODD_USERS[odd_user.choice]
    if state.faults.find("archive-location"):
        view["location"] = as_uri(archive_location(job, state.host))
    return view


def list_parts(state: ApplianceState, _call: OperationCall) -> list[dict[str, Any]]:
    """Return the parts that can be backed up."""
    return [part_summary(PARTS[part_id], state.release) for part_id in state.release.part_ids]


def get_part_size(state: ApplianceState, call: OperationCall) -> int:
    """Return the size of a part in MB; an unknown part is a plain ``error``, as 404 is not declared."""
    part_id = call.path["part"]
    if part_id not in state.release.part_ids:
        raise RefusedError("error", message(f"{_IDS}.unknown_part", f"Part {part_id} is not supported.", part_id))
    return PARTS[part_id].size_mb


def backup_spec(request: Mapping[str, Any]) -> BackupSpec:
    """Return the specification in a valid request."""
    return BackupSpec(
        location_type=request["location_type"],
        location=request["location"],
        location_user=request.get("location_user", ""),
        parts=tuple(request["parts"]),
        comment=request.get("comment", ""),
        encrypted="backup_password" in request,
        fast_backup=request.get("fast_backup"),
    )


def return_result(status: str, messages: list[Message]) -> dict[str, Any]:
    """Return ReturnResult; ``status`` is OK, WARNING or FAIL."""
    return {"status": status, "messages": messages}


def _checked_request(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Return the request. Raises ``RefusedError``: for an unknown location type, or while a job is running."""
    unknown = unknown_location_type(call.body, state.release)
    if unknown:
        raise RefusedError("invalid_argument", unknown)
    refuse_if_busy(state)
    return call.body


def _job(state: ApplianceState, call: OperationCall) -> BackupRun:
    job_id = call.path["job"]
    job = state.backups.find(job_id)
    if job is None:
        raise not_found("Backup job", job_id)
    return job


def _job_filter(call: OperationCall) -> set[str] | None:
    """Return the ids in the filter, None without one.

    In /rest it is ``filter.jobs.1=A`` or ``filter.jobs=A`` (source of the latter: the OpenAPI file of 6.7 in VMware's
    vsphere-automation-sdk-ruby), in /api ``jobs=A``; all may be repeated.
    """
    if call.family == API:
        return set(call.query["jobs"]) if "jobs" in call.query else None
    plain = call.query.get("filter.jobs", [])
    indexed = [value for name, values in call.query.items() if name.startswith("filter.jobs.") for value in values]
    return {*plain, *indexed} or None


_BACKUP = "/appliance/recovery/backup"
_JOB = f"{_BACKUP}/job"
_PARTS = f"{_BACKUP}/parts"


def _piece(structure: Structure) -> dict[str, Any]:
    return {"body": structure, "wrapper": "piece"}


_VALIDATE: dict[str, Any] = {"phase": "validate", **_piece(VALIDATE_REQUEST)}

ROUTES: tuple[OperationRoute, ...] = (
    OperationRoute("POST", _JOB, create, phase="create", creates=True, **_piece(BACKUP_REQUEST)),
    OperationRoute("GET", _JOB, list_jobs, phase="list"),
    OperationRoute("GET", f"{_JOB}/details", list_details, phase="poll", feature="details"),
    OperationRoute("GET", f"{_JOB}/{{job}}", get_job, phase="poll"),
    OperationRoute("POST", f"{_JOB}/{{job}}/cancel", cancel_job, families=(REST,), phase="cancel"),
    OperationRoute("POST", f"{_JOB}/{{job}}", cancel_job, families=(API,), action="cancel", phase="cancel"),
    OperationRoute("POST", f"{_BACKUP}/validate", validate, families=(REST,), **_VALIDATE),
    OperationRoute("POST", _BACKUP, validate, families=(API,), action="validate", **_VALIDATE),
    OperationRoute("GET", _PARTS, list_parts, phase="parts"),
    OperationRoute("GET", f"{_PARTS}/{{part}}", get_part_size, phase="parts"),
)
