"""A real terminal: the live display, prompts, and how to end them."""

from pathlib import Path

import pytest

from tests import wording
from tests.support.processes import ServedAppliance, Simulators, require_program, wait_until
from tests.support.terminal import Open

pytestmark = pytest.mark.real

BAR = r"(\d+) ?%"
BACKUP_PASSWORD = "Correct-Horse1"


def without(served: ServedAppliance, *names: str) -> dict[str, str]:
    return {name: value for name, value in served.environ.items() if name.removeprefix("BACKUPCTL_") not in names}


LOCATION_LOGIN = {"BACKUPCTL_LOCATION_USER": "backup", "BACKUPCTL_LOCATION_PASSWORD": "l0cation"}


def complete(served: ServedAppliance) -> dict[str, str]:
    """Return the environment with all values that are prompted for otherwise."""
    return {**served.environ, **LOCATION_LOGIN, "BACKUPCTL_BACKUP_PASSWORD": BACKUP_PASSWORD}


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (160, 50), (40, 10)])
def test_live_bar_appears_moves_and_ends_in_the_result(
    open_terminal: Open, serve: Simulators, columns: int, rows: int
) -> None:
    environ = complete(serve(seconds="2s"))
    with open_terminal("create", environ=environ, columns=columns, rows=rows) as terminal:
        first = int(terminal.wait_for(BAR)[1])
        wait_until(lambda: (seen := terminal.find(BAR)) and first < int(seen[1]) < 100, "a bar that moves")
        assert len(terminal.find_all(BAR)) == 1
        terminal.wait_for("EXIT=0")
        assert "succeeded" in terminal.screen
        assert max(len(line) for line in terminal.screen.splitlines()) <= columns
        assert terminal.cursor_visible


def test_control_c_keeps_the_bar_and_prints_how_to_attach(open_terminal: Open, serve: Simulators) -> None:
    with open_terminal("create", environ=complete(serve(seconds="30s"))) as terminal:
        terminal.wait_for(BAR)
        terminal.press("C-c")
        terminal.wait_for("EXIT=130")
        assert "backupctl watch" in terminal.screen
        assert "Traceback" not in terminal.screen
        assert terminal.cursor_visible


def test_every_missing_value_is_prompted_for(open_terminal: Open, serve: Simulators) -> None:
    served = serve()
    environ = without(served, "SERVER", "USERNAME", "PASSWORD", "LOCATION")
    with open_terminal("create", "--location-user", "backup", environ=environ, columns=120, rows=50) as terminal:
        questions = [
            (r"Server[^\n]*: *\Z", served.url),
            (r"User name[^\n]*: *\Z", ""),
            (r"Password for administrator[^\n]*: *\Z", served.password),
            (r"Location, [^\n]*: *\Z", "nonsense"),
            (r"Location, [^\n]*: *\Z", "sftp://backup.example.com/vcenter"),
            (r"Password for backup[^\n]*: *\Z", "location-secret"),
            (r"Backup password \(leave[^\n]*: *\Z", "short"),
            (r"Backup password \(leave[^\n]*: *\Z", BACKUP_PASSWORD),
            (r"Backup password again[^\n]*: *\Z", "another"),
            (r"Backup password \(leave[^\n]*: *\Z", BACKUP_PASSWORD),
            (r"Backup password again[^\n]*: *\Z", BACKUP_PASSWORD),
        ]
        for question, text in questions:
            terminal.answer(question, text)
        terminal.wait_for("EXIT=0")
        for secret in ("location-secret", BACKUP_PASSWORD, served.password, "another"):
            assert secret not in terminal.screen
        assert wording.PASSWORDS_DIFFER in terminal.screen
        assert "encrypted" in terminal.screen


@pytest.mark.parametrize("missing", ["SERVER", "USERNAME", "PASSWORD", "LOCATION"])
@pytest.mark.parametrize(("key", "code"), [("C-c", 130), ("C-d", 2)])
def test_prompt_that_is_aborted_ends_the_run(
    open_terminal: Open, serve: Simulators, missing: str, key: str, code: int
) -> None:
    served = serve()
    environ = {**complete(served), "BACKUPCTL_BACKUP_PASSWORD": BACKUP_PASSWORD}
    del environ[f"BACKUPCTL_{missing}"]
    with open_terminal("create", environ=environ) as terminal:
        terminal.wait_for(r": *\Z")
        terminal.press(key)
        terminal.wait_for("EXIT=")
        assert f"EXIT={code}" in terminal.screen
        assert "Traceback" not in terminal.screen
        assert "Aborted" not in terminal.screen


def test_result_in_a_file_holds_no_prompt_and_no_escape(open_terminal: Open, serve: Simulators, tmp_path: Path) -> None:
    served = serve()
    result = tmp_path / "result.json"
    environ = {name: text for name, text in complete(served).items() if name[10:] not in {"USERNAME", "PASSWORD"}}
    with open_terminal("create", "-o", "json", environ=environ, rest=f"> {result}") as terminal:
        terminal.answer(r"User name[^\n]*: *\Z", "")
        terminal.answer(r"Password for[^\n]*: *\Z", served.password)
        terminal.wait_for("EXIT=0")
    assert result.read_text().startswith("{")
    assert "\x1b" not in result.read_text()


def test_terminal_that_cannot_draw_gets_lines(open_terminal: Open, serve: Simulators) -> None:
    with open_terminal("create", environ={**complete(serve()), "CI": "true"}) as terminal:
        terminal.wait_for("EXIT=0")
        assert "backup started" in terminal.screen


def test_long_page_of_the_manual_is_paged_and_ctrl_c_belongs_to_the_pager(open_terminal: Open) -> None:
    require_program("less")
    with open_terminal("help", "connection", environ={}) as terminal:
        terminal.wait_for(r"\A[^\n]*onnect[^\n]*\n(.*\n)+:$")
        terminal.press("C-c")
        terminal.type("G")
        terminal.wait_for(r"\(END\)")
        assert terminal.find("EXIT=") is None
        terminal.type("q")
        terminal.wait_for("EXIT=0")
        assert terminal.cursor_visible


def test_short_page_of_the_manual_is_printed(open_terminal: Open) -> None:
    with open_terminal("help", "completion", environ={}, rows=60) as terminal:
        terminal.wait_for("EXIT=0")
        assert terminal.find("^backupctl completion$")


def test_long_page_of_the_manual_is_printed_where_there_is_no_pager(open_terminal: Open) -> None:
    with open_terminal("help", "connection", environ={"PAGER": "/nowhere/less"}) as terminal:
        terminal.wait_for("EXIT=0")
        assert max(map(len, terminal.screen.splitlines())) <= 80
