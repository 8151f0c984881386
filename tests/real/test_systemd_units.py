"""The units of ``backupctl help systemd`` run under a real systemd."""

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import wording
from tests.real.test_setup import answer_everything
from tests.support.documents import blocks, section, text_of
from tests.support.processes import Programs, wait_until
from tests.support.systemd_machine import SECRETS, SystemdMachine, systemd_machine
from tests.support.terminal import Terminal

pytestmark = pytest.mark.real

PAGE = text_of("systemd")
UNITS = dict(re.findall(r"```ini\n# /etc/systemd/system/(\S+)\n(.*?)```", PAGE, re.DOTALL))

EXPOSURE = 20
"""The highest exposure of the service by ``systemd-analyze security``, in tenths; up to 2.0 is "OK"."""


@pytest.fixture
def machine(programs: Programs) -> Iterator[SystemdMachine]:
    """Boot a machine that has the page's units."""
    with systemd_machine(programs) as machine:
        for name, text in UNITS.items():
            machine.write(f"/etc/systemd/system/{name}", text)
        yield machine


def commands(heading: str) -> list[list[str]]:
    """Return the commands that the page shows below a heading."""
    (block,) = blocks(section(PAGE, heading), "sh")
    return [line.partition(" #")[0].split() for line in block.splitlines()]


def said(machine: SystemdMachine, unit: str) -> str:
    """Return what a unit wrote to the journal."""
    return "\n".join(entry["MESSAGE"] for entry in machine.journal(unit))


def test_units_are_valid_and_hardened(machine: SystemdMachine) -> None:
    (verify,) = (words for words in commands("Install them") if words[0] == "systemd-analyze")
    verified = machine.run("sh", "-c", " ".join(verify))
    assert (verified.code, verified.out + verified.err) == (0, "")
    rated = machine.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", "backupctl")
    assert rated.code == 0, rated.out[-200:]


def test_timer_makes_up_for_a_missed_night(machine: SystemdMachine) -> None:
    machine.serve("--job-duration", "1s")
    machine.write("/etc/systemd/system/backupctl.timer.d/test.conf", "[Timer]\nRandomizedDelaySec=0\n")
    stamp = "/var/lib/systemd/timers/stamp-backupctl.timer"
    machine.write(stamp, "")
    machine.run("touch", "-d", "2 days ago", stamp)
    for words in commands("Install them"):
        if "timer" in words[-1] or "daemon-reload" in words:
            assert machine.run(*words).code == 0
    machine.wait_for_journal("backupctl", re.compile("^Finished").search)
    assert machine.properties("backupctl", "Result", "TriggeredBy") == ["success", "backupctl.timer"]
    made = machine.job()
    assert (made["state"], made["location_user"]) == ("SUCCEEDED", "backup")
    assert made["id"] in said(machine, "backupctl")
    users = {entry["_UID"] for entry in machine.journal("backupctl") if entry["_COMM"] != "systemd"}
    assert len(users) == 1
    assert "0" not in users
    assert machine.mails() == []
    for words in commands("How do I know that it worked?"):
        assert "--since" in words or machine.run(*words).code in {0, 3}


@pytest.mark.parametrize("unit", ["backupctl", "backupctl@production"])
def test_failed_backup_fails_the_unit_and_is_mailed(machine: SystemdMachine, unit: str) -> None:
    if "@" in unit:
        text = UNITS["backupctl.service"].replace("-g production", "-g %i")
        machine.write("/etc/systemd/system/backupctl@.service", text)
    machine.serve("--job-duration", "1s", "--fault", "fail-at=40")
    assert machine.run("systemctl", "start", unit).code != 0
    assert machine.properties(unit, "Result", "ExecMainStatus") == ["exit-code", "7"]
    mail = machine.wait_for_mail()
    assert mail.startswith(f"To: root\nSubject: {unit} failed on machine\n\n")
    assert machine.job()["id"] in mail
    machine.wait_for_journal(f"backupctl-failed@{unit}", re.compile("^Finished").search)
    assert [secret for secret in SECRETS.values() if secret in mail + said(machine, unit)] == []


def test_stop_detaches_and_the_backup_keeps_running(machine: SystemdMachine) -> None:
    machine.serve("--job-duration", "10m")
    machine.run("systemctl", "start", "--no-block", "backupctl")
    job_id = machine.wait_for_journal("backupctl", re.compile(r"backup started: (\S+)").search)[1]
    assert machine.run("systemctl", "stop", "backupctl").code == 0
    assert machine.properties("backupctl", "ActiveState", "ExecMainStatus") == ["failed", "130"]
    assert f"backupctl watch {job_id}" in said(machine, "backupctl")
    assert (machine.job()["id"], machine.job()["state"]) == (job_id, "INPROGRESS")
    assert "status=130" in machine.wait_for_mail()


