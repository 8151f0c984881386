"""The architecture: allowed imports, where time, environment and network are used, size limits, unique names.

The source is parsed, including imports inside functions; nothing is imported.
"""

import ast
from collections.abc import Iterator, Mapping

import pytest

from tests.support.source import PACKAGE, imports, nodes, sources

FOUNDATION = {"errors", "error_facts", "exit_codes", "clock", "formatting", "location", "models", "secrets", "results"}
MAY_IMPORT: Mapping[str, set[str]] = {
    "": set(),
    "error_facts": set(),
    "exit_codes": set(),
    "errors": {"error_facts", "exit_codes"},
    "clock": set(),
    "formatting": set(),
    "secrets": {"errors", "clock"},
    "location": {"errors", "secrets", "rules"},
    "models": {"location", "secrets", "rules"},
    "results": {"errors", "error_facts", "exit_codes", "models", "secrets"},
    "rules": {"errors", "secrets"},
    "config": {"errors", "clock", "location", "secrets", "rules"},
    "tls": {"errors", "error_facts", "formatting", "models", "secrets", "rules"},
    "network": {"errors", "clock", "rules", "tls"},
    "api": {"", *FOUNDATION, "rules", "tls", "network"},
    "targets": {"", "errors", "exit_codes", "clock", "location", "models", "secrets", "rules", "tls", "network"},
    "simulator": {"errors", "clock"},
    "scheduler": {*FOUNDATION},
    "monitoring": {"", "errors", "exit_codes", "formatting", "models", "results", "rules"},
    "state": {"errors", "clock", "results"},
    "operations": {*FOUNDATION, "rules", "scheduler", "monitoring", "state", "targets"},
    "help": {"errors", "config"},
    "output": {
        "formatting",
        "help",
        "results",
        "errors",
        "error_facts",
        "exit_codes",
        "models",
        "clock",
        "secrets",
        "monitoring",
    },
    "cli": {
        *("", *FOUNDATION, "help", "rules", "config", "tls", "api", "simulator", "scheduler", "monitoring"),
        *("operations", "output", "state", "targets"),
    },
    "__main__": {"cli"},
}
"""The floors that each floor may import. ``simulator`` shares no structures with the client, so that both cannot have
the same misreading of the API; ``output`` gets values only."""

MAY_IMPORT_FOR_TYPES: Mapping[str, set[str]] = {"scheduler": {"api"}, "operations": {"api"}}
"""Further imports for the type checker only: both floors are given the API of an appliance."""

HOMES: Mapping[str, tuple[str, ...]] = {
    "httpx": ("api.", "network.", "targets.webdav", "simulator.simulator_transport"),
    "httpcore": ("network.http_transport",),
    "rich": ("output.terminal.",),
    "click": ("cli.",),
    "markdown_it": ("help.markdown",),
    "apprise": ("api.senders",),
    "trustme": ("simulator.server_certificate",),
    "keyring": ("secrets.from_keyring",),
    "smbprotocol": ("targets.smb",),
    "paramiko": ("targets.sftp",),
    "tomlkit": ("config.config_edit",),
    "time": ("clock",),
    "_signal": ("__main__",),
    "signal": ("cli.signals", "secrets.from_command"),
    "subprocess": ("cli.hooks", "cli.nightly", "secrets.from_command", "output.terminal.manual_view"),
    "socket": ("api.", "network.", "targets.", "simulator."),
    "ssl": ("tls.", "network.", "api.", "targets.", "simulator."),
    "threading": (
        *("api.session", "api.typed_json", "scheduler.workers", "simulator.", "secrets.", "config.", "output."),
        "targets.sftp",
    ),
}
"""The modules that may import a package; a trailing dot includes all modules below."""

GLOBALS: Mapping[str, tuple[str, ...]] = {
    "os.environ": ("config.",),
    "os.getenv": (),
    "sys.exit": ("__main__",),
    "os._exit": ("__main__", "cli.signals"),
    "datetime.now": ("clock",),
    "datetime.utcnow": (),
    "datetime.today": (),
    "date.today": (),
    "time.sleep": ("clock",),
    "time.monotonic": ("clock",),
    "time.time": (),
}
"""The modules that may use a global function or object."""


def own(target: str) -> str | None:
    """Return the name of a module of this package without the package, None for other modules."""
    head, _, rest = target.partition(".")
    return rest if head == "backupctl" else None


