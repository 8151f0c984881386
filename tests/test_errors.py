"""Stable exit codes and slugs, immutable errors, and the texts that are rendered from their facts."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backupctl import errors
from backupctl.error_facts import UNKNOWN_RELEASE, ErrorFacts, anonymized, render_details, render_hint, render_message
from backupctl.errors import BackupctlError, InterruptedRunError
from backupctl.exit_codes import COMMAND_CODES, SEVERITY, ExitCode
from backupctl.output.json_text import document, json_text
from backupctl.results.result import Envelope, Result
from backupctl.targets import target_errors
from tests.support.source import nodes, sources, tree_nodes

CODES: dict[str, int] = {
    "DONE": 0,
    "BUG": 1,
    "USAGE": 2,
    "CONFIG": 3,
    "AUTH": 4,
    "CONNECTION": 5,
    "API": 6,
    "BACKUP_FAILED": 7,
    "TIMED_OUT": 8,
    "BUSY": 9,
    "NOT_FOUND": 10,
    "OUTPUT": 11,
    "INTERRUPTED": 130,
}
SLUGS: dict[int, set[str]] = {
    1: {"bug"},
    2: {"usage"},
    3: {"config", "hook-failed", "read-only"},
    4: {"auth", "forbidden", "target-auth"},
    5: {
        *("connection", "tls", "pin-mismatch", "not-sent", "not-started", "outcome-unknown"),
        *("target-connection", "target-identity", "not-verified"),
    },
    6: {
        *("api", "not-supported", "not-cancelled", "not-started", "not-tried", "not-together"),
        *("target", "not-pruned"),
    },
    7: {"audit-gap", "backup-failed", "verify-failed"},
    8: {"timed-out", "running", "stalled"},
    9: {"busy"},
    10: {"not-found"},
    11: {"output"},
    130: {"interrupted"},
}
FAILURES = sorted(code for code in CODES.values() if code)
MOST_SEVERE_FIRST = [130, 1, 7, 8, 9, 6, 5, 4, 10, 3, 2, 11]


def classes(base: type[BackupctlError] = BackupctlError) -> set[type[BackupctlError]]:
    found = {each for each in base.__subclasses__() if each.__module__ in {errors.__name__, target_errors.__name__}}
    return {base}.union(*(classes(each) for each in found))


def test_exit_codes_never_change() -> None:
    assert {code.name: code.value for code in ExitCode} == CODES


def test_slugs_of_each_exit_code_never_change() -> None:
    found: dict[int, set[str]] = {}
    for each in classes():
        found.setdefault(each.exit_code, set()).add(each.slug)
    assert found == SLUGS


@pytest.mark.parametrize("error", sorted(classes(), key=str), ids=lambda each: each.__name__)
def test_error_of_each_class_has_the_given_facts(error: type[BackupctlError]) -> None:
    made = error("what", hint="do this", details=["evidence"])
    assert (made.message, made.hint, made.details, str(made)) == ("what", "do this", ("evidence",), "what")
    assert (made.exit_code, made.certain, made.retryable) == (error.exit_code, True, False)


@pytest.mark.parametrize("error", sorted(classes(), key=str), ids=lambda each: each.__name__)
def test_with_facts_returns_a_new_error_of_the_same_class(error: type[BackupctlError]) -> None:
    made = error("what", details=["evidence"], exit_code=9)
    changed = made.with_facts(hint="do this", certain=False)
    assert (type(changed), changed.facts) == (error, made.facts._replace(hint="do this", certain=False))
    assert (made.hint, made.certain, changed.exit_code) == (None, True, 9)
    assert (changed == made, changed.with_facts(hint=None, certain=True) == made) == (False, True)


FACTS = ErrorFacts(
    "$server could not $operation: $cause", server="vc01.example.com", operation="start a backup", cause="no $job"
)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (FACTS, "vc01.example.com could not start a backup: no $job"),
        (ErrorFacts("it is off", server="vc01"), "vc01: it is off"),
        (ErrorFacts("$job goes on on $server", server="vc01", job="4-2"), "backup job 4-2 goes on on vc01"),
        (ErrorFacts("$job failed", job="restore"), "the restore failed"),
        (ErrorFacts("its $release is old", release=UNKNOWN_RELEASE), "its release is old"),
        (ErrorFacts("no group '$release'"), "no group '$release'"),
        (ErrorFacts("its $release is old", release="6.5"), "its release 6.5 is old"),
        (
            ErrorFacts("unknown: $cause; then: $then", server="vc01", cause=FACTS, then="nothing"),
            "vc01: unknown: vc01.example.com could not start a backup: no $job; then: nothing",
        ),
        (ErrorFacts("invalid duration '5x'", source="--timeout"), "--timeout: invalid duration '5x'"),
        (ErrorFacts("'$money' in {server}", server="vc01"), "vc01: '$money' in {server}"),
        (ErrorFacts("$server has no $1", server="vc01", texts=("'$server'",)), "vc01 has no '$server'"),
        (ErrorFacts("$1", server="vc01", texts=("CN=$server, $job",), job="4-2"), "vc01: CN=$server, $job"),
    ],
)
def test_message_is_rendered_from_the_facts(facts: ErrorFacts, sentence: str) -> None:
    assert render_message(facts) == sentence
    assert BackupctlError.from_facts(facts).message == sentence


def test_message_after_its_subject_does_not_repeat_it() -> None:
    facts = ErrorFacts("it is off", server="vc01")
    assert [render_message(facts, subject=name) for name in ("vc01", "vc02")] == ["it is off", "vc01: it is off"]


def test_hint_names_keys_for_a_value_from_the_file_except_in_a_command_line() -> None:
    facts = ErrorFacts("what", hint="add $--location-type: `backupctl $selector --to FILE`", selector=("-s", "v c"))
    assert render_hint(facts) == "add --location-type: `backupctl -s 'v c' --to FILE`"
    assert render_hint(facts._replace(of_file=True)) == "add location-type: `backupctl -s 'v c' --to FILE`"
    assert render_hint(ErrorFacts("what", hint="chmod 600 '/a$--/$selector/pw'")) == "chmod 600 '/a$--/$selector/pw'"


def test_anonymized_facts_are_equal_for_all_appliances() -> None:
    def facts(name: str, job: str, **more: Any) -> ErrorFacts:
        cause = ErrorFacts("$server is off", server=f"{name}.example.com")
        detail = ErrorFacts("$job ran on $server", server=name, job=job)
        selector = ("-s", name)
        mismatch = ErrorFacts("the certificate is not for $host", host=f"{name}.example.com")
        details = (detail, mismatch)
        return ErrorFacts("$cause", name, cause=cause, details=details, selector=selector, hint="$selector", **more)

    first, second = facts("vc01", "1", attach="watch 1", certain=False), facts("vc02", "2")
    common = anonymized(first, {"vc01", "vc01.example.com"}, "1")
    assert common == anonymized(second, {"vc02", "vc02.example.com"}, "2")
    assert common != anonymized(second, {"vc03"}, "2")
    assert render_message(common) == "the appliance is off"
    assert render_details(common) == ("the backup job ran", "the certificate is not for the appliance")
    assert render_hint(common) == "-s NAME"


def test_error_in_json_has_rendered_texts_and_a_follow_hint_by_default() -> None:
    error = BackupctlError("$server is off", server="vc01", attach="backupctl watch", details=[FACTS, "evidence"])
    expected = {
        "slug": "bug",
        "message": "vc01 is off",
        "hint": "follow it with: backupctl watch",
        "details": ["vc01.example.com could not start a backup: no $job", "evidence"],
        "attach": "backupctl watch",
    }
    for text in (json_text(error), json_text(document(error))):
        assert json.loads(text) == expected
    assert json.loads(json_text(error.with_facts(hint="do this")))["hint"] == "do this"


def caught_errors(tree: ast.Module) -> set[str]:
    """Return the names of variables in ``except ... as NAME`` for errors of this package."""
    own = {each.__name__ for each in classes()}
    handlers = [node for node in tree_nodes(tree) if isinstance(node, ast.ExceptHandler)]
    caught = [(each.name, ast.unparse(each.type) if each.type else "") for each in handlers]
    return {name for name, types in caught if name and own & set(re.findall(r"\w+", types))}


def modified_errors(tree: ast.Module) -> Iterator[ast.Attribute]:
    """Yield the assignments to a fact of any object or to an attribute of a caught error."""
    properties = {name for name, value in vars(BackupctlError).items() if isinstance(value, property)}
    facts = {"exit_code", "facts", "slug"} | properties | set(ErrorFacts._fields) - {"server", "job", "source"}
    caught = caught_errors(tree)
    for node in tree_nodes(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            name = node.value.id if isinstance(node.value, ast.Name) else ""
            if name in caught or (node.attr in facts and name != "self"):
                yield node


def parsed_texts(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the expressions that search, edit, cut or compare the text of an error."""

    def is_text(node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            return node.attr in {"message", "hint", "details"} and owner.split(".")[-1] in error_names
        rendered = isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "render_message",
            "render_hint",
            "render_details",
        }
        return rendered or (isinstance(node, ast.Call) and ast.unparse(node) in {f"str({name})" for name in caught})

    caught = caught_errors(tree)
    usual = {
        "error",
        "write_error",
        "lost",
        "lost_error",
        "refusal",
        "answer",
        "response",
        "interruption",
        "failure",
    }
    error_names = caught | usual
    for node in tree_nodes(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if hasattr(str, node.func.attr):
                parts = [node.func.value]
            elif ast.unparse(node.func.value) == "re":
                parts = list(node.args)
        elif isinstance(node, ast.Compare | ast.Set | ast.SetComp):
            parts = [each for each in ast.walk(node) if isinstance(each, ast.expr)]
        elif isinstance(node, ast.Subscript):
            parts = [node.value]
        yield from filter(is_text, parts)


def test_placeholders_in_messages_are_facts() -> None:
    strings = {
        (name, node.value)
        for name, node in nodes(ast.Constant)
        if isinstance(node.value, str) and not name.startswith("simulator")
    }
    unknown = [each for each in strings if set(re.findall(r"(?<!\d)\$([a-z]+)\b", each[1])) - set(ErrorFacts._fields)]
    assert unknown == []


def test_text_of_others_is_not_part_of_a_template() -> None:
    """In a message with placeholders, a ``$`` of somebody else would be filled; such text is a fact."""
    own = {
        *("how", "known", "known_state", "note", "expected", "presented", "proxy", "change.field", "self.job.progress"),
        *("request.method", "request.url.path", "response.status_code", "len(self._unanswered_logins)"),
        *("MAX_BODY_BYTES >> 20", "'; $then' if why else ''"),
    }
    strangers = {
        (name, value)
        for name, node in nodes(ast.JoinedStr)
        if re.search(r"\$(?:[a-z1-9]|--)", literal_text(node))
        for each in node.values
        if isinstance(each, ast.FormattedValue) and (value := ast.unparse(each.value)) not in own
        if not value.strip("_").isupper()
    }
    assert {each for each in strangers if not each[0].startswith("simulator")} == set()


def literal_text(node: ast.JoinedStr) -> str:
    return "".join(str(each.value) for each in node.values if isinstance(each, ast.Constant))


@pytest.mark.parametrize("search", [modified_errors, parsed_texts])
def test_no_code_modifies_an_error_or_parses_its_text(search: Callable[[ast.Module], Iterator[ast.expr]]) -> None:
    found = [f"{name}:{node.lineno}: {ast.unparse(node)}" for name, tree in sources().items() for node in search(tree)]
    assert found == []


@pytest.mark.parametrize(
    ("search", "line"),
    [
        (modified_errors, "error.hint = 'x'"),
        (modified_errors, "error.details += ('x',)"),
        (modified_errors, "ended.error.attach = 'x'"),
        (modified_errors, "error.seen = True"),
        (parsed_texts, "error.message.removeprefix('vc01: ')"),
        (parsed_texts, "str(error).partition(':')"),
        (parsed_texts, "re.sub('--', '', error.hint)"),
        (parsed_texts, "render_message(facts)[3:]"),
        (parsed_texts, "left.error.message == 'x'"),
        (parsed_texts, "{(type(error), error.message) for _ in ()}"),
    ],
)
def test_modification_of_an_error_is_found(search: Callable[[ast.Module], Iterator[ast.expr]], line: str) -> None:
    tree = ast.parse(f"try:\n    pass\nexcept BackupctlError as error:\n    {line}")
    assert list(search(tree)) != []


def test_severity_covers_every_failure_once() -> None:
    assert [code.value for code in SEVERITY] == MOST_SEVERE_FIRST
    assert sorted(SEVERITY) == FAILURES


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([0, 0], 0), ([0, 7], 7), ([9, 9, 0], 9), ([4, 5], 5), ([11, 2], 2), ([7, 130], 130), ([1, 7], 1)],
)
def test_overall_exit_code_is_the_most_severe_one(codes: list[int], expected: int) -> None:
    assert COMMAND_CODES.overall(codes) == expected


@pytest.mark.parametrize(("codes", "expected"), [([99], 1), ([0, 77, 7], 1), ([99, 130], 130)])
def test_overall_exit_code_of_an_unknown_code_is_bug(codes: list[int], expected: int) -> None:
    assert COMMAND_CODES.overall(codes) == expected


@given(st.lists(st.sampled_from(sorted(CODES.values()))), st.randoms())
def test_overall_exit_code_does_not_depend_on_the_order(codes: list[int], random: Random) -> None:
    overall = COMMAND_CODES.overall(codes)
    shuffled = list(codes)
    random.shuffle(shuffled)
    assert COMMAND_CODES.overall(shuffled) == overall
    assert overall in codes or (overall == 0 and not any(codes))
    assert (overall == 0) == (not any(codes))


def test_envelope_has_the_overall_exit_code_of_its_results() -> None:
    results = [Result(server=str(code), host="h", exit_code=code) for code in (0, 10, 4)]
    assert Envelope.of("create", results).exit_code == 4
    assert Envelope.of_error("create", InterruptedRunError("x")).exit_code == 130
