"""Render certificates: subject, validity, issuer, fingerprint."""

from collections.abc import Sequence
from typing import Final

from backupctl.models import Certificate
from backupctl.output.formatting import plural
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, StyledLine, Symbols, line
from backupctl.output.terminal.table import fact_lines
from backupctl.results.trust_results import CaCertificatesResult, CertificateResult, PinResult

SOON_DAYS: Final = 30
"""A certificate that expires within this many days is highlighted."""


def certificate_lines(result: CertificateResult, symbols: Symbols) -> list[StyledLine]:
    """Return whether the appliance's certificate is trusted, its facts, and its chain."""
    if result.certificate is None:
        return []
    pin = None
    if result.pinned is not None:
        pin = line(("fits", GOOD) if _pin_fits(result) else ("DOES NOT FIT", BAD), f": {result.pinned}")
    more = [("not trusted", result.reason), ("pin", pin)]
    lines = [_verdict(result, symbols), *certificate_facts(result.certificate, more=more)]
    for number, certificate in enumerate(result.chain[1:], 1):
        lines += [line(f"  presented with it ({number}):"), *certificate_facts(certificate, indent="  ")]
    if result.chain_complete is False:
        lines.append(line("  more may have been presented: this Python tells only the first certificate"))
    return lines


def pin_lines(result: PinResult, symbols: Symbols) -> list[StyledLine]:
    """Return which certificate is now pinned, and in which file."""
    if result.certificate is None or result.file is None:
        return []
    fingerprint = result.certificate.fingerprint
    unchanged = result.replaced == fingerprint
    done = "was pinned before" if unchanged else "is pinned"
    replaced = None if unchanged else result.replaced
    return [
        line((f"{symbols.good} ", GOOD), f"{result.server}: the certificate ", (done, GOOD)),
        *fact_lines([
            ("fingerprint", fingerprint),
            ("instead of", replaced),
            ("file", result.file),
            ("server", result.profile),
        ]),
    ]  # fmt: skip


def authorities_lines(result: CaCertificatesResult, symbols: Symbols) -> list[StyledLine]:
    """Return which CA certificates were fetched, whether over a verified connection, and where they are."""
    if not result.authorities:
        return []
    what = plural(len(result.authorities), "CA certificate")
    where = f" written to {result.file}" if result.file else " fetched, and not written"
    lines = [line(f"{result.server}: ", (what, STRONG), where)]
    for certificate in result.authorities:
        lines += certificate_facts(certificate)
    if result.vouches:
        words = "they vouch for the certificate that the appliance presents"
        return [*lines, line((f"{symbols.good} ", GOOD), words)]
    return [
        *lines,
        line((f"{symbols.bad} they do not vouch for what the appliance presents: ", BAD), result.reason or ""),
    ]


def certificate_facts(
    certificate: Certificate, indent: str = "", more: Sequence[tuple[str, str | StyledLine | None]] = ()
) -> list[StyledLine]:
    """Return the facts of a certificate and ``more`` ones, a line each."""
    self_signed = certificate.subject == certificate.issuer
    known = fact_lines([
        ("subject", certificate.subject),
        ("issuer", "itself" if self_signed else certificate.issuer),
        ("names", ", ".join(certificate.names)),
        ("valid", _validity(certificate)),
        ("fingerprint", certificate.fingerprint),
        *more,
    ])  # fmt: skip
    return [line(indent, text) for text in known]


def fingerprints(certificates: Sequence[Certificate]) -> list[StyledLine]:
    """Return only the fingerprints, for scripts."""
    return [line(certificate.fingerprint) for certificate in certificates]


def _verdict(result: CertificateResult, symbols: Symbols) -> StyledLine:
    subject, store = f"{result.server}: the certificate is ", f" by {result.store}"
    trust = (("trusted", GOOD) if result.trusted else ("not trusted", ODD), store)
    if not _pin_fits(result):
        return line((f"{symbols.bad} ", BAD), subject, *trust, ", and ", ("not the pinned one", BAD))
    return line((f"{symbols.good} ", GOOD) if result.trusted else (f"{symbols.odd} ", ODD), subject, *trust)


def _pin_fits(result: CertificateResult) -> bool:
    """Return whether the certificate is the pinned one, or none is pinned."""
    return result.certificate is None or result.pinned in {None, result.certificate.fingerprint}


def _validity(certificate: Certificate) -> StyledLine:
    days = certificate.expires_in_days
    dates = f"{certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}, "
    if days < 0:
        return line(dates, (f"EXPIRED {plural(-days, 'day')} ago", BAD))
    return line(dates, (f"{plural(days, 'day')} left", ODD if days < SOON_DAYS else ""))
