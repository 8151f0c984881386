"""Show the certificate of an appliance and fetch its CA certificates; no credentials are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import structs

from backupctl.error_facts import render_message
from backupctl.errors import BackupctlError
from backupctl.operations.appliance_run import with_name_warning
from backupctl.operations.outcome import Outcome, completed
from backupctl.results.result import Result
from backupctl.results.trust_results import CaCertificatesResult, CertificateResult
from backupctl.scheduler.task import Task, call

if TYPE_CHECKING:
    from backupctl.api.certificate_probe import CertificateProbe

R = TypeVar("R", bound=Result)


class ProbedAppliance(msgspec.Struct, frozen=True):
    """An appliance and the probe of its certificate; the other fields are as in ``Appliance``."""

    name: str
    host: str
    probe: CertificateProbe
    name_warning: str | None = None


def run_probe(target: ProbedAppliance, result_type: type[R], work: Task[Outcome[R]]) -> Task[R]:
    """Do ``work`` and return its result; errors become part of it."""
    result = yield from completed(work, result_type, name=target.name, host=target.host)
    if result.error is None:
        return result
    return structs.replace(result, error=with_name_warning(result.error, target.name_warning))


def show_certificate(target: ProbedAppliance) -> Task[CertificateResult]:
    """Return the certificate of an appliance, its chain, and whether it is trusted.

    The result has an error if the certificate does not match a pin, but not if it is untrusted.
    """
    return (yield from run_probe(target, CertificateResult, _read_certificate(target)))


def _read_certificate(target: ProbedAppliance) -> Task[Outcome[CertificateResult]]:
    probe = target.probe
    trust_error = yield from call(probe.trust_error)
    chain, complete = yield from call(probe.presented_chain)
    result = CertificateResult(
        certificate=chain[0],
        chain=chain,
        chain_complete=complete,
        trusted=trust_error is None,
        store=probe.store,
        needs_ca=probe.needs_ca,
        reason=_reason(trust_error),
        pinned=probe.pinned,
    )
    return Outcome(result, probe.pin_mismatch())


def fetch_ca_certificates(target: ProbedAppliance, write: Callable[[str], str]) -> Task[CaCertificatesResult]:
    """Fetch the CA certificates of an appliance and pass their PEM text to ``write``, which returns the file name."""
    return (yield from run_probe(target, CaCertificatesResult, _fetch_ca_certificates(target, write)))


def _fetch_ca_certificates(target: ProbedAppliance, write: Callable[[str], str]) -> Task[Outcome[CaCertificatesResult]]:
    probe = target.probe
    fetched = yield from call(probe.fetch_cas)
    trust_error = yield from call(lambda: probe.trust_error_with(fetched.pem))
    result = CaCertificatesResult(
        authorities=fetched.certificates,
        verified=fetched.verified,
        vouches=trust_error is None,
        reason=_reason(trust_error),
    )
    try:
        return Outcome(structs.replace(result, file=write(fetched.pem)))
    except BackupctlError as error:
        return Outcome(result, error)


def _reason(trust_error: BackupctlError | None) -> str | None:
    return None if trust_error is None else render_message(trust_error.facts, subject=trust_error.facts.server)
