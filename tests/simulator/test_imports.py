import ast
from graphlib import TopologicalSorter
from pathlib import Path

import backupctl.simulator

FOLDER = Path(backupctl.simulator.__file__).parent
PACKAGE = "backupctl.simulator"


def imported(path: Path) -> set[str]:
    """Return the modules of the package that this one names, inside functions and for typing too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            found.add((node.module or "").removeprefix(f"{PACKAGE}."))
    return found


def test_modules_import_one_way() -> None:
    order = TopologicalSorter({path.stem: imported(path) for path in FOLDER.glob("*.py")}).static_order()
    assert set(order) == {path.stem for path in FOLDER.glob("*.py")}
