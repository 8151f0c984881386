"""From a certificate that was looked at to a pin in the configuration file."""

from msgspec import convert, structs

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.config.config_edit import path_to_edit, store
from backupctl.config.option_table import CONFIG, FINGERPRINT
from backupctl.config.value import FLAG
from backupctl.errors import BackupctlError, UsageError
from backupctl.models import Certificate
from backupctl.output.printable import printable
from backupctl.results.trust_results import CertificateResult, PinResult


def is_fingerprint_given(settings: ApplianceSettings) -> bool:
    """Say whether the fingerprint was typed; one in the environment or a file is what may be replaced."""
    return settings.resolve(FINGERPRINT).source.kind == FLAG


def configured_pin(settings: ApplianceSettings) -> str | None:
    """Return the fingerprint that stands in the appliance's own table of the configuration file."""
    profile = settings.profile
    return profile.layers[0].values.get(FINGERPRINT.name) if profile.configured else None


def unconfirmed_pin_error() -> UsageError:
    """Return the error for a pin that nobody can be asked about."""
    return UsageError(
        "nobody is here to compare the fingerprint",
        hint="give the expected one with --fingerprint, or --yes to believe whoever answers",
    )


def pin(settings: ApplianceSettings, looked_at: CertificateResult, *, confirmed: bool) -> PinResult:
    """Store the fingerprint of the certificate once somebody has said that it is the right one; return the result.

    Where it is stored already, nobody is asked and nothing is written.
    """
    result = convert(looked_at, PinResult, from_attributes=True)
    if looked_at.certificate is None or looked_at.error is not None:
        return result
    stored = configured_pin(settings)
    if stored == looked_at.certificate.fingerprint:
        file = str(settings.context.configuration.path)
        return structs.replace(result, file=file, profile=settings.name, replaced=stored)
    try:
        if not confirmed:
            _confirm(settings, looked_at, looked_at.certificate)
        return _store(settings, looked_at.certificate, result)
    except BackupctlError as error:
        return structs.replace(result, exit_code=error.exit_code, error=error)


def _confirm(settings: ApplianceSettings, looked_at: CertificateResult, certificate: Certificate) -> None:
    if not settings.prompter.interactive:
        raise unconfirmed_pin_error()
    before = settings.value(FINGERPRINT)
    for words in (
        f"{settings.name} presents the certificate of {certificate.subject},",
        f"  signed by   {certificate.issuer}",
        f"  valid       {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}",
        f"  trusted     {f'no: {looked_at.reason}' if looked_at.reason else f'by {looked_at.store}'}",
        f"  fingerprint {certificate.fingerprint}",
        *([f"  instead of  {before}"] if before not in {None, certificate.fingerprint} else []),
    ):
        settings.prompter.say(printable(words))
    answer = settings.prompter.ask("Is this the fingerprint that the appliance itself shows? yes or no", _yes_or_no)
    if answer.strip().lower() not in {"y", "yes"}:
        raise UsageError("the fingerprint was not confirmed: nothing is stored")


def _yes_or_no(answer: str) -> None:
    if answer.strip().lower() not in {"y", "yes", "n", "no"}:
        raise UsageError("write yes or no")


def _store(settings: ApplianceSettings, certificate: Certificate, result: PinResult) -> PinResult:
    context, address = settings.context, settings.profile.address
    path = path_to_edit(context.value(CONFIG), context.configuration.path, context.environ)
    host = address.base_url.removeprefix("https://")
    stored = store(path, settings.name, FINGERPRINT.name, certificate.fingerprint, host=host)
    return structs.replace(result, file=str(path), profile=stored.name, replaced=stored.before)
