"""Refusals because of the state of the appliance; ids and texts are UNCONFIRMED unless a source is named.

The texts of ``feature_in_use`` and ``not_allowed_in_current_state`` are their descriptions in VMware's API reference.
"""

from typing import Any

from backupctl.simulator.api_errors import Message, RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState

_IDS = "com.vmware.applmgmt.backup_restore"


def refuse_if_busy(state: ApplianceState) -> None:
    """Raise ``feature_in_use`` while a backup, a restore or a reconciliation is running."""
    if state.is_busy(state.moment):
        text = "A backup or restore is already in progress."
        raise RefusedError("feature_in_use", message(f"{_IDS}.in_progress", text))


def refuse_if_fresh(state: ApplianceState) -> None:
    """Raise the plain ``error`` that backups declare, on an appliance that is not configured yet."""
    if state.stage == "fresh":
        raise RefusedError("error", not_configured())


def not_configured() -> Message:
    """Return the message about a backup of an appliance that is not configured yet."""
    return message(f"{_IDS}.not_configured", "The appliance is not configured: it can be restored, not backed up.")


def not_found(kind: str, name: str) -> RefusedError:
    """Return the error for something that does not exist."""
    return RefusedError("not_found", message(f"{_IDS}.not_found", f"{kind} {name} does not exist.", name))


def wrong_sso_credentials(state: ApplianceState, given: dict[str, Any]) -> Message | None:
    """Return the message about missing or wrong SSO credentials; None if they are right, or before 6.7.

    The API reference requires them for an appliance with an embedded node, as the simulated one is.
    """
    if "restore-sso" not in state.release.features:
        return None
    user, password = given.get("sso_admin_user_name", ""), given.get("sso_admin_user_password", "")
    if state.sessions.is_administrator(user, password):
        return None
    return message(f"{_IDS}.sso_credentials", "The credentials of the Single Sign-On administrator are not valid.")