def test_passwords_may_be_encrypted_or_belong_to_one_server(machine: SystemdMachine) -> None:
    machine.serve("--job-duration", "1s")
    text = UNITS["backupctl.service"].replace("=password:", "=vc01:")
    (encrypt,) = re.findall(r"cd /etc/backupctl\nsystemd-creds .*", PAGE)
    encrypt = encrypt.replace("vcenter", "backup").replace("=password", "=backup-password")
    assert machine.run("sh", "-ec", encrypt).code == 0
    text = text.replace("LoadCredential=backup", "LoadCredentialEncrypted=backup").replace(
        "backup.password", "backup.cred"
    )
    machine.write("/etc/systemd/system/backupctl.service", text)
    config = machine.path("/etc/backupctl/config.toml").read_text()
    config = config.replace("[servers.vc01]", '[servers.vc01]\npassword-credential = "vc01"')
    machine.write("/etc/backupctl/config.toml", config)
    machine.run("systemctl", "daemon-reload")
    assert machine.run("systemctl", "start", "backupctl").code == 0, said(machine, "backupctl")


def test_service_and_root_keep_one_journal_in_the_state_directory(machine: SystemdMachine) -> None:
    machine.serve("--job-duration", "1s")
    config = machine.path("/etc/backupctl/config.toml").read_text()
    machine.write("/etc/backupctl/config.toml", config.replace("[defaults]", "[defaults]\njournal = true"))
    machine.run("rm", "-rf", "/var/lib/backupctl", "/var/lib/private/backupctl")
    by_hand, service = ["backupctl", "create", "-g", "production"], ["systemctl", "start", "backupctl"]
    for words in (by_hand, service, ["sh", "-c", "cd /var/lib/backupctl && mv * last-month"], by_hand, service):
        run = machine.run(*words)
        warned = wording.NOT_IN_THE_JOURNAL in run.err + said(machine, "backupctl")
        assert (run.code, warned) == (0, False), run.err
    folder = machine.path("/var/lib/private/backupctl")
    for path in folder.glob("*"):
        runs = [json.loads(line) for line in path.read_text().splitlines()]
        assert [(each["exit_code"], each["run_by"] == "root") for each in runs] == [(0, True), (0, False)]
        assert (path.stat().st_mode & 0o777, path.stat().st_uid) == (0o600, folder.stat().st_uid)
    assert len(list(folder.glob("*"))) == 2


def test_missing_password_file_fails_the_unit_as_the_page_says(machine: SystemdMachine) -> None:
    machine.serve()
    machine.path("/etc/backupctl/backup.password").unlink()
    assert machine.run("systemctl", "start", "backupctl").code != 0
    code = re.findall(r"`status=(\d+)/CREDENTIALS`", PAGE)
    assert machine.properties("backupctl", "ExecMainStatus") == code
    assert "status=243/CREDENTIALS" in machine.wait_for_mail()


def test_units_that_setup_installs_for_root_make_a_backup(
    programs: Programs, machine: SystemdMachine, tmp_path: Path
) -> None:
    machine.serve("--job-duration", "1s")
    machine.run("sh", "-c", "rm -r /etc/backupctl /etc/systemd/system/backupctl*")
    argv = machine.inside("backupctl", "setup")
    with Terminal(tmp_path, argv, programs.environ({}), columns=200, rows=60) as terminal:
        answer_everything(terminal, "127.0.0.1:8443", SECRETS["vcenter"])
        terminal.answer(r"^Run it every night.*: *\Z", "systemd")
        terminal.answer(r"^At what time.*: *\Z", "03:15")
        terminal.answer(r"^Install it now.*: *\Z", "")
        terminal.wait_for(r"Every night +at 03:15 \(systemd\)")
    assert machine.properties("backupctl.timer", "ActiveState", "UnitFileState") == ["active", "enabled"]
    assert machine.run("systemctl", "start", "backupctl").code == 0, said(machine, "backupctl")
    assert machine.properties("backupctl", "DynamicUser", "Result") == ["yes", "success"]
    listed = machine.run("backupctl", "list", "--all", "-o", "json").result["jobs"]
    assert [job["state"] for job in listed] == ["SUCCEEDED", "SUCCEEDED"]


KILLED = """
import signal
import sys
from pathlib import Path
from tests.support.processes import Programs
from tests.support.systemd_machine import systemd_machine
with systemd_machine(Programs(Path(sys.argv[1]))) as machine:
    print(machine.pid, flush=True)
    signal.pause()
"""


def test_machine_ends_when_the_tests_are_killed(programs: Programs, tmp_path: Path) -> None:
    mounts = Path("/proc/self/mountinfo")
    before = mounts.read_text()
    tests = programs.start([sys.executable, "-c", KILLED, str(tmp_path)], programs.environ({}))
    init = Path("/proc", tests.wait_for_stdout(r"^(\d+)$")[1])
    assert init.exists()
    tests.signal(signal.SIGKILL)
    wait_until(lambda: not init.exists(), "the end of the machine")
    assert mounts.read_text() == before
