"""What an appliance says about itself: version, health, whether it supports backups."""

from typing import Any

from backupctl.simulator import health
from backupctl.simulator.envelopes import VOID, Void
from backupctl.simulator.routes import Call, Route
from backupctl.simulator.state import ApplianceState
from backupctl.simulator.structures import HEALTH_SETTINGS


def version(state: ApplianceState, _call: Call) -> dict[str, str]:
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


def recovery(_state: ApplianceState, _call: Call) -> dict[str, Any]:
    """Return whether this appliance can be backed up at all."""
    return {"supported": True}


def system_health(_state: ApplianceState, _call: Call) -> str:
    """Return the overall health: green, yellow, orange, red or gray."""
    return "green"


def database_health(state: ApplianceState, _call: Call) -> dict[str, Any]:
    """Return the health of the database."""
    return health.info(state.database_status)


def get_settings(state: ApplianceState, _call: Call) -> dict[str, bool]:
    """Return whether backups look at the health of the database."""
    return dict(state.health_settings)


def update_settings(state: ApplianceState, call: Call) -> Void:
    """Change the settings that are set and leave the other."""
    state.health_settings |= call.body
    return VOID


_SETTINGS = "/appliance/health/settings"
_SINCE: dict[str, Any] = {"phase": "health", "feature": "health-database"}

ROUTES: tuple[Route, ...] = (
    Route("GET", "/appliance/system/version", version, phase="version"),
    Route("GET", "/appliance/recovery", recovery, phase="health", feature="recovery"),
    Route("GET", "/appliance/health/system", system_health, phase="health"),
    Route("GET", "/appliance/health/database", database_health, **_SINCE),
    Route("GET", _SETTINGS, get_settings, **_SINCE),
    Route("PATCH", _SETTINGS, update_settings, body=HEALTH_SETTINGS, wrapper="health_settings", **_SINCE),
)
"""``health_settings`` is its name in VMware's Python SDK (PyPI: vmware-vcenter, ``com/vmware/appliance_client.py``)."""
