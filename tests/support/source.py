"""The source of the package: syntax trees, nodes and imports, each read once per run."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

N = TypeVar("N", bound=ast.AST)

PACKAGE = Path(__file__).parents[2] / "backupctl"


@dataclass(frozen=True)
class Import:
    """An import: the importing module, the imported module, and whether only the type checker sees it."""

    module: str
    target: str
    for_types: bool


@cache
def sources() -> dict[str, ast.Module]:
    """Return the syntax tree of each module by its name below the package: ``api.session``, ``""`` for the root."""
    trees = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        trees[name] = ast.parse(path.read_text(encoding="utf-8"))
    return trees


@cache
def tree_nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Return all nodes of a tree."""
    return tuple(ast.walk(tree))


def nodes(kind: type[N]) -> Sequence[tuple[str, N]]:
    """Return all nodes of one type, each with its module."""
    found = _nodes(kind)  # type: ignore[arg-type] # mypy takes ``type[N]`` for unhashable
    return cast("Sequence[tuple[str, N]]", found)


@cache
def _nodes(kind: type[ast.AST]) -> Sequence[tuple[str, ast.AST]]:
    return [(module, node) for module, tree in sources().items() for node in tree_nodes(tree) if isinstance(node, kind)]


@cache
def imports() -> tuple[Import, ...]:
    """Return all imports; ``from package import module`` names the module."""
    guards = [node for _, node in nodes(ast.If) if ast.unparse(node.test) == "TYPE_CHECKING"]
    for_types = {node for guard in guards for statement in guard.body for node in ast.walk(statement)}
    found = []
    for module, node in nodes(ast.Import):
        found += [Import(module, alias.name, node in for_types) for alias in node.names]
    for module, source in nodes(ast.ImportFrom):
        assert source.level == 0, f"{module} imports relatively"
        for alias in source.names:
            full = f"{source.module}.{alias.name}"
            target = full if full.removeprefix("backupctl.") in sources() else str(source.module)
            found.append(Import(module, target, source in for_types))
    return tuple(found)
