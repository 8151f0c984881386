"""Checking an archive, restoring from it, and reconciling the appliance afterwards."""

from typing import Any

from backupctl.simulator import backup_parts
from backupctl.simulator.api_errors import RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.backup_handlers import return_result
from backupctl.simulator.http_messages import API, REST
from backupctl.simulator.operation_routes import OperationCall, OperationRoute
from backupctl.simulator.refusals import not_found, refuse_if_busy, wrong_administrator
from backupctl.simulator.request_structures import RECONCILIATION_SPEC, RESTORE_CHECK, RESTORE_REQUEST
from backupctl.simulator.request_validation import broken_enum, location_problem
from backupctl.simulator.restore_runs import NOT_STARTED, metadata, misfits, warnings
from backupctl.simulator.stored_archives import StoredArchive, folder_of

_IDS = "com.vmware.applmgmt.backup_restore.restore"

_NOT_NOW = message(f"{_IDS}.not_allowed", "Restore is allowed only after deployment and before firstboot")
"""The words of the API reference; the id is UNCONFIRMED."""


def validate(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Return the metadata of an archive, and whether it can be restored here."""
    archive = _archive(state, call.body)
    problems = misfits(archive, state.release.version)
    if state.stage != "fresh":
        problems.append(_NOT_NOW)
    sso = True if "restore-sso" in state.release.features else None
    remarks = problems + warnings(archive, state.release.version)
    return metadata(archive, remarks, fits=not problems, sso=sso)


def create(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Start a restore, of a freshly deployed appliance only; after a failed one it may be tried again (UNCONFIRMED)."""
    refuse_if_busy(state)
    if state.stage != "fresh":
        raise RefusedError("not_allowed_in_current_state", _NOT_NOW)
    archive = _archive(state, call.body)
    problems = misfits(archive, state.release.version)
    complaint = wrong_administrator(state, call.body)
    if problems or complaint:
        raise RefusedError("error", *problems, *([complaint] if complaint else []))
    ignored = call.body.get("ignore_warnings", False)
    wanted = tuple(call.body["parts"]) if "parts" in call.body else None
    restore = state.start_restore(wanted, [] if ignored else warnings(archive, state.release.version))
    return restore.status(state.moment)


def get_job(state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Return how the restore goes; on an appliance that was never restored this is an error with a poor text."""
    if state.restore is not None:
        return state.restore.status(state.moment)
    if state.stage == "fresh":
        return NOT_STARTED
    raise _no_restore()


def cancel(state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Cancel the restore that runs; an ended one cannot be cancelled (UNCONFIRMED: FAIL)."""
    if state.restore is None:
        raise _no_restore()
    if state.restore.ended(state.moment):
        return return_result("FAIL", [message(f"{_IDS}.not_running", "The restore job is not running.")])
    state.restore.cancel(state.moment)
    return return_result("OK", [])


def reconcile(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Start a reconciliation, after a restore only."""
    refuse_if_busy(state)
    if state.stage != "restored":
        text = "Reconciliation is allowed only after restore has finished successfully."
        raise RefusedError("not_allowed_in_current_state", message(f"{_IDS}.reconcile_not_allowed", text))
    complaint = wrong_administrator(state, call.body)
    if complaint:
        raise RefusedError("invalid_argument", complaint)
    return state.start_reconciliation().info(state.moment)


def get_reconciliation(state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Return how the reconciliation goes, or how it ended."""
    if state.reconciliation is None:
        raise not_found("Reconciliation", "job")
    return state.reconciliation.info(state.moment)


def _archive(state: ApplianceState, request: dict[str, Any]) -> StoredArchive:
    """Return the archive that a request means; refuses one that is not there, not readable, or lacks a part."""
    unknown = broken_enum(request, state.release)
    if unknown:
        raise RefusedError("invalid_argument", unknown)
    location = request["location"]
    problem = location_problem(request["location_type"], location)
    archive = None if problem else state.archives.get(folder_of(location))
    if archive is None:
        text = problem or f"There is no backup at {location}."
        raise RefusedError("error", message(f"{_IDS}.no_backup", text, location))
    if archive.encrypted and "backup_password" not in request:
        raise RefusedError("error", message(f"{_IDS}.encrypted", "The backup is encrypted: its password is needed."))
    for part in request.get("parts", ()):
        if part not in backup_parts.PARTS or not backup_parts.PARTS[part].standalone:
            raise RefusedError("invalid_argument", message(f"{_IDS}.part", f"Part {part} is not standalone.", part))
        if part not in archive.parts:
            raise not_found("Part", part)
    return archive


def _no_restore() -> RefusedError:
    """Return the plain error of an appliance without a restore; its text is UNCONFIRMED, and known to be no help."""
    return RefusedError("error", message(f"{_IDS}.status", "Failed to get the status of the restore job."))


_VALIDATE: dict[str, Any] = {"phase": "validate", "body": RESTORE_CHECK, "wrapper": "piece"}
_RESTORE = "/appliance/recovery/restore"
_JOB = f"{_RESTORE}/job"
_RECONCILIATION = "/appliance/recovery/reconciliation/job"

ROUTES: tuple[OperationRoute, ...] = (
    OperationRoute("POST", f"{_RESTORE}/validate", validate, families=(REST,), **_VALIDATE),
    OperationRoute("POST", _RESTORE, validate, families=(API,), action="validate", **_VALIDATE),
    OperationRoute("POST", _JOB, create, phase="create", creates=True, body=RESTORE_REQUEST, wrapper="piece"),
    OperationRoute("GET", _JOB, get_job, phase="poll"),
    OperationRoute("POST", f"{_JOB}/cancel", cancel, families=(REST,), phase="cancel"),
    OperationRoute("POST", _JOB, cancel, families=(API,), action="cancel", phase="cancel"),
    OperationRoute(
        "POST",
        _RECONCILIATION,
        reconcile,
        phase="create",
        creates=True,
        feature="reconciliation",
        body=RECONCILIATION_SPEC,
        wrapper="spec",
    ),
    OperationRoute("GET", _RECONCILIATION, get_reconciliation, phase="poll", feature="reconciliation"),
)
