"""The package metadata: dependencies and their lowest versions, systems, types; and the verdict of pip-audit."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.audit_report import Verdict, judge
from tests.support.lowest_versions import lowest_versions
from tests.support.source import imports

PROJECT = Path(__file__).parent.parent
PYPROJECT = PROJECT / "pyproject.toml"
POSIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios", "tty")
STANDARD_LIBRARY_AND_OWN = {"backupctl", *sys.stdlib_module_names}


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    return found


def report(**packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": [{"name": name, "version": "1.0", **more} for name, more in packages.items()]})


def test_every_dependency_has_a_lower_bound_in_the_constraints() -> None:
    lowest = dict(line.partition(";")[0].split("==") for line in lowest_versions(PYPROJECT))
    assert set(lowest) >= {"click", "httpcore", "httpx", "keyring", "msgspec", "pytest", "rich", "tomlkit", "trustme"}


@pytest.mark.parametrize("requirement", ["click", "click<9", "click==8.5", "???"])
def test_dependency_without_a_lower_bound_is_an_error(tmp_path: Path, requirement: str) -> None:
    file = tmp_path / "pyproject.toml"
    text = f'[project]\nname = "x"\ndependencies = ["{requirement}"]\n[project.optional-dependencies]\nnone = []\n'
    file.write_text(text)
    with pytest.raises(ValueError, match=r"lower bound|no requirement"):
        list(lowest_versions(file))


def test_every_imported_package_is_a_declared_dependency() -> None:
    imported = {each.target.partition(".")[0] for each in imports()}
    extras = project()["optional-dependencies"]
    named = "\n".join(
        [*project()["dependencies"], *extras["keyring"], *extras["notify"], *extras["simulator"], *extras["targets"]]
    )
    assert {name for name in imported - STANDARD_LIBRARY_AND_OWN if name.replace("_", "-") not in named} == set()


def test_package_declares_its_operating_systems() -> None:
    systems = {each for each in project()["classifiers"] if each.startswith("Operating System ::")}
    assert systems == {f"Operating System :: {system}" for system in ("MacOS", "POSIX", "POSIX :: Linux")}


def test_start_on_windows_is_an_error_that_names_the_supported_systems() -> None:
    code = f"""
import os, sys
os.name = "nt"
sys.modules.update(dict.fromkeys({POSIX_ONLY}))
from backupctl.__main__ import main
main()
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "error: backupctl runs on Linux and macOS only\n")


def test_package_is_declared_as_typed() -> None:
    assert (PROJECT / "backupctl" / "py.typed").exists()
    assert "Typing :: Typed" in project()["classifiers"]


VULNERABLE = {"vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
SKIPPED = {"skip_reason": "not found"}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (report(a={"vulns": []}, b={"vulns": []}), Verdict.CLEAN),
        (report(a=VULNERABLE, b=SKIPPED), Verdict.VULNERABLE),
        (report(a={"vulns": []}, b=SKIPPED), Verdict.NOT_AUDITED),
        (report(a=SKIPPED), Verdict.NOT_AUDITED),
        (report(), Verdict.NOT_AUDITED),
        ("", Verdict.NOT_AUDITED),
        ("Traceback", Verdict.NOT_AUDITED),
        ("[]", Verdict.NOT_AUDITED),
    ],
)
def test_incomplete_audit_does_not_count_as_clean(text: str, verdict: Verdict) -> None:
    found, lines = judge(text)
    assert found is verdict
    assert lines
