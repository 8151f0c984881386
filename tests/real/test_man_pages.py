"""The man pages, checked and shown by the programs of man-db and mandoc."""

from pathlib import Path

import pytest

from backupctl.cli.manual_pages import man_pages
from tests.support.processes import Programs, require_program

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the file of each page by its name, below a folder ``share/man``."""
    folder = tmp_path_factory.mktemp("share") / "man"
    files = {}
    for path, text in man_pages("2026-03-01"):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        files[file.stem] = file
    return files


def test_mandoc_has_no_complaint_about_any_page(programs: Programs, pages: dict[str, Path]) -> None:
    argv = [require_program("mandoc"), "-Tlint", *map(str, pages.values())]
    run = programs.start(argv, programs.environ({})).wait()
    assert (run.code, run.out, run.err) == (0, "", "")


def test_man_has_no_warning_about_any_page(programs: Programs, pages: dict[str, Path]) -> None:
    man = require_program("man")
    for page in pages.values():
        run = programs.start([man, "-l", "--warnings", str(page)], programs.environ({"MANWIDTH": "80"})).wait()
        assert (run.code, run.err) == (0, ""), page
        assert run.out.startswith(page.stem.upper()), page


def test_man_finds_pages_by_name_and_shows_text_that_can_be_copied(programs: Programs, pages: dict[str, Path]) -> None:
    folder = str(pages["backupctl"].parents[1])
    environ = programs.environ({"MANPATH": folder, "MANWIDTH": "80", "LANG": "C.UTF-8"})
    man = require_program("man")
    assert "backupctl create --simulate --location sftp://" in programs.start([man, "backupctl"], environ).wait().out
    create = programs.start([man, "backupctl-create"], environ).wait().out
    assert "--location-password-file FILE\n" in create
    assert "BACKUPCTL_LOCATION_PASSWORD_FILE" in create
    assert "(default: the location's scheme)" in create
    assert "--server SERVER" in programs.start([man, "7", "backupctl-connection"], environ).wait().out
