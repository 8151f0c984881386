"""The verdict of pip-audit: clean, vulnerable, or not audited, which does not count as clean."""

import json
import sys
from enum import IntEnum
from typing import Any


class Verdict(IntEnum):
    """The verdict of an audit; the value is the exit code of this script."""

    CLEAN = 0
    VULNERABLE = 1
    NOT_AUDITED = 2


def judge(report: str) -> tuple[Verdict, list[str]]:
    """Return the verdict for the output of ``pip-audit --format json``, and lines that explain it.

    Without access to the database there is no JSON, or every package is skipped. One skipped package is enough for
    ``NOT_AUDITED``.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict.NOT_AUDITED, ["pip-audit gave no report"]
    found = [
        f"{package['name']} {package['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'none'}"
        for package in packages
        for each in package.get("vulns", ())
    ]
    if found:
        return Verdict.VULNERABLE, found
    skipped = [f"{package['name']}: {package['skip_reason']}" for package in packages if "skip_reason" in package]
    if skipped or not packages:
        return Verdict.NOT_AUDITED, skipped or ["there was nothing to audit"]
    return Verdict.CLEAN, [f"{package['name']} {package['version']}" for package in packages]


if __name__ == "__main__":
    verdict, lines = judge(sys.stdin.read())
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.exit(verdict)  # noqa: TID251 - a program of its own
