"""Table of the parts of a backup, with their sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backupctl.simulator.api_errors import message
from backupctl.simulator.releases import Release


@dataclass(frozen=True, slots=True)
class BackupPart:
    """One part; ``size_mb`` in MB, as in ``GET .../backup/parts/{id}``."""

    part_id: str
    name: str
    description: str
    size_mb: int
    optional: bool
    standalone: bool


PARTS: Mapping[str, BackupPart] = {
    part.part_id: part
    for part in (
        BackupPart(
            "common",
            "Inventory and configuration",
            "Inventory, configuration and identity data that every backup holds.",
            size_mb=412,
            optional=False,
            standalone=False,
        ),
        BackupPart(
            "seat",
            "Stats, Events, and Tasks",
            "Historical data: statistics, events, alarms and tasks.",
            size_mb=1624,
            optional=True,
            standalone=False,
        ),
        BackupPart(
            "supervisors",
            "Supervisors Control Plane",
            "State of the Supervisor control planes.",
            size_mb=96,
            optional=True,
            standalone=True,
        ),
    )
}


def part_summary(part: BackupPart, release: Release) -> dict[str, Any]:
    """Return Parts.Part; the ids of its two messages are UNCONFIRMED."""
    prefix = f"com.vmware.applmgmt.backup_restore.part.{part.part_id}"
    view: dict[str, Any] = {
        "id": part.part_id,
        "name": message(f"{prefix}.name", part.name),
        "description": message(f"{prefix}.description", part.description),
        "selected_by_default": True,
        "optional": part.optional,
    }
    if "standalone-parts" in release.features:
        view["standalone"] = part.standalone
    return view


def total_bytes(part_ids: tuple[str, ...]) -> int:
    """Return the size in bytes of a backup of these parts; it always contains ``common``."""
    return sum(PARTS[part_id].size_mb for part_id in {"common", *part_ids}) * 1024 * 1024
