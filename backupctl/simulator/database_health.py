"""The health of the appliance's database, and the switches that make backups ask for it.

Source: ``Database`` and ``HealthCheckSettings`` in VMware's API reference, since 7.0.0.1. The tool behind them was
removed in 9.0; the operations are deprecated in 9.1 and still there, and what they answer then is UNCONFIRMED.
"""

from collections.abc import Mapping
from typing import Any

from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.backup_runs import JobType

HEALTHY = "HEALTHY"

SWITCHES: Mapping[JobType, str] = {
    "MANUAL": "db_health_check_state_manual_backup",
    "SCHEDULED": "db_health_check_state_scheduled_backup",
}
"""Which setting makes which kind of backup look at the database. Both are on by default (UNCONFIRMED)."""

FAILS_AT_PERCENT = 10
"""Where a backup stops because of its database, as administrators report it."""

_ID = "com.vmware.applmgmt.backup_restore.db_health"


def failure(status: str) -> Message:
    """Return what a backup says that its database stopped; the text is from memory, text and id are UNCONFIRMED."""
    return message(_ID, f"Db health is {status}, Backup Failed. Please run /usr/bin/dbcc to find out more.", status)


def info(status: str) -> dict[str, Any]:
    """Return Health.Database.Info."""
    severity = {"DEGRADED": "WARNING", "UNHEALTHY": "ERROR"}.get(status)
    messages = [{"severity": severity, "message": message(_ID, f"VCDB is {status}.", status)}] if severity else []
    return {"status": status, "messages": messages}
