"""Pin certificates: probe them, confirm their fingerprints and store them in the configuration file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from msgspec import convert, structs

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.prompts import confirm
from backupctl.cli.tls_probe import probe_all, settings_to_probe
from backupctl.config.config_edit import StoredValue, path_to_edit, store
from backupctl.config.configuration import Layer
from backupctl.config.option import Option
from backupctl.config.option_table import CONFIG, FINGERPRINT
from backupctl.config.value import FLAG
from backupctl.errors import BackupctlError, PinMismatchError, UsageError
from backupctl.formatting import colon_form
from backupctl.models import Certificate
from backupctl.operations.trust import show_certificate
from backupctl.results.trust_results import CertificateResult, LocationPinResult, PinResult

P = TypeVar("P", PinResult, LocationPinResult)

NOT_ASKED_HINT: Final = "use --yes to pin it without a question"


def pin_certificates(context: Context, *, confirmed: bool) -> list[PinResult]:
    """Pin the certificate of each selected appliance; unless ``confirmed``, prompt for each without ``--fingerprint``.

    Raises UsageError: if a prompt is needed and there is no terminal.
    """
    selected = settings_to_probe(context)
    confirmed = confirmed or all(map(_is_fingerprint_given, selected))
    if not (confirmed or context.prompter.interactive or all(map(_configured_pin, selected))):
        raise unconfirmed_error()
    probed = probe_all(context, selected, CertificateResult, show_certificate, _is_fingerprint_given)
    return [_pin(settings, result, confirmed=confirmed) for settings, result in zip(selected, probed, strict=True)]


def _is_fingerprint_given(settings: ApplianceSettings) -> bool:
    """Return whether ``--fingerprint`` is given; one from the environment or the file may be replaced instead."""
    return settings.resolve(FINGERPRINT).source.kind == FLAG


def _configured_pin(settings: ApplianceSettings, option: Option[str | None] = FINGERPRINT) -> str | None:
    """Return the fingerprint in the own table of an appliance, or of the defaults, None without one."""
    profile = settings.profile
    return profile.layers[0].values.get(option.name) if profile.configured or not profile.name else None


def unconfirmed_error(option: Option[str | None] = FINGERPRINT) -> UsageError:
    """Return the error for a fingerprint that must be confirmed while there is no terminal."""
    return UsageError(
        "cannot ask you to compare the fingerprint without a terminal",
        hint=f"use {option.flag} with the expected one, or --yes to pin the one presented now",
    )


def _pin(settings: ApplianceSettings, probed: CertificateResult, *, confirmed: bool) -> PinResult:
    """Store the fingerprint of a probed certificate and return the result; unless ``confirmed``, prompt first.

    If it is already stored, there is no prompt and nothing is written.
    """
    result = convert(probed, PinResult, from_attributes=True)
    if isinstance(probed.error, PinMismatchError):
        sentence, hint = "the certificate of $server differs from the given fingerprint", "nothing was stored"
        return structs.replace(result, error=probed.error.with_facts(message=sentence, hint=hint))
    if probed.certificate is None or probed.error is not None:
        return result
    ask = None if confirmed else partial(confirm_certificate, settings, probed, hint=NOT_ASKED_HINT)
    return store_confirmed(settings, result, FINGERPRINT, probed.certificate.fingerprint, ask)


def store_confirmed(
    settings: ApplianceSettings,
    result: P,
    option: Option[str | None],
    fingerprint: str,
    ask: Callable[[], bool] | None,
) -> P:
    """Store a fingerprint, if ``ask`` says so, and return the result; if it is already stored, nothing is asked."""
    stored = _configured_pin(settings, option)
    if stored == fingerprint:
        file, name = str(settings.context.configuration.path), settings.name or "defaults"
        return structs.replace(result, file=file, profile=name, replaced=stored)
    try:
        if ask is not None and not ask():
            raise UsageError("fingerprint not confirmed; nothing was stored")
        path, stored_pin = store_pin(settings, option, fingerprint)
        return structs.replace(result, file=str(path), profile=stored_pin.name, replaced=stored_pin.previous)
    except BackupctlError as error:
        return structs.replace(result, exit_code=error.exit_code, error=error)


def confirm_certificate(settings: ApplianceSettings, probed: CertificateResult, *, hint: str | None = None) -> bool:
    """Show a probed certificate and ask whether to trust and pin it. Raises UsageError: without a terminal."""
    if not settings.prompter.interactive:
        raise unconfirmed_error()
    certificate, name = probed.certificate, settings.name
    assert certificate is not None  # noqa: S101 - the caller has checked that the probe succeeded
    previous = settings.value(FINGERPRINT)
    fingerprint = colon_form(certificate.fingerprint)
    lines = [
        f"{name}: {probed.reason or f'the certificate is trusted by {probed.store}'}",
        f"  SHA-256 fingerprint  {fingerprint[:48]}",
        f"                       {fingerprint[48:]}",
        f"  Names                {', '.join(certificate.names) or certificate.subject}",
        f"  Valid                {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}",
    ]
    if previous not in {None, certificate.fingerprint}:
        pinned = colon_form(str(previous))
        lines += [f"  Pinned until now     {pinned[:48]}", f"                       {pinned[48:]}"]
    lines += ["Compare it with what the appliance's shell prints (backupctl help trust):"]
    lines += [f"  {each}" for each in COMPARE]
    for each in lines:
        settings.prompter.say(each)
    return confirm(settings.prompter, f"Trust this certificate and pin it for {name}?", hint=hint)


COMPARE: Final = (
    "/usr/lib/vmware-vmafd/bin/vecs-cli entry getcert --store MACHINE_SSL_CERT \\",
    "  --alias __MACHINE_CERT | openssl x509 -noout -fingerprint -sha256",
)
"""The command that prints the fingerprint in the shell of an appliance."""


def pin_certificate(settings: ApplianceSettings, certificate: Certificate) -> tuple[Path, StoredValue]:
    """Store the pin of a certificate, and use it from now on; return the configuration file, and what it says now.

    Raises ConfigError and OutputError: if it cannot be stored.
    """
    fingerprint, profile = certificate.fingerprint, settings.profile
    own = Layer("this run", {FINGERPRINT.name: fingerprint})
    settings.profile = structs.replace(profile, layers=(own, *profile.layers))
    return store_pin(settings, FINGERPRINT, fingerprint)


def store_pin(settings: ApplianceSettings, option: Option[str | None], fingerprint: str) -> tuple[Path, StoredValue]:
    """Store a pin in the server's table of the configuration file; return the file, and what it says now."""
    context, host = settings.context, settings.profile.address.base_url.removeprefix("https://")
    path = path_to_edit(context.value(CONFIG), context.configuration.path, context.environ)
    return path, store(path, settings.name, option.name, fingerprint, host=host)
