"""The health of the appliance's database, and the settings that make backups check it.

Source: ``Database`` and ``HealthCheckSettings`` in VMware's API reference, since 7.0.0.1. 9.0 removed the tool behind
them. 9.1 still has the operations, deprecated; their results there are UNCONFIRMED.
"""

from collections.abc import Mapping
from typing import Any

from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.backup_runs import JobType

HEALTHY = "HEALTHY"

SETTINGS: Mapping[JobType, str] = {
    "MANUAL": "db_health_check_state_manual_backup",
    "SCHEDULED": "db_health_check_state_scheduled_backup",
}
"""The setting for each type of job; both are on by default (UNCONFIRMED)."""

FAILS_AT_PERCENT = 10
"""Progress at which a backup fails because of the database, as administrators report."""

_ID = "com.vmware.applmgmt.backup_restore.db_health"


def backup_failure(status: str) -> Message:
    """Return the message of a backup that failed because of the database; text and id are UNCONFIRMED."""
    return message(_ID, f"Db health is {status}, Backup Failed. Please run /usr/bin/dbcc to find out more.", status)


def health_info(status: str) -> dict[str, Any]:
    """Return Health.Database.Info."""
    severity = {"DEGRADED": "WARNING", "UNHEALTHY": "ERROR"}.get(status)
    messages = [{"severity": severity, "message": message(_ID, f"VCDB is {status}.", status)}] if severity else []
    return {"status": status, "messages": messages}
