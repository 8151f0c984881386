"""Render certificates: subject, validity, issuer, fingerprint."""

from collections.abc import Sequence
from typing import Final

from backupctl.formatting import colon_form, plural
from backupctl.models import Certificate
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, StyledLine, Symbols, line
from backupctl.output.terminal.table import fact_lines
from backupctl.results.trust_results import CaCertificatesResult, CertificateResult, LocationPinResult, PinResult

SOON_DAYS: Final = 30
"""A certificate that expires within this many days is highlighted."""


def certificate_lines(result: CertificateResult, symbols: Symbols) -> list[StyledLine]:
    """Return whether the appliance's certificate is trusted, its facts, and its chain."""
    if result.certificate is None:
        return []
    more: list[_Fact] = [("not trusted", result.reason)]
    if result.pinned is not None and not _pin_fits(result):
        more += [("pin", line(("does not match", BAD))), *_fingerprint("pinned", result.pinned)]
    lines = [_verdict(result, symbols), *certificate_facts(result.certificate, more=more)]
    for number, certificate in enumerate(result.chain[1:], 1):
        lines += [line(f"Certificate {number + 1} of the chain"), *certificate_facts(certificate)]
    if result.chain_complete is False:
        lines.append(line("This version of Python shows only the first certificate of the chain."))
    return lines


def pin_lines(result: PinResult, symbols: Symbols) -> list[StyledLine]:
    """Return which certificate is now pinned, and in which file."""
    if result.certificate is None or result.file is None:
        return []
    return _stored_lines(result, "certificate", result.certificate.fingerprint, symbols)


def location_pin_lines(result: LocationPinResult, symbols: Symbols) -> list[StyledLine]:
    """Return what a backup server presents, and whether that is pinned."""
    if result.fingerprint is None:
        return []
    what = f"{result.kind} of the backup server"
    if result.file is not None:
        return _stored_lines(result, what, result.fingerprint, symbols)
    states = {None: (symbols.odd, "is not pinned", ODD), result.fingerprint: (symbols.good, "is pinned", GOOD)}
    symbol, state, style = states.get(result.pinned, (symbols.bad, "is not the pinned one", BAD))
    other = None if result.pinned == result.fingerprint else result.pinned
    return [
        line((f"{symbol} ", style), f"{result.server}: the {what} ", (state, style)),
        *fact_lines([
            ("location", result.location),
            *_fingerprint("sha256", result.fingerprint),
            *_fingerprint("pinned", other),
        ]),
    ]  # fmt: skip


def _stored_lines(
    result: PinResult | LocationPinResult, what: str, fingerprint: str, symbols: Symbols
) -> list[StyledLine]:
    replaced = None if result.replaced == fingerprint else result.replaced
    done = "is already pinned" if result.replaced == fingerprint else "is now pinned"
    return [
        line((f"{symbols.good} ", GOOD), f"{result.server}: the {what} ", (done, GOOD)),
        *fact_lines([
            *_fingerprint("sha256", fingerprint),
            *_fingerprint("instead of", replaced),
            ("file", result.file),
            ("server", result.profile),
        ]),
    ]  # fmt: skip


def authorities_lines(result: CaCertificatesResult, symbols: Symbols) -> list[StyledLine]:
    """Return which CA certificates were fetched, whether over a verified connection, and where they are."""
    if not result.authorities:
        return []
    what = plural(len(result.authorities), "CA certificate")
    where = f" written to {result.file}" if result.file else " downloaded, not written"
    lines = [line(f"{result.server}: ", (what, STRONG), where)]
    for certificate in result.authorities:
        lines += certificate_facts(certificate)
    if result.vouches:
        words = "they verify the appliance's certificate"
        return [*lines, line((f"{symbols.good} ", GOOD), words)]
    return [
        *lines,
        line((f"{symbols.bad} they do not verify the appliance's certificate: ", BAD), result.reason or ""),
    ]


_Fact = tuple[str, str | StyledLine | None]
"""Label and value of a fact, None if it is unknown."""


def certificate_facts(certificate: Certificate, more: Sequence[_Fact] = ()) -> list[StyledLine]:
    """Return the facts of a certificate and ``more`` ones, a line each."""
    self_signed = certificate.subject == certificate.issuer
    return fact_lines([
        ("subject", certificate.subject),
        ("issuer", "itself" if self_signed else certificate.issuer),
        ("names", ", ".join(certificate.names)),
        ("valid", _validity(certificate)),
        *_fingerprint("sha256", certificate.fingerprint),
        *more,
    ])  # fmt: skip


def fingerprints(certificates: Sequence[Certificate]) -> list[StyledLine]:
    """Return only the fingerprints, for scripts."""
    return [line(certificate.fingerprint) for certificate in certificates]


def _verdict(result: CertificateResult, symbols: Symbols) -> StyledLine:
    subject, store = f"{result.server}: the certificate is ", f" by {result.store}"
    trust = (("trusted", GOOD) if result.trusted else ("not trusted", ODD), store)
    if not _pin_fits(result):
        return line((f"{symbols.bad} ", BAD), subject, *trust, ", and ", ("does not match the pin", BAD))
    pin_suffices = result.pinned is not None and result.needs_ca is False
    symbol = (f"{symbols.good} ", GOOD) if result.trusted or pin_suffices else (f"{symbols.odd} ", ODD)
    if result.pinned is None:
        return line(symbol, subject, *trust)
    return line(symbol, subject, ("pinned", GOOD), ", and " if result.trusted else ", but ", *trust)


def _pin_fits(result: CertificateResult) -> bool:
    """Return whether the certificate is the pinned one, or none is pinned."""
    return result.certificate is None or result.pinned in {None, result.certificate.fingerprint}


def _fingerprint(label: str, fingerprint: str | None) -> list[_Fact]:
    """Return a fingerprint as openssl prints it, in two halves for 80 columns, or as ssh-keygen does."""
    if fingerprint and not fingerprint.startswith("sha256:"):
        return [(label, fingerprint)]
    text = colon_form(fingerprint) if fingerprint else ""
    return [(label, text[:_HALF]), ("", text[_HALF:])]


_HALF: Final = 16 * len("AB:")


def _validity(certificate: Certificate) -> StyledLine:
    days = certificate.expires_in_days
    dates = f"{certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}, "
    if days < 0:
        return line(dates, (f"expired {plural(-days, 'day')} ago", BAD))
    return line(dates, (f"{plural(days, 'day')} left", ODD if days < SOON_DAYS else ""))
