"""Prune over random locations: what it may never do, and that an interrupted run can be finished."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from backupctl.errors import BackupctlError, InterruptedRunError, NotFoundError, NotPrunedError
from backupctl.location import Location
from backupctl.models import BackupJobStatus, JobDetails, RetentionInfo, Schedule
from backupctl.operations.prune_archives import PruneRequest, prune_archives
from backupctl.operations.target_archives import METADATA
from backupctl.operations.target_connections import TargetConnections
from backupctl.results.prune_results import PruneResult
from backupctl.rules.retention import KeepRules
from backupctl.state.manifests import Manifests
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import TargetPath
from tests.support.clock import START, FakeClock
from tests.support.memory_target import LINK, Content, MemoryConnections, MemoryTarget, looks_complete
from tests.support.operation_bench import Bench, scripted

ACCESS = TargetAccess(Location.parse("sftp://backup.example.com/vcenter"))
MANIFESTS = Manifests(lambda: Path("/nowhere"))
NO_TARGETS = TargetConnections(FakeClock())
SYSTEM: TargetPath = ("vCenter", "sn_vc01.example.com")
OTHER: TargetPath = ("vCenter", "sn_vc02.example.com")
RETAINED = 3
"""What the schedule keeps."""

REQUEST = PruneRequest(targets=NO_TARGETS, access=ACCESS, system=SYSTEM[-1], rules=KeepRules(1), manifests=MANIFESTS)

FILES: dict[str, dict[str, Content]] = {
    "complete": {METADATA: b'{"BackupSize": 3}', "a.gz": b"abc", "z.gz": b"xyz"},
    "unfinished": {"a.gz": b"abc"},
    "unfinished, empty": {},
    "unfinished, with a link": {"a.gz": b"abc", "z.gz": LINK},
    "damaged, only metadata": {METADATA: b'{"BackupSize": 3}'},
    "damaged": {METADATA: b'{"BackupSize": 3}', "a.gz": b""},
    "damaged, bad JSON": {METADATA: b"{", "a.gz": b"abc"},
    "damaged, with a folder": {METADATA: b"{}", "sub": None},
    "damaged, with a link": {METADATA: b"{}", "a.gz": LINK},
}
STRANGERS = {(*SYSTEM, METADATA): b"{}", (*SYSTEM, "M_8.0.0_20209999-000000_"): None, (*SYSTEM, "notes"): None}

Archives = dict[str, str]
"""The state of each archive, by its name."""

names = st.builds(
    lambda kind, ago, comment: f"{kind}_8.0.0.10000_{START - timedelta(hours=ago):%Y%m%d-%H%M%S}_{comment}",
    st.sampled_from("MMS"),
    st.integers(0, 24 * 60),
    st.sampled_from(["", "", "OVYGO===", "KEEP"]),  # "up" in base32 is OVYA====, "upg" is OVYGO===
)
archives = st.dictionaries(names, st.sampled_from([*["complete"] * 6, *FILES]), max_size=14)
counts = st.sampled_from([0, 0, 1, 2, 5])
rules = st.builds(KeepRules, counts, counts, counts, counts, st.sampled_from([0.0, 3600.0, 5 * 86400.0])).filter(
    lambda each: each != KeepRules()
)
requests = st.builds(
    PruneRequest,
    targets=st.just(NO_TARGETS),
    access=st.just(ACCESS),
    system=st.just(SYSTEM[-1]),
    rules=rules,
    manifests=st.just(MANIFESTS),
    scheduled=st.booleans(),
    comment=st.sampled_from(["", "", "upg"]),
)


def written(some: Archives) -> dict[TargetPath, Content]:
    """Return the entries of a location with these archives, and the same ones of another appliance."""
    entries: dict[TargetPath, Content] = {("vCenter",): None, SYSTEM: None, OTHER: None, **STRANGERS}
    for system in SYSTEM, OTHER:
        for name, state in some.items():
            entries |= {(*system, name): None}
            entries |= {(*system, name, file): content for file, content in FILES[state].items()}
    return entries


def started(name: str) -> datetime:
    return datetime.strptime(name.split("_")[2], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)


def run(
    bench: Bench,
    target: MemoryTarget,
    request: PruneRequest,
    *,
    interrupt_at: tuple[float, ...] = (),
    dry: bool = False,
) -> tuple[PruneResult, BackupctlError | None]:
    connections = cast("TargetConnections", MemoryConnections(target))
    work = prune_archives(bench.appliance, replace(request, targets=connections, dry_run=dry))
    outcome = bench.run(work, interrupt_at=interrupt_at)
    return outcome.value, outcome.error


NEWEST_JOB = "20260301-010000-20519528"


def bench_of(clock: FakeClock, some: Archives) -> Bench:
    """Return an appliance that remembers the backups of even hours, and whose schedule keeps some of them."""
    ids = {NEWEST_JOB, *(f"{started(name):%Y%m%d-%H%M%S}-20519528" for name in some if is_remembered(name))}
    bench, _ = scripted(
        clock,
        jobs=tuple(ids),
        job=BackupJobStatus(id=NEWEST_JOB, state="SUCCEEDED"),
        job_details=dict.fromkeys(ids, JobDetails(status="SUCCEEDED", type="MANUAL")),
        schedules={"default": Schedule(parts=None, retention_info=RetentionInfo(max_count=RETAINED))},
    )
    return bench


def by_start(name: str) -> tuple[datetime, str]:
    return started(name), name


def is_remembered(name: str) -> bool:
    return started(name) < START - timedelta(hours=1) and not started(name).hour % 2


class Case:
    """A location and a request; what prune left of it is checked against all rules."""

    def __init__(self, some: Archives, request: PruneRequest) -> None:
        self.some, self.request = some, request
        self.before = written(some)
        self.clock = FakeClock()
        self.target = MemoryTarget(self.clock, dict(self.before))
        self.bench = bench_of(self.clock, some)
        whole = [name for name, state in some.items() if state == "complete" and not name.endswith("KEEP")]
        self.whole = sorted(whole, key=by_start, reverse=True)
        remembered = (started(name) for name in self.whole if is_remembered(name) or name.split("_")[2] in NEWEST_JOB)
        self.newest = max(remembered, default=None)
        """When the newest backup was made whose job and archive are there; None if nothing may be removed."""
        last = max((name for name in some if not name.endswith("KEEP")), key=by_start, default="")
        if some.get(last, "") not in {"", "complete", "unfinished", "unfinished, empty"}:
            self.newest = None

    def gone(self) -> set[str]:
        """Return the archives of which at least one file is gone."""
        return {path[2] for path in self.before.keys() - self.target.entries.keys()}

    def check(self) -> None:
        entries, kind = self.target.entries, "S" if self.request.scheduled else "M"
        assert entries.items() <= self.before.items()  # nothing new, nothing changed
        lost = self.before.keys() - entries.keys()
        assert all(path[:2] == SYSTEM and path[2] in self.some for path in lost)
        assert all(
            name.startswith(kind) and (not self.request.comment or name.endswith("OVYGO===")) for name in self.gone()
        )
        assert all(self.some[name] in {"complete", "unfinished", "unfinished, empty"} for name in self.gone())
        assert not any(name.endswith("KEEP") for name in self.gone())
        for name in self.gone():
            assert self.newest is not None
            least = timedelta() if self.some[name] == "complete" else timedelta(days=1)
            assert self.newest - started(name) > least
        of_schedule = [name for name in self.whole if name.startswith("S")]
        assert not self.gone() & set(of_schedule[:RETAINED])
        for name in self.gone():  # nothing looks complete and is not
            assert not looks_complete(entries, (*SYSTEM, name))
        self.check_order()

    def check_order(self) -> None:
        """Oldest archive first, and of each the metadata first and the folder last."""
        removed = [path[2] for path in self.target.removals]
        order = list(dict.fromkeys(removed))
        assert removed == sorted(removed, key=order.index)
        assert list(map(started, order)) == sorted(map(started, order))
        for name in order:
            files = [path[3:] for path in self.target.removals if path[2] == name]
            assert ((METADATA,) not in files[1:], () not in files[:-1]) == (True, True)


@settings(max_examples=10)
@given(archives, requests)
def test_prune_removes_what_it_says_and_keeps_every_safety_rule(some: Archives, request: PruneRequest) -> None:
    check_whole_run(some, request)


@pytest.mark.exhaustive
@settings(max_examples=1000)
@given(archives, requests)
def test_prune_keeps_every_safety_rule_at_length(some: Archives, request: PruneRequest) -> None:
    check_whole_run(some, request)


def check_whole_run(some: Archives, request: PruneRequest) -> None:
    case = Case(some, request)
    if case.newest is None:
        with pytest.raises(NotPrunedError):
            run(case.bench, case.target, request)
        case.check()
        return
    plan, error = run(case.bench, case.target, request, dry=True)
    assert (error, case.target.entries) == (None, case.before)
    result, error = run(case.bench, case.target, request)
    assert error is None
    assert (
        case.gone()
        == {each.archive for each in plan.remove}
        == {each.archive for each in result.remove if each.removed}
    )
    assert {path[2] for path in case.target.entries if path[:2] == SYSTEM and len(path) > 2} == (
        {path[2] for path in STRANGERS} | set(some) - case.gone()
    )
    assert result.keep == plan.keep
    case.check()
    again, error = run(case.bench, case.target, request)
    assert (again.keep, again.remove, error) == (plan.keep, (), None)


@settings(max_examples=10)
@given(archives, requests, st.data())
def test_prune_that_was_cut_off_leaves_nothing_that_looks_complete_and_is_finished_by_the_next_run(
    some: Archives, request: PruneRequest, data: st.DataObject
) -> None:
    check_cut_off(some, request, data)


@pytest.mark.exhaustive
@settings(max_examples=1000)
@given(archives, requests, st.data())
def test_prune_that_was_cut_off_is_finished_at_length(
    some: Archives, request: PruneRequest, data: st.DataObject
) -> None:
    check_cut_off(some, request, data)


def check_cut_off(some: Archives, request: PruneRequest, data: st.DataObject) -> None:
    whole = Case(some, request)
    assume(whole.newest is not None)
    expected, _ = run(whole.bench, whole.target, request)
    case, steps = Case(some, request), len(whole.target.removals)
    moment = data.draw(st.integers(0, steps), "moment")
    interrupt_at: tuple[float, ...] = ()
    if data.draw(st.booleans(), "interrupted"):
        interrupt_at = (moment + 0.5,)
    else:
        case.target.fail_at, case.target.takes_effect = moment, data.draw(st.booleans(), "takes effect")
    result, error = run(case.bench, case.target, request, interrupt_at=interrupt_at)
    last = steps - bool(interrupt_at)  # a signal during the last removal is too late
    assert (error is None) == (moment >= last)
    if interrupt_at and error is not None:
        assert isinstance(error, InterruptedRunError)
        assert len(case.target.removals) == moment + 1  # the removal in flight finished
    gone = {path[2] for path in case.before.keys() - case.target.entries.keys() if path[2:] == path[2:3]}
    assert {each.archive for each in result.remove if each.removed} <= gone
    case.check()
    assert whole.newest is not None
    again, _ = run(case.bench, case.target, request)
    rest = {each.archive for each in again.keep} - {each.archive for each in expected.keep}
    assert all(whole.newest - started(name) <= timedelta(days=1) for name in rest)  # may still be written
    assert {each.reasons for each in again.keep if each.archive in rest} <= {("unfinished",)}
    young = {(*SYSTEM, name) for name in rest}
    left = {path: content for path, content in case.target.entries.items() if path[:3] not in young}
    assert left == whole.target.entries
    assert [each for each in again.keep if each.archive not in rest] == [*expected.keep]


@pytest.mark.parametrize(
    "change",
    [
        {(*SYSTEM, "M_8.0.0_20260101-000000_", "new.gz"): b"x"},
        {(*SYSTEM, "M_8.0.0_20260101-000000_", "link"): LINK},
        {(*SYSTEM, "M_8.0.0_20260101-000000_", "a.gz"): b"abcd"},
        {(*SYSTEM, "M_8.0.0_20260101-000000_"): LINK},
        {SYSTEM: LINK},
        {("vCenter",): LINK},
    ],
    ids=["new file", "link", "size", "archive is a link", "system is a link", "level above is a link"],
)
def test_archive_that_changes_before_its_removal_stops_the_run(change: dict[TargetPath, Content]) -> None:
    names = [f"M_8.0.0_2026010{day}-000000_" for day in (1, 2, 3)]
    case = Case(dict.fromkeys(names, "complete"), replace(REQUEST, system="VC01.example.com"))
    plain = case.target.open_read
    reads: list[TargetPath] = []

    def changing(path: TargetPath) -> Any:
        reads.append(path)
        if len(reads) == len(names):  # the plan has read everything
            case.target.entries.update(change)
        return plain(path)

    case.target.open_read = changing  # type: ignore[method-assign]
    result, error = run(case.bench, case.target, case.request)
    assert error is not None
    assert (error.slug in {"not-pruned", "not-found"}, case.target.removals) == (True, [])
    assert [each.removed for each in result.remove] == [False, False]


def test_only_the_folder_of_this_appliance_is_read() -> None:
    case = Case({"M_8.0.0_20260101-000000_": "complete"}, replace(REQUEST, system="sn_vc"))
    with pytest.raises(NotFoundError) as caught:
        run(case.bench, case.target, case.request)
    assert caught.value.details == (SYSTEM[-1], OTHER[-1])
