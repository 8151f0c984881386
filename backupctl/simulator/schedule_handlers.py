"""Handlers of schedules: list, show, create, update, delete, run."""

from typing import Any

from backupctl.simulator.api_errors import RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.http_messages import API, REST
from backupctl.simulator.operation_routes import OperationCall, OperationRoute
from backupctl.simulator.refusals import not_found, refuse_if_busy, refuse_if_fresh
from backupctl.simulator.request_structures import NEW_SCHEDULE, RUN_INPUT, SCHEDULE_SPEC, SCHEDULE_UPDATE
from backupctl.simulator.request_validation import schedule_problems
from backupctl.simulator.response_envelopes import KeyedMap
from backupctl.simulator.schedule_entries import ScheduleEntry

_IDS = "com.vmware.applmgmt.backup_restore.schedule"


def list_schedules(state: ApplianceState, _call: OperationCall) -> KeyedMap:
    """Return all schedules: one or none."""
    return KeyedMap({name: schedule.info() for name, schedule in state.schedules.entries.items()})


def get_schedule(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Return one schedule, without its passwords."""
    return _schedule(state, call).info()


def create_in_rest(state: ApplianceState, call: OperationCall) -> None:
    """Create a schedule whose id is in the path."""
    _create(state, call.path["schedule"], call.body)


def create_in_api(state: ApplianceState, call: OperationCall) -> None:
    """Create a schedule whose id is in the body."""
    _create(state, call.body["schedule"], call.body["spec"])


def update_schedule(state: ApplianceState, call: OperationCall) -> None:
    """Change the fields that are given."""
    schedule = _schedule(state, call)
    _refuse_invalid(state, call.body)
    schedule.change(call.body, state.clock.now())


def delete_schedule(state: ApplianceState, call: OperationCall) -> None:
    """Delete a schedule; its archives stay."""
    del state.schedules.entries[_schedule(state, call).schedule_id]


def run_schedule(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Start a backup with the settings of the schedule; that its type is MANUAL is UNCONFIRMED."""
    schedule = _schedule(state, call)
    refuse_if_busy(state)
    refuse_if_fresh(state)
    job = state.start_backup(schedule.backup_spec(call.body.get("comment", "")), user=call.user)
    return job.status(state.moment)


def _create(state: ApplianceState, schedule_id: str, spec: dict[str, Any]) -> None:
    """Create the schedule. Raises ``already_exists``: when there is one, whatever its id.

    Ansible's module (vmware.vmware_rest, backup schedules) expects that error; the texts are UNCONFIRMED.
    """
    refuse_if_fresh(state)
    if not schedule_id:
        raise RefusedError("invalid_argument", message(f"{_IDS}.no_id", "The schedule has no identifier."))
    existing = state.schedules.entries
    if schedule_id in existing:
        text = f"Schedule {schedule_id} already exists."
        raise RefusedError("already_exists", message(f"{_IDS}.exists", text, schedule_id))
    if existing:
        text = f"Only one schedule can exist, and there is {next(iter(existing))} already."
        raise RefusedError("already_exists", message(f"{_IDS}.only_one", text, next(iter(existing))))
    _refuse_invalid(state, spec)
    state.schedules.create(schedule_id, spec, state.clock.now())


def _refuse_invalid(state: ApplianceState, spec: dict[str, Any]) -> None:
    found = schedule_problems(spec, state.release)
    if found:
        raise RefusedError("invalid_argument", *found)


def _schedule(state: ApplianceState, call: OperationCall) -> ScheduleEntry:
    schedule_id = call.path["schedule"]
    schedule = state.schedules.entries.get(schedule_id)
    if schedule is None:
        raise not_found("Schedule", schedule_id)
    return schedule


_ALL = "/appliance/recovery/backup/schedules"
_ONE = f"{_ALL}/{{schedule}}"
_SINCE: dict[str, Any] = {"feature": "schedules"}
_READ: dict[str, Any] = {"phase": "read-schedule", **_SINCE}
_WRITE: dict[str, Any] = {"phase": "write-schedule", **_SINCE}

ROUTES: tuple[OperationRoute, ...] = (
    OperationRoute("GET", _ALL, list_schedules, **_READ),
    OperationRoute("GET", _ONE, get_schedule, **_READ),
    OperationRoute("POST", _ONE, create_in_rest, families=(REST,), body=SCHEDULE_SPEC, wrapper="spec", **_WRITE),
    OperationRoute("POST", _ALL, create_in_api, families=(API,), body=NEW_SCHEDULE, **_WRITE),
    OperationRoute(
        "PUT",
        f"{_ALL}/update/{{schedule}}",
        update_schedule,
        families=(REST,),
        body=SCHEDULE_UPDATE,
        wrapper="spec",
        **_WRITE,
    ),
    OperationRoute("PATCH", _ONE, update_schedule, families=(API,), body=SCHEDULE_UPDATE, **_WRITE),
    OperationRoute("DELETE", _ONE, delete_schedule, **_WRITE),
    OperationRoute("POST", _ONE, run_schedule, action="run", phase="create", body=RUN_INPUT, **_SINCE),
)
