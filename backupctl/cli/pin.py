"""Pin certificates: probe them, confirm their fingerprints and store them in the configuration file."""

from msgspec import convert, structs

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.tls_probe import probe_all, settings_to_probe
from backupctl.config.config_edit import path_to_edit, store
from backupctl.config.option_table import CONFIG, FINGERPRINT
from backupctl.config.value import FLAG
from backupctl.errors import BackupctlError, UsageError
from backupctl.models import Certificate
from backupctl.operations.trust import show_certificate
from backupctl.output.printable import printable
from backupctl.results.trust_results import CertificateResult, PinResult


def pin_certificates(context: Context, *, confirmed: bool) -> list[PinResult]:
    """Pin the certificate of each selected appliance; unless ``confirmed``, prompt for each without ``--fingerprint``.

    Raises UsageError: if a prompt is needed and there is no terminal.
    """
    selected = settings_to_probe(context)
    confirmed = confirmed or all(map(_is_fingerprint_given, selected))
    if not (confirmed or context.prompter.interactive or all(map(_configured_pin, selected))):
        raise _unconfirmed_error()
    probed = probe_all(context, selected, CertificateResult, show_certificate, _is_fingerprint_given)
    return [_pin(settings, result, confirmed=confirmed) for settings, result in zip(selected, probed, strict=True)]


def _is_fingerprint_given(settings: ApplianceSettings) -> bool:
    """Return whether ``--fingerprint`` is given; one from the environment or the file may be replaced instead."""
    return settings.resolve(FINGERPRINT).source.kind == FLAG


def _configured_pin(settings: ApplianceSettings) -> str | None:
    """Return the fingerprint in the appliance's own table of the configuration file, None without one."""
    profile = settings.profile
    return profile.layers[0].values.get(FINGERPRINT.name) if profile.configured else None


def _unconfirmed_error() -> UsageError:
    """Return the error for a fingerprint that must be confirmed while there is no terminal."""
    return UsageError(
        "nobody is here to compare the fingerprint",
        hint="give the expected one with --fingerprint, or --yes to believe whoever answers",
    )


def _pin(settings: ApplianceSettings, probed: CertificateResult, *, confirmed: bool) -> PinResult:
    """Store the fingerprint of a probed certificate and return the result; unless ``confirmed``, prompt first.

    If it is already stored, there is no prompt and nothing is written.
    """
    result = convert(probed, PinResult, from_attributes=True)
    if probed.certificate is None or probed.error is not None:
        return result
    stored = _configured_pin(settings)
    if stored == probed.certificate.fingerprint:
        file = str(settings.context.configuration.path)
        return structs.replace(result, file=file, profile=settings.name, replaced=stored)
    try:
        if not confirmed:
            _confirm(settings, probed, probed.certificate)
        return _store(settings, probed.certificate, result)
    except BackupctlError as error:
        return structs.replace(result, exit_code=error.exit_code, error=error)


def _confirm(settings: ApplianceSettings, probed: CertificateResult, certificate: Certificate) -> None:
    """Show the certificate and ask whether its fingerprint is right. Raises UsageError: if it is not confirmed."""
    if not settings.prompter.interactive:
        raise _unconfirmed_error()
    previous = settings.value(FINGERPRINT)
    for line in (
        f"{settings.name} presents the certificate of {certificate.subject},",
        f"  signed by   {certificate.issuer}",
        f"  valid       {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}",
        f"  trusted     {f'no: {probed.reason}' if probed.reason else f'by {probed.store}'}",
        f"  fingerprint {certificate.fingerprint}",
        *([f"  instead of  {previous}"] if previous not in {None, certificate.fingerprint} else []),
    ):
        settings.prompter.say(printable(line))
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
    return structs.replace(result, file=str(path), profile=stored.name, replaced=stored.previous)
