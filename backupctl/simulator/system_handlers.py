"""Handlers of the system: version, health, time, and whether backups are supported."""

from typing import Any

from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.database_health import health_info
from backupctl.simulator.operation_routes import OperationCall, OperationRoute
from backupctl.simulator.request_structures import HEALTH_SETTINGS
from backupctl.simulator.simulated_runs import timestamp

HEALTH_ITEMS = (
    "system",
    "load",
    "mem",
    "swap",
    "storage",
    "applmgmt",
    "database-storage",
    "software-packages",
)
"""Items with a health of their own, besides the database."""


def version(state: ApplianceState, _call: OperationCall) -> dict[str, str]:
    """Return product, version and build; ``summary`` and ``releasedate`` are empty on an unpatched appliance."""
    return {
        "version": state.release.version,
        "product": "VMware vCenter Server",
        "build": state.release.build,
        "type": "vCenter Server with an embedded Platform Services Controller",
        "summary": "",
        "releasedate": "",
        "install_time": "2025-01-15T08:30:00.000Z",
    }


def recovery(_state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Return whether the appliance supports backups."""
    return {"supported": True}


def health_of_item(_state: ApplianceState, _call: OperationCall) -> str:
    """Return the health of one item: green, yellow, orange, red or gray; here always green."""
    return "green"


def last_check(state: ApplianceState, _call: OperationCall) -> str:
    """Return the time of the last health check: the last full minute (UNCONFIRMED)."""
    return timestamp(state.clock.now().replace(second=0, microsecond=0))


def system_time(state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Return the time of the clock, as a number and as text."""
    now = state.clock.now()
    return {
        "seconds_since_epoch": now.timestamp(),
        "date": f"{now:%a %m-%d-%Y}",
        "time": f"{now:%I:%M:%S %p}",
        "timezone": state.schedules.time_zone,
    }


def time_zone(state: ApplianceState, _call: OperationCall) -> str:
    """Return the name of the time zone."""
    return state.schedules.time_zone


def get_database_health(state: ApplianceState, _call: OperationCall) -> dict[str, Any]:
    """Return the health of the database."""
    return health_info(state.database_status)


def get_settings(state: ApplianceState, _call: OperationCall) -> dict[str, bool]:
    """Return whether backups check the health of the database, by type of job."""
    return dict(state.health_settings)


def update_settings(state: ApplianceState, call: OperationCall) -> None:
    """Change the settings that are given."""
    state.health_settings |= call.body


_SETTINGS = "/appliance/health/settings"
_SINCE: dict[str, Any] = {"phase": "health", "feature": "health-database"}

ROUTES: tuple[OperationRoute, ...] = (
    OperationRoute("GET", "/appliance/system/version", version, phase="version"),
    OperationRoute("GET", "/appliance/recovery", recovery, phase="health", feature="recovery"),
    *(OperationRoute("GET", f"/appliance/health/{item}", health_of_item, phase="health") for item in HEALTH_ITEMS),
    OperationRoute("GET", "/appliance/health/system/lastcheck", last_check, phase="health"),
    OperationRoute("GET", "/appliance/system/time", system_time, phase="health"),
    OperationRoute("GET", "/appliance/system/time/timezone", time_zone, phase="health"),
    OperationRoute("GET", "/appliance/health/database", get_database_health, **_SINCE),
    OperationRoute("GET", _SETTINGS, get_settings, **_SINCE),
    OperationRoute("PATCH", _SETTINGS, update_settings, body=HEALTH_SETTINGS, wrapper="health_settings", **_SINCE),
)
"""Source of ``health_settings``: VMware's Python SDK (PyPI: vmware-vcenter, ``com/vmware/appliance_client.py``)."""