def floor(module: str) -> str:
    return module.partition(".")[0]


def below(module: str, homes: tuple[str, ...]) -> bool:
    return any(module == home or (home.endswith(".") and module.startswith(home)) for home in homes)


def cycle_from(graph: Mapping[str, set[str]], start: str) -> list[str] | None:
    """Return a path from a node back to itself, None if there is none."""
    paths, visited = [[start]], set[str]()
    while paths:
        path = paths.pop()
        for target in graph.get(path[-1], ()):
            if target == start:
                return [*path, target]
            if target not in visited:
                visited.add(target)
                paths.append([*path, target])
    return None


def test_every_module_is_on_a_known_floor() -> None:
    assert {floor(module) for module in sources()} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_imports_of_each_floor_go_down_only(name: str) -> None:
    violations = {
        f"{each.module} imports {target}"
        for each in imports()
        if (target := own(each.target)) is not None
        and floor(each.module) == name != floor(target)
        and floor(target) not in MAY_IMPORT[name]
        and not (each.for_types and floor(target) in MAY_IMPORT_FOR_TYPES.get(name, set()))
    }
    assert not violations


def test_table_of_floors_has_no_cycle() -> None:
    graph = {name: set(allowed) for name, allowed in MAY_IMPORT.items()}
    assert [cycle for name in graph if (cycle := cycle_from(graph, name))] == []


def test_imports_of_modules_have_no_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for each in imports():
        target = own(each.target)
        if target and not each.for_types:
            graph.setdefault(each.module, set()).add(target)
    assert [cycle for module in graph if (cycle := cycle_from(graph, module))] == []


@pytest.mark.parametrize("package", HOMES)
def test_package_is_imported_only_in_its_home(package: str) -> None:
    strays = [
        each.module
        for each in imports()
        if floor(each.target) == package and not each.for_types and not below(each.module, HOMES[package])
    ]
    assert strays == []


@pytest.mark.parametrize("word", GLOBALS)
def test_global_is_used_only_in_its_home(word: str) -> None:
    strays = [
        f"{module}:{node.lineno}"
        for module, node in nodes(ast.Attribute)
        if node.attr == word.rpartition(".")[2] and ast.unparse(node) == word and not below(module, GLOBALS[word])
    ]
    assert strays == []


def test_tables_of_packages_and_globals_have_no_unused_entry() -> None:
    assert {floor(each.target) for each in imports()} >= set(HOMES) - {"keyring"}
    last = {word.rpartition(".")[2] for word in GLOBALS}
    used = {ast.unparse(node) for _, node in nodes(ast.Attribute) if node.attr in last}
    assert {word for word, homes in GLOBALS.items() if homes} <= used


def test_modules_stay_below_four_hundred_lines() -> None:
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_functions_stay_below_forty_lines() -> None:
    long = [
        f"{module}.{node.name}: {node.end_lineno - node.lineno + 1}"
        for module, node in nodes(ast.FunctionDef)
        if node.end_lineno is not None and node.end_lineno - node.lineno >= 40
    ]
    assert long == []


def test_no_class_name_is_used_twice() -> None:
    homes: dict[str, list[str]] = {}
    for module, node in nodes(ast.ClassDef):
        homes.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_no_module_name_is_used_twice_but_for_a_command_and_its_operation() -> None:
    homes: dict[str, list[str]] = {}
    packages = {module.rpartition(".")[0] for module in sources()}
    for module in sources().keys() - packages:
        if not module.startswith("cli.commands."):
            homes.setdefault(module.rpartition(".")[2], []).append(module)
    assert {stem: modules for stem, modules in homes.items() if len(modules) > 1} == {}


def undocumented(body: list[ast.stmt], path: str) -> Iterator[str]:
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            yield f"{path}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node.body, f"{path}.{node.name}")


def test_modules_and_their_public_names_have_docstrings() -> None:
    missing = [each for module, tree in sources().items() for each in undocumented(tree.body, module)]
    assert [module for module, tree in sources().items() if ast.get_docstring(tree) is None] == []
    assert missing == []


def test_top_level_has_no_other_files() -> None:
    files = {path.name for path in PACKAGE.parent.iterdir() if path.is_file() and not path.name.startswith(".")}
    of_an_sdist = {"PKG-INFO"}
    assert files - of_an_sdist == {"CHANGELOG.md", "README.md", "pyproject.toml"}
