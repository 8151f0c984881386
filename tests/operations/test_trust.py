"""Looking at trust: what becomes a result, and what becomes its error."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from backupctl.api.certificate_probe import CertificateProbe
from backupctl.errors import (
    ApplianceUnreachableError,
    BackupctlError,
    CertificateError,
    OutputError,
    PinMismatchError,
    UnknownHostError,
)
from backupctl.models import Certificate
from backupctl.operations.trust import Inspected, fetch_ca_certificates, show_certificate
from backupctl.scheduler.scheduler import Mailbox, Scheduler
from tests.output.samples import a_certificate
from tests.support.clock import FakeClock
from tests.support.workers import TimedWorkers


@dataclass
class Fetched:
    certificates: tuple[Certificate, ...]
    pem: str = "PEM"
    verified: bool = False


@dataclass
class Tls:
    """An inspection with prepared answers; an error among them is raised."""

    answers: dict[str, Any] = field(default_factory=dict)
    store: str = "the system's store of CAs"
    pinned: str | None = None

    def presented_chain(self) -> tuple[tuple[Certificate, ...], bool]:
        if isinstance(answer := self.answers.get("presented_chain"), BaseException):
            raise answer
        return (a_certificate(), a_certificate(subject="CN=CA")), True

    def pin_mismatch(self) -> BackupctlError | None:
        return self.answers.get("pin_mismatch")

    def trust_error(self) -> BackupctlError | None:
        return self.answers.get("trust_error")

    def fetch_cas(self) -> Fetched:
        return Fetched((a_certificate(is_ca=True),))

    def trust_error_with(self, pem: str) -> BackupctlError | None:
        return self.answers.get("trust_error_with")


def done(clock: FakeClock, work: Any) -> Any:
    import queue

    mailbox: Mailbox = queue.SimpleQueue()
    scheduler: Scheduler[Any] = Scheduler(clock, TimedWorkers(clock), mailbox)
    (result,) = scheduler.run([work])
    return result


def inspected(tls: Tls, name_warning: str | None = None) -> Inspected:
    return Inspected("vc01", "vc01.example.com", cast("CertificateProbe", tls), name_warning)


def test_show_of_a_trusted_certificate_has_no_reason(clock: FakeClock) -> None:
    result = done(clock, show_certificate(inspected(Tls())))
    assert (result.exit_code, result.trusted, result.reason, len(result.chain)) == (0, True, None, 2)


def test_show_of_a_certificate_that_nobody_vouches_for_is_no_failure(clock: FakeClock) -> None:
    trust_error = CertificateError("the certificate expired", server="vc01.example.com")
    result = done(clock, show_certificate(inspected(Tls({"trust_error": trust_error}))))
    assert (result.exit_code, result.trusted, result.reason) == (0, False, "the certificate expired")


def test_show_with_a_pin_that_does_not_fit_shows_and_fails(clock: FakeClock) -> None:
    mismatch = PinMismatchError.of("vc01.example.com", "sha256:00", "sha256:11", selector=("-s", "vc01"))
    result = done(clock, show_certificate(inspected(Tls({"pin_mismatch": mismatch}, pinned="sha256:00"))))
    assert (result.exit_code, result.error.slug, result.certificate) == (5, "pin-mismatch", a_certificate())


@pytest.mark.parametrize(
    ("error", "code", "slug"), [(ApplianceUnreachableError("dead"), 5, "connection"), (KeyError("x"), 1, "bug")]
)
def test_show_of_what_cannot_be_looked_at_says_why(clock: FakeClock, error: Exception, code: int, slug: str) -> None:
    result = done(clock, show_certificate(inspected(Tls({"presented_chain": error}))))
    assert (result.exit_code, result.error.slug, result.certificate) == (code, slug, None)


def test_show_of_an_unknown_host_tells_what_speaks_against_its_name(clock: FakeClock) -> None:
    error = UnknownHostError("vc01: no such host name", hint="check it")
    target = inspected(Tls({"presented_chain": error}), name_warning="is vc10 meant?")
    assert done(clock, show_certificate(target)).error.hint == "is vc10 meant?; else check it"


def test_fetch_writes_once_and_says_whether_they_vouch(clock: FakeClock) -> None:
    written: list[str] = []

    def write(text: str) -> str:
        written.append(text)
        return "ca.pem"

    odd = CertificateError("the certificate is for another", server="vc01.example.com")
    result = done(clock, fetch_ca_certificates(inspected(Tls({"trust_error_with": odd})), write))
    assert (written, result.file, result.verified) == (["PEM"], "ca.pem", False)
    assert (result.vouches, result.reason) == (False, "the certificate is for another")


def test_fetch_that_cannot_be_written_still_shows_what_came(clock: FakeClock) -> None:
    def write(text: str) -> str:
        raise OutputError("cannot write ca.pem: No space left on device")

    result = done(clock, fetch_ca_certificates(inspected(Tls()), write))
    assert (result.exit_code, result.file, len(result.authorities)) == (11, None, 1)
