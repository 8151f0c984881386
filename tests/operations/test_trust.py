"""Show certificates and fetch CA certificates: results and their errors."""

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
from backupctl.operations.trust import ProbedAppliance, fetch_ca_certificates, show_certificate
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
class FakeProbe:
    """A probe with scripted answers; an error among them is raised."""

    answers: dict[str, Any] = field(default_factory=dict)
    store: str = "the system's CA store"
    pinned: str | None = None
    needs_ca: bool = True

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


def run(clock: FakeClock, work: Any) -> Any:
    import queue

    mailbox: Mailbox = queue.SimpleQueue()
    scheduler: Scheduler[Any] = Scheduler(clock, TimedWorkers(clock), mailbox)
    (result,) = scheduler.run([work])
    return result


def probe_target(tls: FakeProbe, name_warning: str | None = None) -> ProbedAppliance:
    return ProbedAppliance("vc01", "vc01.example.com", cast("CertificateProbe", tls), name_warning)


def test_show_of_a_trusted_certificate_has_no_reason(clock: FakeClock) -> None:
    result = run(clock, show_certificate(probe_target(FakeProbe())))
    assert (result.exit_code, result.trusted, result.reason, len(result.chain)) == (0, True, None, 2)


def test_show_of_an_untrusted_certificate_is_no_failure(clock: FakeClock) -> None:
    distrust = CertificateError("the certificate expired", server="vc01.example.com")
    result = run(clock, show_certificate(probe_target(FakeProbe({"trust_error": distrust}))))
    assert (result.exit_code, result.trusted, result.reason) == (0, False, "the certificate expired")


def test_show_with_a_wrong_pin_returns_certificate_and_error(clock: FakeClock) -> None:
    mismatch = PinMismatchError.of("vc01.example.com", "sha256:00", "sha256:11", selector=("-s", "vc01"))
    result = run(clock, show_certificate(probe_target(FakeProbe({"pin_mismatch": mismatch}, pinned="sha256:00"))))
    assert (result.exit_code, result.error.slug, result.certificate) == (5, "pin-mismatch", a_certificate())


@pytest.mark.parametrize(
    ("error", "code", "slug"), [(ApplianceUnreachableError("dead"), 5, "connection"), (KeyError("x"), 1, "bug")]
)
def test_show_without_a_certificate_returns_the_error(clock: FakeClock, error: Exception, code: int, slug: str) -> None:
    result = run(clock, show_certificate(probe_target(FakeProbe({"presented_chain": error}))))
    assert (result.exit_code, result.error.slug, result.certificate) == (code, slug, None)


def test_show_of_an_unknown_host_adds_the_name_warning(clock: FakeClock) -> None:
    error = UnknownHostError("vc01: unknown host", hint="check it")
    target = probe_target(FakeProbe({"presented_chain": error}), name_warning="is vc10 meant?")
    assert run(clock, show_certificate(target)).error.hint == "is vc10 meant?; else check it"


def test_fetch_writes_once_and_says_whether_the_certificate_is_valid(clock: FakeClock) -> None:
    written: list[str] = []

    def write(text: str) -> str:
        written.append(text)
        return "ca.pem"

    wrong_host = CertificateError("another host", server="vc01.example.com")
    result = run(clock, fetch_ca_certificates(probe_target(FakeProbe({"trust_error_with": wrong_host})), write))
    assert (written, result.file, result.verified) == (["PEM"], "ca.pem", False)
    assert (result.vouches, result.reason) == (False, "another host")


def test_fetch_without_written_file_returns_the_certificates(clock: FakeClock) -> None:
    def write(text: str) -> str:
        raise OutputError("cannot write ca.pem: No space left on device")

    result = run(clock, fetch_ca_certificates(probe_target(FakeProbe()), write))
    assert (result.exit_code, result.file, len(result.authorities)) == (11, None, 1)
