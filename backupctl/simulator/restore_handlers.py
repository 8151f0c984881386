"""Handlers of restore and reconciliation: validate, start, show, cancel."""

from typing import Any

from backupctl.simulator.api_errors import RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.archive_names import StoredArchive, folder_of
from backupctl.simulator.backup_handlers import return_result
from backupctl.simulator.backup_parts import PARTS
from backupctl.simulator.http_messages import API, REST
from backupctl.simulator.operation_routes import OperationCall, OperationRoute
from backupctl.simulator.refusals import not_found, refuse_if_busy, wrong_sso_credentials
from backupctl.simulator.request_structures import RECONCILIATION_SPEC, RESTORE_CHECK, RESTORE_REQUEST
from backupctl.simulator.request_validation import location_problem, unknown_location_type
from backupctl.simulator.restore_runs import NOT_STARTED, metadata, version_problems, warnings

_IDS = "com.vmware.applmgmt.backup_restore.restore"

_NOT_ALLOWED = message(f"{_IDS}.not_allowed", "Restore is allowed only after deployment and before firstboot")
"""The text is from the API reference; the id is UNCONFIRMED."""


def validate(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Return the metadata of an archive, and whether it can be restored to this appliance."""
    archive = _archive(state, call.body)
    problems = version_problems(archive, state.release.version)
    if state.stage != "fresh":
        problems.append(_NOT_ALLOWED)
    view = metadata(archive, problems + warnings(archive, state.release.version), applicable=not problems)
    if "restore-sso" in state.release.features:
        view["sso_login_required"] = True
    return view


def create(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Start a restore of a fresh appliance; that it can be retried after a failure is UNCONFIRMED."""
    refuse_if_busy(state)
    if state.stage != "fresh":
        raise RefusedError("not_allowed_in_current_state", _NOT_ALLOWED)
    archive = _archive(state, call.body)
    problems = version_problems(archive, state.release.version)
    wrong_sso = wrong_sso_credentials(state, call.body)
    if wrong_sso:
        problems.append(wrong_sso)
    if problems:
        raise RefusedError("error", *problems)
    ignored = call.body.get("ignore_warnings", False)
    parts = tuple(call.body["parts"]) if "parts" in call.body else None
    restore = state.start_restore(parts, [] if ignored else warnings(archive, state.release.version))
    return restore.status(state.moment)


def get_job(state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Return the status of the restore. Raises the plain ``error``: on an appliance that was never restored."""
    if state.restore is not None:
        return state.restore.status(state.moment)
    if state.stage == "fresh":
        return NOT_STARTED
    raise _no_restore()


def cancel(state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Cancel the restore; FAIL for one that has ended is UNCONFIRMED."""
    if state.restore is None:
        raise _no_restore()
    if state.restore.ended(state.moment):
        return return_result("FAIL", [message(f"{_IDS}.not_running", "The restore job is not running.")])
    state.restore.cancel(state.moment)
    return return_result("OK", [])


def reconcile(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Start a reconciliation, which a restored appliance allows."""
    refuse_if_busy(state)
    if state.stage != "restored":
        text = "Reconciliation is allowed only after restore has finished successfully."
        raise RefusedError("not_allowed_in_current_state", message(f"{_IDS}.reconcile_not_allowed", text))
    wrong_sso = wrong_sso_credentials(state, call.body)
    if wrong_sso:
        raise RefusedError("invalid_argument", wrong_sso)
    return state.start_reconciliation().info(state.moment)


def get_reconciliation(state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Return the status of the reconciliation."""
    if state.reconciliation is None:
        raise not_found("Reconciliation", "job")
    return state.reconciliation.info(state.moment)


def _archive(state: ApplianceState, request: dict[str, Any]) -> StoredArchive:
    """Return the archive in a request. Raises ``RefusedError``: when it is missing, unreadable, or lacks a part."""
    unknown = unknown_location_type(request, state.release)
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
        if part not in PARTS or not PARTS[part].standalone:
            raise RefusedError("invalid_argument", message(f"{_IDS}.part", f"Part {part} is not standalone.", part))
        if part not in archive.parts:
            raise not_found("Part", part)
    return archive


def _no_restore() -> RefusedError:
    """Return the error of an appliance without a restore: a plain ``error`` whose text does not help (UNCONFIRMED)."""
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
