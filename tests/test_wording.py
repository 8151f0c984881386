"""Each sentence stands once in the tests, in the table of ``tests/wording.py``."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

from tests import wording

TESTS = Path(__file__).parent
TABLE = TESTS / "wording.py"
INDEPENDENT = ("wording.py", "test_wording.py", "test_errors.py", "adversary")
"""The table itself, tests of invented sentences, and the judge that shares nothing with the other tests."""


@cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax trees of the tests by path, without the independent ones."""
    paths = {path.relative_to(TESTS): path for path in sorted(TESTS.rglob("*.py"))}
    return {
        str(name): ast.parse(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if name.parts[0] not in INDEPENDENT
    }


@cache
def templates() -> dict[str, str]:
    """Return the text of each entry of the table by name, with ``{}`` for its parameters."""
    found = {}
    for statement in ast.parse(TABLE.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign):
            (target,) = statement.targets
            value = statement.value.value if isinstance(statement.value, ast.Attribute) else statement.value
            found[ast.unparse(target)] = ast.literal_eval(value)
    return found


def longest_piece(template: str) -> str:
    """Return the longest part between parameters, which tells the sentence from others."""
    return max((text for text, *_ in Formatter().parse(template)), key=len)


def literals(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield each string except docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


@cache
def sentences() -> dict[str, str]:
    """Return the name in the table of each piece that tells a sentence from others."""
    pieces = {longest_piece(template): name for name, template in templates().items()}
    return {piece: name for piece, name in pieces.items() if len(piece.split()) >= 3}


@cache
def any_sentence() -> re.Pattern[str]:
    """Return a pattern that matches each of the sentences, the longest first."""
    return re.compile("|".join(map(re.escape, sorted(sentences(), key=len, reverse=True))))


def repeated(tree: ast.Module) -> list[str]:
    """Return the line, and the name in the table, of each sentence that a test repeats literally."""
    text = "\0".join(str(node.value) for node in literals(tree))
    if not any(piece in text for piece in sentences()):  # much faster than the pattern
        return []
    return [
        f"{node.lineno}: {sentences()[match[0]]}"
        for node in literals(tree)
        for match in any_sentence().finditer(str(node.value))
    ]


def expected(tree: ast.Module) -> set[str]:
    """Return the names of the table that a module uses, except where it only asserts that a sentence is absent."""
    nodes = list(ast.walk(tree))
    absent = {id(node.left) for node in nodes if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn)}
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "wording" and id(node) not in absent
    }


def test_tests_refer_to_the_table_instead_of_repeating_its_sentences() -> None:
    found = [f"{name}:{line}" for name, tree in modules().items() for line in repeated(tree)]
    assert len(modules()) > 100
    assert found == []


def test_repeated_sentence_would_be_found() -> None:
    assert repeated(ast.parse(f"assert '{wording.NOT_SET}' in run.err")) == ["1: NOT_SET"]
    assert repeated(ast.parse(f"f'{{path}}: {wording.NO_SUCH_SERVER_IN_GROUP(1)}'")) == ["1: NO_SUCH_SERVER_IN_GROUP"]
    assert repeated(ast.parse("f'{path}: {wording.NO_SUCH_GROUP(name)}'")) == []


def test_each_sentence_is_expected_somewhere_and_stands_once_in_the_table() -> None:
    used = set[str]().union(*map(expected, modules().values()))
    assert set(templates()) - used == set()
    assert len(set(templates().values())) == len(templates())
