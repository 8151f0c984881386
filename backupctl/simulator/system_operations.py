"""What an appliance says about itself: version, health, whether it supports backups."""

from typing import TYPE_CHECKING, Any

from backupctl.simulator.routes import Call, Route

if TYPE_CHECKING:
    from backupctl.simulator.appliance import Appliance


def version(appliance: "Appliance", _call: Call) -> dict[str, str]:
    """Return product, version and build; ``summary`` and ``releasedate`` are empty on an unpatched appliance."""
    return {
        "version": appliance.release.version,
        "product": "VMware vCenter Server",
        "build": appliance.release.build,
        "type": "vCenter Server with an embedded Platform Services Controller",
        "summary": "",
        "releasedate": "",
        "install_time": "2025-01-15T08:30:00.000Z",
    }


def recovery(_appliance: "Appliance", _call: Call) -> dict[str, Any]:
    """Return whether this appliance can be backed up at all."""
    return {"supported": True}


def health(_appliance: "Appliance", _call: Call) -> str:
    """Return the overall health: green, yellow, orange, red or gray."""
    return "green"


ROUTES: tuple[Route, ...] = (
    Route("GET", "/appliance/system/version", version),
    Route("GET", "/appliance/recovery", recovery, feature="recovery"),
    Route("GET", "/appliance/health/system", health),
)
