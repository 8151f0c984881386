"""The README and the documents of developers are correct: links, commands, tables of tests, picture."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.documented_setup import DocumentedSetup
from tests.support.documents import PROJECT, README, TOPICS, blocks, rows, section
from tests.support.readme_picture import picture

TEXT = README.read_text(encoding="utf-8")
TESTS = PROJECT / "tests" / "README.md"
DOCUMENTS = (README, TESTS, *sorted((PROJECT / ".github").glob("*.md")))
MAX_LINES = 160


def test_readme_is_short() -> None:
    assert len(TEXT.splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", [*DOCUMENTS, *TOPICS], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        file, _, heading = target.partition("#")
        if not file.startswith("https://"):
            assert (path.parent / file).exists(), target
            assert not heading, f"{target}: name the section in words"


def test_readme_lists_every_topic() -> None:
    linked = re.findall(r"\]\(backupctl/help/([a-z-]+)\.md\)", TEXT)
    assert sorted(linked) == [path.stem for path in TOPICS]


def test_readme_first_command_makes_a_simulated_backup_without_a_question(backupctl: CommandLine) -> None:
    line = next(block for block in blocks(TEXT, "sh") if ".venv-try" in block)
    command, _, stdin = line.rpartition("bin/backupctl ")[2].partition("<")
    assert stdin.strip() == "/dev/null"
    assert backupctl(*shlex.split(command), environ={}).code == 0


def test_crontab_of_the_readme_prints_nothing_when_all_backups_succeed(tmp_path: Path) -> None:
    (crontab,) = blocks(TEXT, "crontab")
    setup = DocumentedSetup(tmp_path)
    run = setup.run_line(crontab.splitlines()[-1].partition(" backupctl ")[2])
    assert (run.code, run.out, run.err) == (0, "", "")
    setup.assert_production_is_backed_up()


def test_readme_picture_is_up_to_date() -> None:
    def words(svg: str) -> list[str]:
        return re.findall(r"<text [^>]*>([^<]*)</text>", svg)

    drawn = (PROJECT / ".github" / "create.svg").read_text(encoding="utf-8")
    assert words(drawn) == words(picture())
    assert "succeeded" in drawn


PROMISES = rows(section(TESTS.read_text(encoding="utf-8"), "Which tests hold the promises"))


def test_map_of_the_tests_names_existing_tests_for_each_promise() -> None:
    named = [re.findall(r"`([^`]+)`", tests) for _, tests in PROMISES]
    assert all(named)
    assert [path for paths in named for path in paths if not (PROJECT / "tests" / path).is_file()] == []


def test_map_of_the_tests_has_the_promises_of_the_manual() -> None:
    manual = section((PROJECT / "backupctl" / "help" / "security.md").read_text(encoding="utf-8"), "The promises")
    promised = re.findall(r"(?m)^\* \*\*(.+?)\.?\*\*", manual)
    assert len(promised) == len(re.findall(r"(?m)^\* ", manual))
    assert set(promised) <= {promise.partition(":")[0] for promise, _ in PROMISES}


def test_map_of_the_tests_names_every_module_of_tests_support() -> None:
    named = re.findall(r"`([a-z_]+)`", TESTS.read_text(encoding="utf-8"))
    assert {path.stem for path in (PROJECT / "tests" / "support").glob("[a-z]*.py")} - set(named) == set()
