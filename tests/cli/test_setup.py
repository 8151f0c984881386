"""``backupctl setup``: each answer is tried, and what is written is complete or not there."""

import os
import re
import shlex
import shutil
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from backupctl.config.config_edit import SAMPLE
from tests import wording
from tests.support.command_line import HOST, PASSWORD, USER, CommandLine, Run, ScriptedPrompter, write_private
from tests.support.memory_keyring import MemoryKeyring

LOCATION = "sftp://backup.example.com/vcenter/{server}"
BACKUP_PASSWORD = "VMw@re123"
ANSWERS = {
    "server": HOST,
    "name": "",
    "user": "",
    "password": PASSWORD,
    "location": LOCATION,
    "location user": "backup",
    "location password": "S3cret-Location",
    "backup password": BACKUP_PASSWORD,
    "repeated": BACKUP_PASSWORD,
    "another": "",
    "password place": "",
    "location password place": "",
    "backup password place": "",
    "first backup": "n",
    "nightly": "no",
}
"""The answers to all questions about one appliance; an empty one takes the default."""
HOST_2 = "vc02.example.com"
SYSTEMCTL = """#!/bin/sh
case "$*" in *is-system-running) echo running ;; *) test -e {works} ;; esac
"""
CRONTAB = """#!/bin/sh
export >> {table}.environ
case $1 in
    -l) /bin/cat {table} 2> /dev/null || {{ echo "no crontab for me" >&2; exit 1; }} ;;
    -) /bin/cat > {table} ;;
esac
"""


