"""Requests for a restore and a reconciliation, from settings and prompts, checked before anything is sent."""

from functools import partial

from msgspec.structs import replace

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.location_settings import location_login, location_of
from backupctl.config.option_table import BACKUP_PASSWORD, DRY_RUN, PART, SSO_PASSWORD, USERNAME
from backupctl.models import ReconciliationSpec, RestoreRequest
from backupctl.operations.restore import needs_sso
from backupctl.rules.request_fields import check_parts
from backupctl.secrets.secret import Secret


def restore_request(
    settings: ApplianceSettings, sso_username: str | None, *, ignore_warnings: bool = False
) -> RestoreRequest:
    """Return the request for a restore; its parts are None if none are named.

    On a terminal, prompts for the SSO administrator if the archive needs one.

    Raises UsageError and ConfigError: for a setting that is invalid, or missing without a terminal.
    """
    resolved = location_of(settings)
    user, location_password = location_login(settings, resolved)
    parts = settings.value(PART)
    request = RestoreRequest(
        location_type=resolved.location.type,
        location=resolved.location,
        location_user=user,
        location_password=location_password,
        backup_password=_backup_password(settings),
        sso_admin_user_name=sso_username,
        sso_admin_user_password=_sso_password(settings, sso_username),
        ignore_warnings=ignore_warnings or None,
        parts=check_parts(parts) or None,
    )
    contact = settings.context.contact
    if sso_username is not None or contact is None or not settings.prompter.interactive:
        return request
    if not contact.run(settings, partial(needs_sso, request=request)):
        return request
    question, default = "User name of the SSO administrator of the backup", "administrator@vsphere.local"
    user = settings.ask(("sso-username",), lambda _: settings.prompter.ask(question, USERNAME.parse, default))
    return replace(request, sso_admin_user_name=user, sso_admin_user_password=_sso_password(settings, user))


def _backup_password(settings: ApplianceSettings) -> Secret | None:
    """Return the password of an encrypted archive, which only its appliance can tell from another one."""
    secret = settings.secret(BACKUP_PASSWORD)
    if secret is not None or not settings.prompter.interactive or settings.value(DRY_RUN):
        return secret.value if secret else None
    question = "Backup password (leave empty if the backup is not encrypted)"
    return settings.ask_secret((BACKUP_PASSWORD.name,), lambda _: settings.prompter.ask_secret(question))


def reconciliation_spec(
    settings: ApplianceSettings, sso_username: str | None, *, ignore_warnings: bool
) -> ReconciliationSpec:
    """Return the request for a reconciliation."""
    return ReconciliationSpec(
        sso_admin_user_name=sso_username,
        sso_admin_user_password=_sso_password(settings, sso_username),
        ignore_warnings=ignore_warnings or None,
    )


def _sso_password(settings: ApplianceSettings, sso_username: str | None) -> Secret | None:
    """Return the password of the SSO administrator; without a user name it is not sent."""
    if sso_username is None:
        return None
    secret = settings.secret(SSO_PASSWORD)
    if secret is not None:
        return secret.value
    if settings.prompter.interactive and not settings.value(DRY_RUN):
        question = f"Password for {sso_username} (SSO administrator of the backup)"
        return settings.ask_secret((SSO_PASSWORD.name, sso_username), lambda _: settings.prompter.ask_secret(question))
    settings.warn(
        f"no password for the SSO administrator {sso_username}",
        hint=f"give {SSO_PASSWORD.file_option} or set {SSO_PASSWORD.variable}",
    )
    return None
