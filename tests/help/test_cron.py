"""The mails of ``help cron`` are what the program prints, word for word."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support.documented_setup import DocumentedSetup
from tests.support.documents import blocks, section, text_of
from tests.support.intercept import Send, amend_jobs, message

TEXT = text_of("cron")
FULL = "BackupManager encountered an exception. No space left on device"


def unreachable(setup: DocumentedSetup) -> None:
    def refuse(_request: httpx.Request, _send: Send) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    setup.run.lines["vc02.example.com"].intercept = refuse


def full(setup: DocumentedSetup) -> None:
    texts = {"messages": [message(FULL)]}
    setup.run.others["vc02.example.com"].inject("fail-at=40")
    setup.run.lines["vc02.example.com"].intercept = amend_jobs(texts, texts)


def slow(setup: DocumentedSetup) -> None:
    setup.run.others["vc02.example.com"].job_duration = 8 * 3600.0


def run_at_night(folder: Path, happens: Callable[[DocumentedSetup], None]) -> tuple[int, str]:
    """Run the line of the crontab, and return its exit code and the mail of cron."""
    setup = DocumentedSetup(folder, job_duration=1260.0)
    happens(setup)
    (crontab,) = blocks(TEXT, "crontab")
    run = setup.run_line(crontab.splitlines()[-1].partition(" backupctl ")[2])
    return run.code, (run.out + run.err).replace(str(folder), "/etc/backupctl")


def test_success_sends_no_mail(tmp_path: Path) -> None:
    assert run_at_night(tmp_path, lambda _: None) == (0, "")


@pytest.mark.parametrize(
    ("heading", "happens", "code"),
    [
        ("The mail when an appliance is unreachable", unreachable, 5),
        ("The mail when a backup fails", full, 7),
        ("The mail when a backup takes too long", slow, 8),
    ],
)
def test_mail_of_a_failure_is_the_one_of_the_page(
    tmp_path: Path, heading: str, happens: Callable[[DocumentedSetup], None], code: int
) -> None:
    (mail,) = blocks(section(TEXT, heading), "text")
    assert run_at_night(tmp_path, happens) == (code, mail)