class Setup:
    """``backupctl setup`` with a configuration folder of its own, which nobody else can read."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder / "backupctl"
        self.path = self.folder / "config.toml"
        environ = {"XDG_CONFIG_HOME": str(folder), "PATH": str(folder)}
        self.line = CommandLine(environ=environ, others={HOST_2: {}}, **options)

    def __call__(self, *words: str, answers: Mapping[str, Any] | list[str] = ANSWERS, **options: Any) -> Run:
        complete = answers if isinstance(answers, list) else flat({**ANSWERS, **answers})
        return self.line("setup", *words, answers=complete, **options)

    @property
    def questions(self) -> str:
        return "\n".join(self.line.prompter.questions)

    @property
    def configuration(self) -> Any:
        return tomllib.loads(self.path.read_text())

    @property
    def files(self) -> dict[str, str]:
        """The content of each file but the configuration."""
        return {each.name: each.read_text() for each in self.folder.iterdir() if each != self.path}


def flat(answers: Mapping[str, Any]) -> list[str]:
    """Return the answers in order; a tuple has several, None is left out."""
    found: list[str] = []
    for answer in answers.values():
        found += answer if isinstance(answer, tuple) else [] if answer is None else [answer]
    return found


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


@pytest.fixture
def crontab(tmp_path: Path) -> Path:
    """Add a ``crontab`` program, and return the file that it keeps."""
    table, program = tmp_path / "table", tmp_path / "crontab"
    program.write_text(CRONTAB.format(table=table))
    program.chmod(0o755)
    return table


def secret_file(setup: Setup, name: str) -> str:
    return str(setup.folder / f"{name}.password")


def test_setup_writes_a_configuration_that_works_without_a_terminal(setup: Setup) -> None:
    run = setup()
    assert run.code == 0
    assert setup.configuration == {
        "defaults": {
            "username": USER,
            "password-file": secret_file(setup, "vcenter"),
            "location": LOCATION,
            "location-user": "backup",
            "location-password-file": secret_file(setup, "location"),
            "require-encryption": True,
            "backup-password-file": secret_file(setup, "backup"),
        },
        "servers": {"vc01": {"host": HOST}},
        "groups": {"production": ["vc01"]},
    }
    assert setup.files == {
        "vcenter.password": f"{PASSWORD}\n",
        "location.password": "S3cret-Location\n",
        "backup.password": f"{BACKUP_PASSWORD}\n",
    }
    assert {stat.S_IMODE(each.stat().st_mode) for each in setup.folder.iterdir()} == {0o600}
    assert all(line in setup.path.read_text().splitlines() for line in SAMPLE.splitlines())
    assert setup.line.appliance.jobs == []
    assert wording.KEEP_A_COPY in setup.questions
    created = setup.line("create", "-q", "--all")
    assert (created.code, created.out, created.err) == (0, "", "")
    assert setup.line.appliance.jobs[0].spec.location == LOCATION.format(server="vc01")


def test_secrets_are_never_printed(setup: Setup) -> None:
    run = setup("-vv", answers={"first backup": "y"})
    assert run.code == 0
    for secret in (PASSWORD, "S3cret-Location", BACKUP_PASSWORD):
        assert secret not in f"{setup.questions}{run.out}{run.err}{setup.path.read_text()}"


def test_first_backup_is_followed_to_its_end(setup: Setup) -> None:
    run = setup(answers={"first backup": "y"})
    assert (run.code, setup.line.states) == (0, ["SUCCEEDED"])
    assert LOCATION.format(server="vc01") in run.out


@pytest.mark.parametrize(
    "wrong",
    [
        {"server": ("a b", HOST)},
        {"name": ("../vc01", "vc01")},
        {"password": ("wrong", "", PASSWORD)},
        {"password": ("wrong", "", "wrong again", "", PASSWORD)},
        {"location": ("backup.example.com", LOCATION)},
        {"location password": ("S3cret-Location", LOCATION)},
        {"backup password": ("short", BACKUP_PASSWORD)},
        {"repeated": ("other", BACKUP_PASSWORD, BACKUP_PASSWORD)},
        {"backup password place": ("safe", "file")},
        {"nightly": ("perhaps", "no")},
    ],
    ids=str,
)
def test_wrong_answer_is_asked_for_again(setup: Setup, wrong: dict[str, Any]) -> None:
    assert setup(answers=wrong).code == 0
    assert setup.configuration["defaults"]["location"] == LOCATION


def test_location_that_the_appliance_rejects_is_asked_for_again_with_its_login(setup: Setup) -> None:
    wrong = "sftp://backup.example.com/vcenter/%2E%2E"
    run = setup(answers={"location": (wrong, "other", "other password", LOCATION)})
    assert run.code == 0
    assert "leaves its folder" in setup.questions
    assert setup.configuration["defaults"]["location-user"] == "backup"
    assert setup.files["location.password"] == "S3cret-Location\n"


def test_user_without_rights_reads_what_is_missing_and_can_be_another(tmp_path: Path) -> None:
    setup = Setup(tmp_path, faults=["forbidden"])
    with_rights = Interrupted(flat({name: ANSWERS[name] for name in ("server", "name", "user", "password")}))
    assert setup.line("setup", prompter=with_rights).code == 130
    assert "SystemConfiguration.Administrators" in setup.questions
    assert setup.line.prompter.questions[-2] == "User name"


class Interrupted(ScriptedPrompter):
    """A person who presses Ctrl-C when the answers are used up."""

    def _next(self, question: str) -> str:
        if not self.answers:
            self.questions.append(question)
            raise click.Abort
        return super()._next(question)


QUESTIONS = len(flat(ANSWERS))
SAVED = list(ANSWERS).index("first backup")


@pytest.mark.parametrize("number", range(QUESTIONS))
def test_interruption_at_a_question_leaves_everything_or_nothing(setup: Setup, number: int) -> None:
    run = setup.line("setup", prompter=Interrupted(flat(ANSWERS)[:number]))
    assert run.code == 130
    if number < SAVED:
        assert not setup.folder.exists()
        assert wording.NOTHING_WAS_WRITTEN in setup.questions
    else:
        assert set(setup.files) == {"vcenter.password", "location.password", "backup.password"}
        assert set(setup.configuration["servers"]) == {"vc01"}
        assert str(setup.path) in setup.questions


def test_second_run_adds_a_server_and_keeps_the_rest(setup: Setup) -> None:
    setup()
    before, comment = setup.path.read_text(), "# ours\n"
    write_private(setup.path, comment + before)
    assert setup(answers=[HOST_2, "", "", "", "n", "", "n", "no"]).code == 0
    both = before.replace('["vc01"]', '["vc01", "vc02"]')
    group = both[both.index("\n[groups]\n") :]
    added = '\n[servers.vc02]\nhost = "vc02.example.com"\n'
    assert setup.path.read_text() == f"{comment}{both.removesuffix(group)}{added}{group}"
    assert setup.line("create", "-q", "--all").code == 0
    assert [job.spec.location for job in setup.line.others[HOST_2].jobs] == [LOCATION.format(server="vc02")]


def test_second_run_adds_to_the_group_that_is_there(setup: Setup) -> None:
    setup()
    write_private(setup.path, setup.path.read_text().replace('production = ["vc01"]', 'all = ["vc01"] # both'))
    assert setup(answers=[HOST_2, "", "", "", "n", "", "n", "no"]).code == 0
    assert setup.path.read_text().endswith('[groups]\nall = ["vc01", "vc02"] # both\n')


def test_several_servers_share_the_answers_and_a_group(setup: Setup) -> None:
    first = flat(ANSWERS)[: list(ANSWERS).index("another")]
    run = setup(answers=[*first, "y", HOST_2, "", "", "", "", "n", "all", "", "", "", "y", "no"])
    assert run.code == 0
    assert setup.configuration["groups"] == {"all": ["vc01", "vc02"]}
    assert setup.configuration["servers"] == {"vc01": {"host": HOST}, "vc02": {"host": HOST_2}}
    assert [len(each.jobs) for each in (setup.line.appliance, *setup.line.others.values())] == [1, 1]


def test_other_answers_for_a_second_server_are_in_its_table(setup: Setup) -> None:
    setup.line.others[HOST_2].sessions.password = "Other1!"
    first = flat(ANSWERS)[: list(ANSWERS).index("another")]
    location = "nfs://nfs.example.com/vcenter"
    second = [HOST_2, "", "", "Other1!", location, "n"]
    run = setup(answers=[*first, "y", *second, "", "", "", "", "", "n", "no"])
    assert run.code == 0
    assert setup.configuration["servers"]["vc02"] == {
        "host": HOST_2,
        "username": USER,
        "password-file": secret_file(setup, "vc02.vcenter"),
        "location": location,
    }
    assert setup.files["vc02.vcenter.password"] == "Other1!\n"
    assert setup.line("create", "-q", "--all").code == 0


def test_password_of_another_server_is_sent_only_after_an_answer_and_offered_once(setup: Setup) -> None:
    first = flat(ANSWERS)[: list(ANSWERS).index("another")]
    setup.line("setup", prompter=Interrupted([*first, "y", HOST_2, "", ""]))
    assert setup.questions.count("Password for administrator@vsphere.local") == 2
    assert len(setup.line.others[HOST_2].requests) == 0
    setup.line.others[HOST_2].sessions.password = "Other1!"
    setup.line("setup", prompter=Interrupted([*first, "y", HOST_2, "", "", "", "", "", "Other1!"]))
    assert setup.questions.count("leave empty for the same one") == 1


def test_password_of_a_new_server_leaves_that_of_the_others(setup: Setup) -> None:
    setup()
    setup.line.others[HOST_2].sessions.password = "Other1!"
    assert setup(answers=[HOST_2, "", "", "", "Other1!", "", "n", "", "", "n", "no"]).code == 0
    assert setup.files["vcenter.password"] == f"{PASSWORD}\n"
    assert setup.files["vc02.vcenter.password"] == "Other1!\n"
    assert setup.line("create", "-q", "--all").code == 0


def test_server_that_is_set_up_is_not_asked_for_again(setup: Setup) -> None:
    first = flat(ANSWERS)[: list(ANSWERS).index("another")]
    assert setup(answers=[*first, "y", HOST, HOST_2, "", "", "", "", "n", "", "", "", "", "n", "no"]).code == 0
    assert setup.configuration["servers"].keys() == {"vc01", "vc02"}


def test_server_that_is_set_up_is_not_offered_again(setup: Setup) -> None:
    setup()
    setup.line("setup", prompter=Interrupted([HOST, "", "", "y"]))
    assert setup.questions.count("1  vc01") == 1


def changed_password(setup: Setup, *answers: str) -> Run:
    """Set up a server again whose password has changed."""
    setup()
    setup.line.appliance.sessions.password = "Changed1!"
    return setup(answers=[HOST, "", "", "Changed1!", "", "n", "", *answers, "n", "no"])


def test_second_run_replaces_a_password_only_if_confirmed(setup: Setup) -> None:
    assert changed_password(setup, "y").code == 0
    assert setup.files["vcenter.password"] == "Changed1!\n"
    assert setup.configuration["defaults"]["password-file"] == secret_file(setup, "vcenter")


def test_password_that_is_not_replaced_is_kept_beside_the_new_one(setup: Setup) -> None:
    assert changed_password(setup, "n").code == 0
    assert (setup.files["vcenter.password"], setup.files["vcenter-2.password"]) == (f"{PASSWORD}\n", "Changed1!\n")
    assert setup.configuration["defaults"]["password-file"] == secret_file(setup, "vcenter-2")


def test_second_run_changes_user_and_location_with_their_secrets(setup: Setup) -> None:
    setup()
    setup.line.appliance.sessions.username = "other@vsphere.local"
    location = "ftps://ftp.example.com/{server}"
    changed = [HOST, "other@vsphere.local", PASSWORD, location, "ftp", "S3cret-Location"]
    assert setup(answers=[*changed, "n", "", "", "n", "no"]).code == 0
    assert setup.configuration["defaults"]["username"] == "other@vsphere.local"
    assert setup.configuration["defaults"]["location"] == location
    assert setup.configuration["servers"] == {"vc01": {"host": HOST}}


def test_location_of_the_file_that_does_not_work_is_asked_for_again(setup: Setup) -> None:
    setup()
    write_private(setup.path, setup.path.read_text().replace("vcenter/{server}", "%2E%2E"))
    assert setup(answers=[HOST, "", "", LOCATION, "backup", "S3cret-Location", "n", "", "n", "no"]).code == 0
    assert setup.configuration["defaults"]["location"] == LOCATION


def test_second_run_without_changes_leaves_the_file_as_it_is(setup: Setup) -> None:
    setup()
    before = setup.path.read_text()
    assert setup(answers=[HOST, "", "", "n", "n", "no"]).code == 0
    assert setup.path.read_text() == before
    assert f"Unchanged: {setup.path}" in setup.questions


def test_pinned_server_keeps_its_name_pin_and_comments(setup: Setup) -> None:
    pin = f"sha256:{'0' * 64}"
    pinned = f'# by hand\n[servers."{HOST}"]\nhost = "{HOST}" # here\nfingerprint = "{pin}"\n'
    setup.folder.mkdir()
    write_private(setup.path, pinned)
    assert setup(answers={"name": None}).code == 0
    assert setup.path.read_text().endswith(f'\n{pinned}\n[groups]\nproduction = ["{HOST}"]\n')
    assert setup.configuration["defaults"]["location"] == LOCATION


def test_server_that_is_only_pinned_gets_nothing_from_a_new_one(setup: Setup) -> None:
    setup.folder.mkdir()
    write_private(setup.path, f'[servers.old]\nhost = "{HOST_2}"\n')
    assert setup(answers=ANSWERS).code == 0
    assert setup.configuration["defaults"] == {}
    assert setup.configuration["servers"]["old"] == {"host": HOST_2}
    assert setup.configuration["servers"]["vc01"]["password-file"] == secret_file(setup, "vc01.vcenter")


def test_secret_can_come_from_a_command_that_prints_it(setup: Setup, tmp_path: Path) -> None:
    write_private(tmp_path / "right", PASSWORD)
    write_private(tmp_path / "wrong", "other")
    commands = ("command", f"/bin/cat {tmp_path}/wrong", "command", f"/bin/cat {tmp_path}/right")
    assert setup(answers={"password place": commands}).code == 0
    assert setup.configuration["defaults"]["password-command"] == ["/bin/cat", f"{tmp_path}/right"]
    assert set(setup.files) == {"location.password", "backup.password"}


def test_secret_can_be_in_the_keyring_but_not_for_a_nightly_run(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, memory: MemoryKeyring
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() or 1000)
    memory.entries["password"] = "old"
    places = {"password place": ("keyring", "n", "keyring", "y"), "nightly": None}
    assert setup(answers=places).code == 0
    assert memory.entries == {"password": PASSWORD}
    assert setup.configuration["defaults"]["password-keyring"] == "password"
    assert wording.NOT_WITH_THE_KEYRING in setup.questions


def test_keyring_keeps_its_password_until_everything_is_answered(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, memory: MemoryKeyring
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() or 1000)
    memory.entries["password"] = "old"
    answers = flat({**ANSWERS, "password place": ("keyring", "y")})
    stop = answers.index("keyring") + 2
    assert setup.line("setup", prompter=Interrupted(answers[:stop])).code == 130
    assert memory.entries == {"password": "old"}


class Editor(ScriptedPrompter):
    """A person who breaks the configuration file with an editor before the last answer."""

    path: Path

    def _next(self, question: str) -> str:
        if "has another password" in question:
            write_private(self.path, "[defaults")
        return super()._next(question)


def test_password_file_stays_the_same_when_the_configuration_cannot_be_written(setup: Setup) -> None:
    setup()
    setup.line.appliance.sessions.password = "Changed1!"
    editor = Editor([HOST, "", "", "Changed1!", "", "n", "", "y"])
    editor.path = setup.path
    assert setup.line("setup", prompter=editor).code == 3
    assert setup.files["vcenter.password"] == f"{PASSWORD}\n"


def test_keyring_is_not_offered_to_root(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert setup(answers={"password place": ("keyring", "file")}).code == 0


@pytest.mark.parametrize("words", [(), ("-o", "json")])
def test_setup_without_a_terminal_says_what_to_do_instead(setup: Setup, words: tuple[str, ...]) -> None:
    run = setup.line("setup", *words)
    assert run.code == 2
    assert "config init" in run.out + run.err


def test_no_encryption_is_an_answer_that_later_runs_do_not_ask_for(setup: Setup) -> None:
    assert setup(answers={"backup password": "", "repeated": None, "backup password place": None}).code == 0
    assert setup.configuration["defaults"]["require-encryption"] is False
    assert wording.KEEP_A_COPY not in setup.questions
    assert setup.line("create", "--all", answers=[]).code == 0


def test_file_that_cannot_be_written_is_an_error_before_the_first_question(setup: Setup) -> None:
    run = setup("--config", "/dev/null/config.toml", answers=[])
    assert run.code == 11
    assert "/dev/null is not a folder" in run.err


def test_simulated_setup_writes_to_a_temporary_folder(setup: Setup, tmp_path: Path) -> None:
    answers = flat({name: ANSWERS[name] for name in ("location", "location user", "location password")})
    run = setup("--simulate", answers=[*answers, BACKUP_PASSWORD, BACKUP_PASSWORD, "", "", "y"])
    assert run.code == 0
    assert not setup.folder.exists()
    (path,) = re.findall(r"Configuration +(\S+/backupctl-setup-\w+)/config\.toml", setup.questions)
    assert {each.name for each in Path(path).iterdir()} == {"config.toml", "location.password", "backup.password"}
    shutil.rmtree(path)


@pytest.fixture
def systemctl(tmp_path: Path) -> Path:
    """Add a ``systemctl`` program that can enable a timer if the file that is returned exists."""
    works, program = tmp_path / "works", tmp_path / "systemctl"
    program.write_text(SYSTEMCTL.format(works=works))
    program.chmod(0o755)
    return works


def nightly_words(crontab: Path) -> list[list[str]]:
    """Return the words behind the program of each line."""
    return [shlex.split(line.partition(" create ")[2]) for line in crontab.read_text().splitlines()]


def test_nightly_run_backs_up_only_what_was_set_up(setup: Setup, crontab: Path) -> None:
    setup.folder.mkdir()
    write_private(setup.path, f'[servers.old]\nhost = "{HOST_2}"\n')
    assert setup(answers={"nightly": ("cron", "02:30", "")}).code == 0
    (words,) = nightly_words(crontab)
    assert setup.line("create", *words).code == 0
    assert (len(setup.line.appliance.jobs), len(setup.line.others[HOST_2].requests)) == (1, 0)


def test_nightly_run_stays_the_same_when_a_server_is_added(setup: Setup, crontab: Path) -> None:
    nightly = ("cron", "02:30", "")
    assert setup(answers={"nightly": nightly}).code == 0
    assert setup(answers=[HOST_2, "", "", "", "n", "", "n", *nightly]).code == 0
    (words,) = nightly_words(crontab)
    assert setup.line("create", *words).code == 0
    assert [len(each.jobs) for each in (setup.line.appliance, *setup.line.others.values())] == [1, 1]


def test_nightly_run_needs_no_variable_of_the_shell(setup: Setup, crontab: Path) -> None:
    assert setup(answers={"nightly": ("cron", "02:30", "")}).code == 0
    (words,) = nightly_words(crontab)
    assert words == ["-q", "-g", "production", "--config", str(setup.path)]
    assert setup.line("create", *words, environ={}).code == 0


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({"BACKUPCTL_PROXY": "proxy.example.com:3128"}, "http://proxy.example.com:3128"),
        ({"HTTPS_PROXY": "http://proxy.example.com:3128"}, "http://proxy.example.com:3128"),
        ({"BACKUPCTL_PROXY": "none", "HTTPS_PROXY": "http://proxy.example.com:3128"}, "none"),
        ({"NO_PROXY": ".example.com", "HTTPS_PROXY": "http://proxy.example.com:3128"}, None),
    ],
)
def test_proxy_of_the_shell_is_written_for_the_nightly_run(
    setup: Setup, variables: dict[str, str], proxy: str | None
) -> None:
    setup.line.environ |= variables
    assert setup().code == 0
    assert setup.configuration["servers"]["vc01"].get("proxy") == proxy


def test_login_of_a_proxy_is_not_written(setup: Setup) -> None:
    setup.line.environ["BACKUPCTL_PROXY"] = "http://me:S3cret-Proxy@proxy.example.com:3128"
    assert setup().code == 0
    assert wording.PROXY_LOGIN_NOT_WRITTEN in setup.questions
    assert "S3cret-Proxy" not in setup.questions + setup.path.read_text()


def test_other_time_replaces_the_line_of_the_crontab_if_confirmed(setup: Setup, crontab: Path) -> None:
    crontab.write_bytes(b"0 1 * * * echo \xe9\n# ours\n")
    again = [HOST, "", "", "n", "n", "cron"]
    assert setup(answers={"nightly": ("cron", "02:30", "")}).code == 0
    (line,) = crontab.read_text(errors="replace").splitlines()[2:]
    crontab.write_bytes(f"#{line}\n".encode() + crontab.read_bytes())
    first = crontab.read_bytes()
    assert setup(answers=[*again, "03:15", "n"]).code == 0
    assert crontab.read_bytes() == first
    assert setup(answers=[*again, "03:15", "y"]).code == 0
    assert crontab.read_bytes() == first.replace(b"\n30 2 ", b"\n15 3 ")
    assert first.startswith(f"#{line}\n".encode() + b"0 1 * * * echo \xe9\n# ours\n30 2 ")
    assert setup(answers=[*again, "03:15", ""]).code == 0
    assert crontab.read_bytes() == first.replace(b"\n30 2 ", b"\n15 3 ")


def test_programs_for_the_nightly_run_get_no_secret(setup: Setup, crontab: Path) -> None:
    setup.line.environ |= {"BACKUPCTL_PASSWORD": PASSWORD, "VC_PASSWORD": PASSWORD, "EDITOR": "vi"}
    setup.folder.mkdir()
    write_private(setup.path, f'[servers.old]\nhost = "{HOST_2}"\npassword-env = "VC_PASSWORD"\n')
    assert setup(answers={"nightly": ("cron", "02:30", "")}).code == 0
    variables = crontab.with_suffix(".environ").read_text()
    assert "EDITOR" in variables
    assert PASSWORD not in variables


def test_unit_that_is_no_text_is_replaced_if_confirmed(setup: Setup, systemctl: Path) -> None:
    systemctl.touch()
    unit = setup.folder.parent / "systemd" / "user" / "backupctl.service"
    unit.parent.mkdir(parents=True)
    unit.write_bytes(b"\xff\xfe")
    assert setup(answers={"nightly": ("systemd", "02:30", "y")}).code == 0
    assert "ExecStart=" in unit.read_text()


def test_timer_that_cannot_be_enabled_is_not_called_installed(setup: Setup, systemctl: Path) -> None:
    assert setup(answers={"nightly": ("systemd", "02:30", "")}).code == 0
    assert f"Every night      {wording.NIGHTLY_RUN_NOT_INSTALLED('systemd')}" in setup.questions
    assert "# then:\nsystemctl --user daemon-reload\n" in setup.questions
    systemctl.touch()
    setup(answers=[HOST, "", "", "n", "n", "systemd", "02:30", ""])
    assert "Every night      at 02:30 (systemd)" in setup.questions


def test_summary_says_that_the_first_backup_failed(tmp_path: Path) -> None:
    setup = Setup(tmp_path, faults=["fail-at=40"])
    assert setup(answers={"first backup": "y"}).code == 7
    assert wording.FIX_THE_ERROR_ABOVE in setup.questions
