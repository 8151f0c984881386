"""Prune: remove an appliance's archives that no rule keeps.

A backup cannot be made again, so this starts only after a successful backup, while no job runs, and stops at anything
that is not as planned. The metadata of an archive goes first: what an interruption leaves of it is unfinished, and the
next run removes it.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import methodcaller
from typing import Final

import msgspec
from msgspec.structs import replace

from backupctl.errors import BackupctlError, BugError, BusyError
from backupctl.operations import jobs
from backupctl.operations.busy_job import describe_running, hung_hint
from backupctl.operations.outcome import Outcome
from backupctl.operations.schedule import read_schedules
from backupctl.operations.target_archives import METADATA, find_system, read_archive, read_archives
from backupctl.operations.target_connections import TargetConnections
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Warned
from backupctl.results.prune_results import PrunedArchive, PruneResult
from backupctl.results.target_archive import TargetArchive
from backupctl.rules.retention import KeepRules, keep_reasons
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import RETRY_SECONDS
from backupctl.scheduler.task import Task, Wait
from backupctl.state.manifests import Manifests
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target, TargetPath
from backupctl.targets.target_errors import NotPrunedError

BY_SCHEDULE: Final = "schedule"
"""The reason to keep an archive that the retention of the schedule keeps."""
_AGAIN: Final = "run it again for a new plan"


class PruneRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which archives to judge by which rules: manual or ``scheduled`` ones of ``system``, with ``comment``."""

    targets: TargetConnections
    access: TargetAccess
    system: str
    rules: KeepRules
    manifests: Manifests
    scheduled: bool = False
    comment: str = ""
    dry_run: bool = False


class PrunePlan(msgspec.Struct, frozen=True):
    """What to keep and to remove, as ``found`` in ``folder`` while ``newest_job`` was the newest."""

    newest_job: str | None
    folder: TargetPath
    result: PruneResult
    found: Mapping[str, TargetArchive]


def plan_prune(appliance: Appliance, request: PruneRequest) -> Task[PrunePlan]:
    """Return what to keep and to remove.

    Raises BusyError: while a job runs. Raises NotPrunedError: if the newest backup failed, or jobs or schedules cannot
    be read. Raises NotFoundError: if the location has no folder of the appliance.
    """
    newest_job = yield from _newest_job(appliance)
    retained = 0
    if request.scheduled:
        schedules = (yield from read_schedules(appliance)).value
        if schedules.unreadable:
            raise NotPrunedError("the schedule cannot be read; nothing was removed", server=appliance.name)
        retained = sum(each.max_count or 0 for each in schedules.schedules)

    def read(target: Target) -> tuple[TargetPath, tuple[TargetArchive, ...]]:
        folder = find_system(target, request.system)
        return folder, read_archives(target, request.access.location, folder).archives

    folder, archives = yield from request.targets.use(request.access, read)
    return PrunePlan(newest_job, folder, select(archives, request, retained), {each.archive: each for each in archives})


def select(archives: Sequence[TargetArchive], request: PruneRequest, retained: int) -> PruneResult:
    """Return which of the archives of a system, newest first, to keep and to remove.

    Only complete ones count for the rules. ``retained`` scheduled ones are kept whatever the rules say. An unfinished
    one is removed if a complete one is newer; a damaged one is never removed.
    """
    of_kind = [each for each in archives if (each.kind == "S") == request.scheduled]
    complete = [each for each in of_kind if each.state == "complete"]
    judged = [each for each in complete if request.comment in each.comment]
    by_rules = keep_reasons([each.start_time for each in judged], request.rules)
    reasons = {each.archive: why for each, why in zip(judged, by_rules, strict=True)}
    for each in complete[:retained]:
        reasons[each.archive] = (*reasons.get(each.archive, ()), BY_SCHEDULE)
    newest = max((each.start_time for each in archives if each.state == "complete"), default=None)
    keep: list[PrunedArchive] = []
    remove: list[PrunedArchive] = []
    for each in of_kind:
        if request.comment in each.comment:
            why = reasons.get(each.archive, (each.state,))
            outdated = each.state == "unfinished" and newest is not None and each.start_time < newest
            pruned = PrunedArchive(each.archive, each.start_time, each.size_bytes, why)
            (remove if outdated or not why else keep).append(pruned)
    return PruneResult(keep=tuple(keep), remove=tuple(remove))


