"""The lowest version of everything that the project depends on by itself, as constraints for pip.

Whoever has them has to be able to run the program; a bound that nobody has tried is a guess.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)(?P<extras>\[[^\]]*\])?\s*(?P<versions>[^;]*?)\s*(?P<marker>;.*)?")


def lowest_versions(pyproject: Path) -> Iterator[str]:
    """Yield ``name==version`` for each direct dependency, those of the extras too; raise ValueError for one without."""
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
