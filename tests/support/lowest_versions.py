"""The lowest version of each direct dependency, as constraints for pip.

CI tests them, because an untested lower bound is a guess.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)(?P<extras>\[[^\]]*\])?\s*(?P<versions>[^;]*?)\s*(?P<marker>;.*)?")


def lowest_versions(pyproject: Path) -> Iterator[str]:
    """Yield ``name==version`` for each direct dependency, including the extras.

    Raises ValueError: for a dependency without a lower bound.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in (each for group in groups for each in group):
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None:
            raise ValueError(f"{requirement!r} is no requirement")
        if match["name"] == project["name"]:
            continue
        bound = re.search(r">=\s*([0-9][0-9.]*)", match["versions"])
        if bound is None:
            raise ValueError(f"{requirement!r} has no lower bound")
        yield f"{match['name']}=={bound[1]}{match['marker'] or ''}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lowest_versions(Path(sys.argv[1])))
