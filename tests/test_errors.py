"""Exit codes: the promise to scripts, and how one is made of many."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backupctl import errors
from backupctl.errors import GRAVITY, BackupctlError, ExitCode, InterruptedRunError, verdict
from backupctl.results.result import Envelope, ErrorInfo, Result

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
    3: {"config", "read-only"},
    4: {"auth", "forbidden"},
    5: {"connection", "tls", "pin-mismatch", "not-started", "outcome-unknown"},
    6: {"api", "not-supported", "not-cancelled", "not-started", "not-tried", "not-together"},
    7: {"backup-failed"},
    8: {"timed-out", "running", "stalled"},
    9: {"busy"},
    10: {"not-found"},
    11: {"output"},
    130: {"interrupted"},
}
FAILURES = sorted(code for code in CODES.values() if code)
GRAVEST_FIRST = [130, 1, 7, 8, 9, 6, 5, 4, 10, 3, 2, 11]


def classes(base: type[BackupctlError] = BackupctlError) -> set[type[BackupctlError]]:
    found = {each for each in base.__subclasses__() if each.__module__ == errors.__name__}
    return {base}.union(*(classes(each) for each in found))


def test_exit_codes_never_change() -> None:
    assert {code.name: code.value for code in ExitCode} == CODES


def test_slugs_of_each_exit_code_never_change() -> None:
    found: dict[int, set[str]] = {}
    for each in classes():
        found.setdefault(each.exit_code, set()).add(each.slug)
    assert found == SLUGS


@pytest.mark.parametrize("error", sorted(classes(), key=str), ids=lambda each: each.__name__)
def test_error_of_each_class_carries_what_it_was_given(error: type[BackupctlError]) -> None:
    made = error("what", hint="do this", details=["evidence"])
    assert ErrorInfo.of(made) == ErrorInfo(slug=error.slug, message="what", hint="do this", details=("evidence",))
    assert (str(made), made.certain, made.retryable) == ("what", True, False)


def test_gravity_covers_every_failure_once() -> None:
    assert [code.value for code in GRAVITY] == GRAVEST_FIRST
    assert sorted(GRAVITY) == FAILURES


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([0, 0], 0), ([0, 7], 7), ([9, 9, 0], 9), ([4, 5], 5), ([11, 2], 2), ([7, 130], 130), ([1, 7], 1)],
)
def test_verdict_is_done_only_if_all_are_else_the_gravest(codes: list[int], expected: int) -> None:
    assert verdict(codes) == expected


@pytest.mark.parametrize(("codes", "expected"), [([99], 1), ([0, 77, 7], 1), ([99, 130], 130)])
def test_verdict_of_an_unknown_code_is_never_done(codes: list[int], expected: int) -> None:
    assert verdict(codes) == expected


@given(st.lists(st.sampled_from(sorted(CODES.values()))), st.randoms())
def test_verdict_is_one_of_the_codes_whatever_their_order(codes: list[int], random: Random) -> None:
    decided = verdict(codes)
    shuffled = list(codes)
    random.shuffle(shuffled)
    assert verdict(shuffled) == decided
    assert decided in codes or (decided == 0 and not any(codes))
    assert (decided == 0) == (not any(codes))


def test_envelope_decides_by_its_results() -> None:
    results = [Result(server=str(code), host="h", exit_code=code) for code in (0, 10, 4)]
    assert Envelope.of("create", results).exit_code == 4
    assert Envelope.of_error("create", InterruptedRunError("x")).exit_code == 130