def prune_archives(
    appliance: Appliance, request: PruneRequest, confirmed: PrunePlan | None = None
) -> Task[Outcome[PruneResult]]:
    """Remove what no rule keeps, the oldest archive first; an error or an interruption ends it between two files.

    Raises what ``plan_prune`` raises. Raises NotPrunedError: if the plan is no longer the ``confirmed`` one.
    """
    plan = yield from plan_prune(appliance, request)
    if confirmed is not None and confirmed != plan:
        why = "jobs or archives have changed since the question; nothing was removed"
        raise NotPrunedError(why, server=appliance.name, hint=_AGAIN)
    for each in plan.result.keep:
        if "damaged" in each.reasons:
            appliance.emit(Warned(message=f"{each.archive} is damaged; it is never removed"))
    removed, error = set[str](), None
    try:
        for each in () if request.dry_run else reversed(plan.result.remove):
            yield from _remove(appliance, request, plan, each.archive)
            removed.add(each.archive)
            request.manifests.remove(plan.folder[-1], each.archive)
    except BackupctlError as failure:
        error = failure
    after = tuple(replace(each, removed=each.archive in removed) for each in plan.result.remove)
    return Outcome(replace(plan.result, remove=after), error)


def prune_after_backup(
    appliance: Appliance, request: Callable[[], PruneRequest], ended: Outcome[JobResult]
) -> Task[Outcome[JobResult]]:
    """Prune after a backup that has succeeded; whatever happens, its job is kept in the result."""
    job, error = ended.value.job, ended.error
    if error is not None or job is None or not job.succeeded:
        return ended
    result = ended.value
    try:
        done = yield from prune_archives(appliance, request())
        result, error = replace(result, keep=done.value.keep, remove=done.value.remove), done.error
    except Exception as problem:  # noqa: BLE001 - a bug must not take the result of the backup away
        error = problem if isinstance(problem, BackupctlError) else BugError.of(problem)
    if error is not None:
        error = error.with_facts(
            message="$job succeeded, but pruning failed: $cause",
            cause=error.facts._replace(server=None),
            job=job.id,
            hint="do not repeat the backup; prune later with `backupctl archive prune $selector`",
            selector=("-s", appliance.name),
        )
    return Outcome(result, error)


def _newest_job(appliance: Appliance) -> Task[str | None]:
    """Return the id of the newest job, None without any. Raises BusyError and NotPrunedError: as ``plan_prune``."""
    running = yield from jobs.find_running(appliance, retry_seconds=RETRY_SECONDS)
    found, unreadable = yield from jobs.read_all(appliance)
    running = running or next((each for each in found if not each.ended), None)
    if running is not None:
        texts, hint = (describe_running(running, appliance.clock.now()),), hung_hint(running, appliance.clock.now())
        raise BusyError("$1; nothing was removed", server=appliance.name, texts=texts, hint=hint)
    if unreadable:
        raise NotPrunedError("some backup jobs cannot be read; nothing was removed", server=appliance.name)
    if found and not found[0].succeeded:
        hint = "make a successful backup first"
        raise NotPrunedError("the newest backup did not succeed; nothing was removed", server=appliance.name, hint=hint)
    return found[0].id if found else None


def _remove(appliance: Appliance, request: PruneRequest, plan: PrunePlan, name: str) -> Task[None]:
    """Remove the files of an archive, which must be as planned, the metadata first, and then its folder."""
    planned, path, access = plan.found[name], (*plan.folder, name), request.access
    if (yield from request.targets.use(access, lambda target: read_archive(target, access.location, path))) != planned:
        why = "archive $1 has changed since the plan was made"
        raise NotPrunedError(why, server=appliance.name, texts=(name,), hint=_AGAIN)
    files = sorted((each.name for each in planned.files), key=lambda file: (file != METADATA, file))
    steps = [methodcaller("remove_file", (*path, file)) for file in files]
    for step in (*steps, methodcaller("remove_empty_dir", path)):
        yield Wait(appliance.clock.monotonic())  # an interruption ends the run here, as the next call is shielded
        yield from request.targets.use(access, step, shielded=True)
