"""What pip-audit found out, in a word: clean, vulnerable, or not audited, which is no kind of clean."""

import json
import sys
from enum import IntEnum
from typing import Any


class Verdict(IntEnum):
    """How an audit ended; the value is the exit code of this script."""

    CLEAN = 0
    VULNERABLE = 1
    NOT_AUDITED = 2


def judge(report: str) -> tuple[Verdict, list[str]]:
    """Return the verdict on the JSON of ``pip-audit --format json``, and the lines that explain it.

    Where the data could not be reached there is no JSON, or every package is skipped. A package that is skipped among
    others that are not is not audited either.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict.NOT_AUDITED, ["pip-audit gave no report"]
    found = [
        f"{package['name']} {package['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'none'}"
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
