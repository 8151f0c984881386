"""From a certificate that was looked at to a pin in the configuration file."""

from typing import Any

from msgspec import structs

from backupctl.cli.app import App
from backupctl.errors import BackupctlError, UsageError
from backupctl.results import Certificate, CertificateResult, ErrorInfo, PinResult
from backupctl.settings.configuration_edit import configuration_path, store
from backupctl.settings.options import FINGERPRINT, SERVER
from backupctl.views.printable import printable


def pin(app: App, looked_at: CertificateResult, *, confirmed: bool) -> PinResult:
    """Store the fingerprint of the certificate once somebody has said that it is the right one; return the result."""
    result = PinResult(**structs.asdict(looked_at))
    if looked_at.certificate is None or looked_at.error is not None:
        return result
    try:
        if not confirmed:
            _confirm(app, looked_at, looked_at.certificate)
        return structs.replace(result, **_store(app, looked_at.server, looked_at.certificate))
    except BackupctlError as error:
        return structs.replace(result, exit_code=int(error.exit_code), error=ErrorInfo.of(error))


def _confirm(app: App, looked_at: CertificateResult, certificate: Certificate) -> None:
    for words in (
        f"{looked_at.server} presents the certificate of {certificate.subject},",
        f"  signed by   {certificate.issuer}",
        f"  valid       {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}",
        f"  trusted     {f'no: {looked_at.reason}' if looked_at.reason else f'by {looked_at.store}'}",
        f"  fingerprint {certificate.fingerprint}",
    ):
        app.prompter.say(printable(words))
    answer = app.prompter.ask("Is this the fingerprint that the appliance itself shows? yes or no", _yes_or_no)
    if answer.strip().lower() not in {"y", "yes"}:
        raise UsageError("the fingerprint was not confirmed: nothing is stored")


def _yes_or_no(answer: str) -> None:
    if answer.strip().lower() not in {"y", "yes", "n", "no"}:
        raise UsageError("write yes or no")


def _store(app: App, name: str, certificate: Certificate) -> dict[str, Any]:
    path = configuration_path(app.environ)
    (address,) = (server for server in app.value(SERVER) if server.name == name)
    host = address.base_url if address.scheme != "https" else str(address).removeprefix("https://")
    stored = store(path, name, FINGERPRINT.name, certificate.fingerprint, host=host)
    return {"file": str(path), "profile": stored.name, "replaced": stored.before}
