"""Each sentence stands once in the tests, in the table of ``tests/wording.py``."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from tests import wording

TESTS = Path(__file__).parent
TABLE = TESTS / "wording.py"
ROOMS = ("cli", "config", "output", "rules", "secrets")
"""The folders in which no test repeats a sentence of the table."""


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


def repeated(tree: ast.Module) -> list[str]:
    """Return the line, and the name in the table, of each sentence that a test repeats literally."""
    pieces = {name: longest_piece(template) for name, template in templates().items()}
    sentences = {name: piece for name, piece in pieces.items() if len(piece.split()) >= 3}
    return [
        f"{node.lineno}: {name}"
        for node in literals(tree)
        for name, piece in sentences.items()
        if isinstance(node.value, str) and piece in node.value
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


@pytest.mark.parametrize("room", ROOMS)
def test_tests_refer_to_the_table_instead_of_repeating_its_sentences(room: str) -> None:
    paths = sorted((TESTS / room).rglob("*.py"))
    assert paths
    found = {str(path.relative_to(TESTS)): repeated(ast.parse(path.read_text(encoding="utf-8"))) for path in paths}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_repeated_sentence_would_be_found() -> None:
    assert repeated(ast.parse(f"assert '{wording.NOT_SET}' in run.err")) == ["1: NOT_SET"]
    assert repeated(ast.parse(f"f'{{path}}: {wording.NO_SUCH_SERVER_IN_GROUP(1)}'")) == ["1: NO_SUCH_SERVER_IN_GROUP"]
    assert repeated(ast.parse("f'{path}: {wording.NO_SUCH_GROUP(name)}'")) == []


def test_each_sentence_is_expected_somewhere_and_stands_once_in_the_table() -> None:
    used: set[str] = set()
    for path in TESTS.rglob("*.py"):
        if path.name != Path(__file__).name:
            used |= expected(ast.parse(path.read_text(encoding="utf-8")))
    assert set(templates()) - used == set()
    assert len(set(templates().values())) == len(templates())
