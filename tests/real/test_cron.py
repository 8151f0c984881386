"""The crontab of ``backupctl help cron`` runs once under a real cron, which mails what it prints."""

import re
from collections.abc import Iterator

import pytest

from tests.support.documents import blocks, text_of
from tests.support.processes import Programs, require_program
from tests.support.systemd_machine import SECRETS, SystemdMachine, systemd_machine

pytestmark = pytest.mark.real

CRONTAB = blocks(text_of("cron"), "crontab")[0]


@pytest.fixture
def machine(programs: Programs) -> Iterator[SystemdMachine]:
    """Boot a machine whose cron has the page's crontab and wakes up seconds before it is due."""
    cron, faketime = require_program("cron"), require_program("faketime")
    minute, hour = re.findall(r"(?m)^(\d+) (\d+) \* \* \* ", CRONTAB)[0]
    before = f"2026-03-01 {int(hour):02}:{int(minute) - 1:02}:40"
    with systemd_machine(programs) as machine:
        machine.path("/etc/crontab").unlink()
        machine.run("sh", "-c", "rm -f /etc/cron.d/*")
        machine.write("/var/spool/cron/crontabs/root", CRONTAB, 0o600)
        start = f"[Service]\nExecStart={faketime} -f '@{before} x10' {cron} -f\n"
        machine.write("/etc/systemd/system/cron.service", start)
        yield machine


def run_cron(machine: SystemdMachine) -> None:
    """Run cron until the job of the crontab has ended."""
    machine.run("systemctl", "start", "cron")
    machine.wait_for_journal("cron", re.compile("session closed for user root").search)
    machine.run("systemctl", "stop", "cron")


def test_crontab_sends_no_mail_when_the_backup_succeeds(machine: SystemdMachine) -> None:
    machine.serve("--job-duration", "1s")
    run_cron(machine)
    assert machine.job()["state"] == "SUCCEEDED"
    assert machine.mails() == []


def test_crontab_sends_one_mail_when_the_backup_fails(machine: SystemdMachine) -> None:
    machine.serve("--job-duration", "1s", "--fault", "fail-at=40")
    run_cron(machine)
    (mail,) = machine.mails()
    assert re.findall(r"(?m)^MAILTO=(.*)$", CRONTAB) == re.findall(r"(?m)^To: (.*)$", mail)
    assert machine.job()["id"] in mail
    assert "BackupManager encountered an exception" in mail
    assert [secret for secret in SECRETS.values() if secret in mail] == []
