"""The source of the program as it is written: its modules, and what they import, read once for all who judge it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "backupctl"


@dataclass(frozen=True)
class Import:
    """An import: the module that it is in, what it names, and whether only the type checker sees it."""

    module: str
    target: str
    for_types: bool


@cache
def sources() -> dict[str, ast.Module]:
    """Return the syntax tree of each module by its name without the package: ``api.session``, ``""`` for the root."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


Node = ast.Import | ast.ImportFrom | ast.Attribute | ast.FunctionDef | ast.AsyncFunctionDef
"""What is judged, of all that a tree is made of."""


@cache
def nodes() -> list[tuple[str, Node, bool]]:
    """Return each of these nodes with its module, and whether it stands below ``if TYPE_CHECKING``."""
    return [
        (module, node, for_types)
        for module, tree in sources().items()
        for node, for_types in walk(tree)
        if isinstance(node, Node)
    ]


def walk(root: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Yield all nodes, and whether only the type checker sees them."""
    left: list[tuple[ast.AST, bool]] = [(root, False)]
    while left:
        node, for_types = left.pop()
        yield node, for_types
        hides = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        hidden = node.body if isinstance(node, ast.If) and hides else ()
        left += [(child, for_types or child in hidden) for child in ast.iter_child_nodes(node)]


@cache
def imports() -> tuple[Import, ...]:
    """Return all imports; ``from package import module`` names the module."""
    found = []
    for module, node, for_types in nodes():
        if isinstance(node, ast.Import):
            found += [Import(module, alias.name, for_types) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                target = full if full.removeprefix("backupctl.") in sources() else str(node.module)
                found.append(Import(module, target, for_types))
    return tuple(found)
