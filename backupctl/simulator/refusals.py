"""What an appliance refuses because of what it is doing or is; ids and texts are UNCONFIRMED unless said.

``feature_in_use`` and ``not_allowed_in_current_state`` are worded as their descriptions in VMware's API reference.
"""

from typing import Any

from backupctl.simulator.api_errors import Message, RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState

_IDS = "com.vmware.applmgmt.backup_restore"


def refuse_if_busy(state: ApplianceState) -> None:
    """Refuse while a backup or a restore runs."""
    if state.is_busy(state.moment):
        text = "A backup or restore is already in progress."
        raise RefusedError("feature_in_use", message(f"{_IDS}.in_progress", text))


def refuse_if_fresh(state: ApplianceState) -> None:
    """Refuse what asks for an appliance in service, with the plain error that backups declare."""
    if state.stage == "fresh":
        raise RefusedError("error", not_configured())


def not_configured() -> Message:
    """Return what is said of a backup before the appliance is configured."""
    return message(f"{_IDS}.not_configured", "The appliance is not configured: it can be restored, not backed up.")


def not_found(kind: str, name: str) -> RefusedError:
    """Return the refusal of a thing that is not there."""
    return RefusedError("not_found", message(f"{_IDS}.not_found", f"{kind} {name} does not exist.", name))


def wrong_administrator(state: ApplianceState, given: dict[str, Any]) -> Message | None:
    """Return the complaint about missing or wrong credentials for SSO; before 6.7 none are asked for.

    The simulated appliance is an embedded node, for which the API reference requires them.
    """
    if "restore-sso" not in state.release.features:
        return None
    user, password = given.get("sso_admin_user_name", ""), given.get("sso_admin_user_password", "")
    if state.sessions.is_administrator(user, password):
        return None
    return message(f"{_IDS}.sso_credentials", "The credentials of the Single Sign-On administrator are not valid.")
