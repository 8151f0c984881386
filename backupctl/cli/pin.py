"""From a certificate that was looked at to a pin in the configuration file."""

from typing import Any

from msgspec import structs

from backupctl.cli.appliance_settings import Scope
from backupctl.config.config_edit import path_to_edit, store
from backupctl.config.option_table import CONFIG, FINGERPRINT
from backupctl.config.value import FLAG
from backupctl.errors import BackupctlError, UsageError
from backupctl.models import Certificate
from backupctl.operations.appliance_run import Outcome
from backupctl.output.printable import printable
from backupctl.results.trust_results import CertificateResult, PinResult


def has_typed_pin(scope: Scope) -> bool:
    """Say whether the fingerprint was typed; one in the environment or a file is what may be replaced."""
    return scope.sourced(FINGERPRINT).source.kind == FLAG


def stored_pin(scope: Scope) -> str | None:
    """Return the fingerprint that stands in the appliance's own table of the configuration file."""
    profile = scope.profile
    return profile.layers[0].values.get(FINGERPRINT.name) if profile.configured else None


def nobody_compares() -> UsageError:
    """Return the error for a pin that nobody can be asked about."""
    return UsageError(
        "nobody is here to compare the fingerprint",
        hint="give the expected one with --fingerprint, or --yes to believe whoever answers",
    )


def pin(scope: Scope, looked_at: CertificateResult, *, confirmed: bool) -> PinResult:
    """Store the fingerprint of the certificate once somebody has said that it is the right one; return the result.

    Where it is stored already, nobody is asked and nothing is written.
    """
    result = PinResult(**structs.asdict(looked_at))
    if looked_at.certificate is None or looked_at.error is not None:
        return result
    stored = stored_pin(scope)
    if stored == looked_at.certificate.fingerprint:
        file = str(scope.app.configuration.path)
        return structs.replace(result, file=file, profile=scope.name, replaced=stored)
    try:
        if not confirmed:
            _confirm(scope, looked_at, looked_at.certificate)
        return structs.replace(result, **_store(scope, looked_at.certificate))
    except BackupctlError as error:
        return structs.replace(result, **Outcome(error=error).result_fields)


def _confirm(scope: Scope, looked_at: CertificateResult, certificate: Certificate) -> None:
    if not scope.prompter.present:
        raise nobody_compares()
    before = scope.value(FINGERPRINT)
    for words in (
        f"{scope.name} presents the certificate of {certificate.subject},",
        f"  signed by   {certificate.issuer}",
        f"  valid       {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}",
        f"  trusted     {f'no: {looked_at.reason}' if looked_at.reason else f'by {looked_at.store}'}",
        f"  fingerprint {certificate.fingerprint}",
        *([f"  instead of  {before}"] if before not in {None, certificate.fingerprint} else []),
    ):
        scope.prompter.say(printable(words))
    answer = scope.prompter.ask("Is this the fingerprint that the appliance itself shows? yes or no", _yes_or_no)
    if answer.strip().lower() not in {"y", "yes"}:
        raise UsageError("the fingerprint was not confirmed: nothing is stored")


def _yes_or_no(answer: str) -> None:
    if answer.strip().lower() not in {"y", "yes", "n", "no"}:
        raise UsageError("write yes or no")


def _store(scope: Scope, certificate: Certificate) -> dict[str, Any]:
    app, address = scope.app, scope.profile.address
    path = path_to_edit(app.value(CONFIG), app.configuration.path, app.environ)
    host = address.base_url.removeprefix("https://")
    stored = store(path, scope.name, FINGERPRINT.name, certificate.fingerprint, host=host)
    return {"file": str(path), "profile": stored.name, "replaced": stored.before}
