"""Handlers of archives: the systems at a backup location, and the archives of a system."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from backupctl.simulator.api_errors import RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.archive_names import StoredArchive, folder_of, systems_folder
from backupctl.simulator.http_messages import API, REST
from backupctl.simulator.operation_routes import OperationCall, OperationRoute
from backupctl.simulator.refusals import not_found
from backupctl.simulator.request_structures import ARCHIVES_INPUT, ARCHIVES_QUERY, LOCATION_SPEC
from backupctl.simulator.request_validation import url_problem
from backupctl.simulator.simulated_runs import timestamp

MAX_RESULTS = 128
"""Archives listed by default (``max_results`` of Archive.FilterSpec in VMware's API reference)."""


def list_systems(state: ApplianceState, call: OperationCall) -> list[str]:
    """Return the ids of the systems with archives at a location."""
    return sorted({archive.system for archive in _at_location(state, call.body["location"])})


def list_archives(state: ApplianceState, call: OperationCall) -> list[dict[str, Any]]:
    """Return the archives of a system that match the filter, newest first."""
    conditions = call.body.get("filter_spec", {})
    limit = conditions.get("max_results", MAX_RESULTS)
    if limit < 0:
        raise RefusedError("error", message("com.vmware.applmgmt.backup_restore.max_results", "Invalid max_results."))
    archives = _of_system(state, call, call.body["loc_spec"])
    return [_summary(archive) for archive in archives if _matches(archive, conditions)][:limit]


def get_archive(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Return one archive; that its ``location`` is its own folder, ready to be restored, is UNCONFIRMED."""
    name, base = call.path["archive"], call.body["location"]
    found = next((archive for archive in _of_system(state, call, call.body) if archive.name == name), None)
    if found is None:
        raise not_found("Archive", name)
    folders = "/".join(quote(folder) for folder in found.folder[len(folder_of(base)) :])
    return {
        "timestamp": timestamp(found.completed),
        "location": f"{base.rstrip('/')}/{folders}",
        "parts": list(found.parts),
        "version": found.version,
        "system_name": found.system,
        "comment": found.comment,
    }


def _summary(archive: StoredArchive) -> dict[str, Any]:
    return {
        "archive": archive.name,
        "timestamp": timestamp(archive.started),
        "version": archive.version,
        "comment": archive.comment,
    }


def _matches(archive: StoredArchive, conditions: Mapping[str, Any]) -> bool:
    """Return whether an archive meets all conditions; both timestamps are inclusive."""
    # Clients compare with the timestamp that they were given, which is in milliseconds.
    started = archive.started.replace(microsecond=archive.started.microsecond // 1000 * 1000)
    return (
        conditions.get("start_timestamp", started) <= started <= conditions.get("end_timestamp", started)
        and conditions.get("comment_substring", "") in archive.comment
    )


def _of_system(state: ApplianceState, call: OperationCall, spec: Mapping[str, Any]) -> list[StoredArchive]:
    system = call.path["system"]
    archives = [archive for archive in _at_location(state, spec["location"]) if archive.system == system]
    if not archives and not state.archives.has_folder((*systems_folder(folder_of(spec["location"])), system)):
        raise not_found("System", system)
    return archives


def _at_location(state: ApplianceState, location: str) -> list[StoredArchive]:
    problem = url_problem(location, state.release)
    if problem:
        text = f"Location {location}: {problem}"
        raise RefusedError("error", message("com.vmware.applmgmt.backup_restore.invalid.location", text, location))
    folder = folder_of(location)
    if not state.archives.has_folder(folder):
        raise not_found("Location", location)
    return state.archives.list_archives(folder)


_SYSTEMS = "/appliance/recovery/backup/system-name"
_ARCHIVES = f"{_SYSTEMS}/{{system}}/archives"
_ARCHIVE = f"{_ARCHIVES}/{{archive}}"
_IN_REST: dict[str, Any] = {"families": (REST,), "feature": "archives", "phase": "archive"}
_IN_API: dict[str, Any] = {"families": (API,), "feature": "archives", "phase": "archive"}

ROUTES: tuple[OperationRoute, ...] = (
    OperationRoute("GET", _SYSTEMS, list_systems, body=LOCATION_SPEC, wrapper="loc_spec", **_IN_REST),
    OperationRoute("GET", _ARCHIVES, list_archives, body=ARCHIVES_QUERY, **_IN_REST),
    OperationRoute("GET", _ARCHIVE, get_archive, body=LOCATION_SPEC, wrapper="spec", **_IN_REST),
    OperationRoute("POST", _SYSTEMS, list_systems, action="list", body=LOCATION_SPEC, **_IN_API),
    OperationRoute("POST", _ARCHIVES, list_archives, action="list", body=ARCHIVES_INPUT, **_IN_API),
    OperationRoute("POST", _ARCHIVE, get_archive, action="get", body=LOCATION_SPEC, **_IN_API),
)
"""The specification of /rest puts the password of the location into the query."""
