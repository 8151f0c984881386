"""Prune: remove an appliance's archives that no rule keeps.

A backup cannot be made again, so this starts only after a successful backup, in a folder that has one which the
appliance remembers, removes only while no job runs, and stops at anything that is not as planned. The metadata of an
archive goes first: what an interruption leaves of it is unfinished, and a later run removes it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import methodcaller
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from backupctl.errors import BackupctlError, BusyError, NotFoundError, NotPrunedError
from backupctl.location import Location
from backupctl.models import ArchiveFilter
from backupctl.operations import jobs
from backupctl.operations.after_backup import after_backup
from backupctl.operations.busy_job import describe_running, hung_hint
from backupctl.operations.outcome import Outcome
from backupctl.operations.schedule import read_schedules
from backupctl.operations.target_archives import (
    METADATA,
    FoundArchives,
    compare,
    find_system,
    list_archives,
    read_archive,
    unusual,
)
from backupctl.operations.target_connections import TargetConnections
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Warned
from backupctl.results.job import Job
from backupctl.results.prune_results import PrunedArchive, PruneResult
from backupctl.results.target_archive import TargetArchive
from backupctl.results.verification_results import Verification
from backupctl.rules.archive_name import is_named_by_vcenter, job_time, system_folder
from backupctl.rules.retention import KeepRules, keep_reasons
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import RETRY_SECONDS
from backupctl.scheduler.task import Task, Wait
from backupctl.state.manifests import Manifests
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target, TargetPath
from backupctl.targets.target_errors import TargetAnswerError

BY_SCHEDULE: Final = "schedule"
NEWEST: Final = "newest backup"
VERIFIED: Final = "newest verified"
FOREIGN: Final = "not named by vCenter"
"""Reasons to keep an archive that no rule keeps; ``NEWEST`` is for what was made after the newest backup, too."""
_DAY: Final = timedelta(days=1)
_AGAIN: Final = "prune again for a new plan"


class PruneRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which archives to consider by which rules: manual or ``scheduled`` ones of ``system``, with ``comment``.

    ``verified`` is the archive of the backup that was just made.
    """

    targets: TargetConnections
    access: TargetAccess
    system: str
    rules: KeepRules
    manifests: Manifests
    scheduled: bool = False
    comment: str = ""
    verified: str | None = None
    dry_run: bool = False


class PrunePlan(msgspec.Struct, frozen=True):
    """What to keep and to remove, with the archives ``to_remove`` as they were found, the oldest first."""

    newest_job: str
    result: PruneResult
    to_remove: tuple[TargetArchive, ...]


def plan_prune(appliance: Appliance, request: PruneRequest) -> Task[PrunePlan]:
    """Return what to keep and to remove.

    Raises BusyError: while a job runs. Raises NotPrunedError: if the newest backup failed or is damaged, if the folder
    lacks the appliance's backups, if a time is in the future, or if jobs or schedules cannot be read. Raises
    NotFoundError: if the location has no folder of the appliance.
    """
    found = yield from _read_jobs(appliance)
    retained = 0
    if request.scheduled:
        schedules = (yield from read_schedules(appliance)).value
        if schedules.unreadable:
            raise _refusal(appliance, "the schedule cannot be read")
        retained = sum(each.max_count or 0 for each in schedules.schedules)

    def read(target: Target) -> FoundArchives:
        return list_archives(target, request.access.location, request.system, ArchiveFilter())

    listed = (yield from request.targets.use(request.access, read)).archives
    archives = [_as_known(request.manifests, each) for each in listed]
    counted = filter(_counts, archives)
    verified = next((each.archive for each in counted if request.manifests.read(each.system_name, each.archive)), None)
    newest = _newest_backup(appliance, request, found, archives)
    result = select(archives, request, newest, verified=verified, retained=retained)
    names = {each.archive for each in result.remove}
    return PrunePlan(found[0].id, result, tuple(each for each in reversed(archives) if each.archive in names))


def _as_known(manifests: Manifests, archive: TargetArchive) -> TargetArchive:
    """Return an archive, as damaged if its manifest or an earlier verification says so."""
    names = archive.system_name, archive.archive
    compared = compare(archive, manifests.read(*names))
    return replace(compared, state="damaged", complete=False) if manifests.is_damaged(*names) else compared


def _newest_backup(
    appliance: Appliance, request: PruneRequest, found: Sequence[Job], archives: Sequence[TargetArchive]
) -> datetime:
    """Return when the newest backup was made of which both the job and the archive are there.

    An archive has the time of its job. Another appliance's folder, or the wrong location, has none of these backups.
    """
    last = next((each for each in archives if is_named_by_vcenter(each.archive)), None)
    if last is not None and last.state == "damaged":
        raise _refusal(appliance, "the newest archive $1 is damaged", "make a successful backup first", last.archive)
    complete = [each for each in archives if _counts(each)]
    times = {found[0].id: job_time(found[0].id)} | {each.archive: each.start_time for each in complete}
    for name, time in times.items():
        if time is not None and time > appliance.clock.now() + _DAY:
            hint = "check the clocks of the appliance and of this host; move an archive with a wrong time away"
            raise _refusal(appliance, "the time of $1 is in the future", hint, name)
    of_kind = next((each for each in complete if (each.kind == "S") == request.scheduled), None)
    doubts = unusual(of_kind, archives) if of_kind is not None else ()
    if of_kind is not None and doubts and request.manifests.read(of_kind.system_name, of_kind.archive) is None:
        why, hint = "archive $1 may lack something ($2)", "make another backup before the earlier ones are removed"
        raise _refusal(appliance, why, hint, of_kind.archive, doubts[0])
    succeeded = {job_time(each.id) for each in found if each.succeeded}
    for each in complete:
        if each.start_time in succeeded and request.verified in {None, each.archive}:
            return each.start_time
    why, hint = "no archive in $1 belongs to a backup that $2 remembers", "check the location and $--system"
    raise _refusal(appliance, why, hint, system_folder(request.system), appliance.name)


def select(
    archives: Sequence[TargetArchive],
    request: PruneRequest,
    newest: datetime,
    *,
    verified: str | None = None,
    retained: int = 0,
) -> PruneResult:
    """Return which of the archives of a system, newest first, to keep and to remove.

    Only complete ones count for the rules. ``retained`` scheduled ones, those of the ``newest`` backup and later, and
    the newest ``verified`` one are kept whatever the rules say. An unfinished one is removed if the newest backup is
    more than a day younger. A damaged one, and one that vCenter has not named, is never removed.
    """
    of_kind = [each for each in archives if (each.kind == "S") == request.scheduled]
    complete = [each for each in of_kind if _counts(each)]
    considered = [each for each in complete if request.comment in each.comment]
    by_rules = keep_reasons([each.start_time for each in considered], request.rules)
    reasons = {each.archive: why for each, why in zip(considered, by_rules, strict=True)}
    for each in complete[:retained]:
        reasons[each.archive] = (*reasons.get(each.archive, ()), BY_SCHEDULE)

    def reasons_of(each: TargetArchive) -> tuple[str, ...]:
        if not is_named_by_vcenter(each.archive):
            return (FOREIGN,)
        if not each.complete:
            return (each.state,)
        protected = NEWEST if each.start_time >= newest else VERIFIED if each.archive == verified else None
        return reasons[each.archive] or ((protected,) if protected else ())

    keep: list[PrunedArchive] = []
    remove: list[PrunedArchive] = []
    for each in of_kind:
        if request.comment in each.comment:
            why = reasons_of(each)
            outdated = why == ("unfinished",) and each.start_time < newest - _DAY
            pruned = PrunedArchive(each.archive, each.start_time, each.comment, each.size_bytes, why)
            (remove if outdated or not why else keep).append(pruned)
    return PruneResult(keep=tuple(keep), remove=tuple(remove))


def _counts(archive: TargetArchive) -> bool:
    """Return whether an archive is a whole backup that the rules count."""
    return archive.complete and is_named_by_vcenter(archive.archive)


def prune_archives(
    appliance: Appliance, request: PruneRequest, confirmed: PrunePlan | None = None
) -> Task[Outcome[PruneResult]]:
    """Remove what no rule keeps, the oldest archive first; an error or an interruption ends it between two files.

    Raises what ``plan_prune`` raises. Raises NotPrunedError: if the plan is no longer the ``confirmed`` one.
    """
    plan = yield from plan_prune(appliance, request)
    if confirmed is not None and confirmed != plan:
        raise _refusal(appliance, "jobs or archives changed while you were asked", _AGAIN)
    for kept in plan.result.keep:
        for reason in {*kept.reasons} & {"damaged", FOREIGN}:
            appliance.emit(Warned(message=f"{kept.archive} is {reason}; not removing it"))
    removed, error = set[str](), None
    try:
        for each in () if request.dry_run else plan.to_remove:
            yield from _remove(appliance, request, each)
            removed.add(each.archive)
    except BackupctlError as failure:
        error = failure
    after = tuple(replace(each, removed=each.archive in removed) for each in plan.result.remove)
    return Outcome(replace(plan.result, remove=after), error)


def prune_after_backup(
    appliance: Appliance, request: Callable[[], PruneRequest], ended: Outcome[JobResult]
) -> Task[Outcome[JobResult]]:
    """Prune after a backup that has succeeded and was verified; its archive stays."""

    def prune(_: Job) -> Task[Outcome[Mapping[str, Any]]]:
        proof = ended.value.verification
        verified = replace(request(), verified=proof.archive if isinstance(proof, Verification) else None)
        done = yield from prune_archives(appliance, verified)
        return Outcome({"keep": done.value.keep, "remove": done.value.remove}, done.error)

    message = "$job succeeded, but pruning failed: $cause"
    hint = "prune later with `backupctl archive prune $selector`"
    return after_backup(appliance, ended, prune, NotPrunedError, message=message, hint=hint)


def _read_jobs(appliance: Appliance) -> Task[tuple[Job, ...]]:
    """Return the jobs, newest first. Raises BusyError and NotPrunedError: as ``plan_prune``."""
    _check_idle(appliance, (yield from jobs.find_running(appliance, retry_seconds=RETRY_SECONDS)))
    found, unreadable = yield from jobs.read_all(appliance)
    _check_idle(appliance, next((each for each in found if not each.ended), None))
    if unreadable:
        raise _refusal(appliance, "some backup jobs cannot be read")
    if not found or not found[0].succeeded:
        why = "the newest backup did not succeed" if found else "there are no backup jobs"
        raise _refusal(appliance, why, "make a successful backup first")
    return found


def _check_idle(appliance: Appliance, running: Job | None) -> None:
    if running is not None:
        now = appliance.clock.now()
        texts, hint = (describe_running(running, now),), hung_hint(running, now)
        raise BusyError("$1; not removing archives", server=appliance.name, texts=texts, hint=hint)


def _refusal(appliance: Appliance, why: str, hint: str | None = None, *texts: str) -> NotPrunedError:
    return NotPrunedError(f"{why}; nothing was removed", server=appliance.name, texts=texts, hint=hint)


def _remove(appliance: Appliance, request: PruneRequest, planned: TargetArchive) -> Task[None]:
    """Remove an archive, which must be as planned: its manifest, the metadata, the other files, and the folder.

    What is gone already, as somebody else prunes too, is as good as removed.
    """
    _check_idle(appliance, (yield from jobs.find_running(appliance, retry_seconds=RETRY_SECONDS)))
    look = partial(_find_again, location=request.access.location, planned=planned)
    path, found = yield from request.targets.use(request.access, look)
    if found is None:
        return
    if found != planned:
        why = "archive $1 has changed since the plan was made"
        raise NotPrunedError(why, server=appliance.name, texts=(planned.archive,), hint=_AGAIN)
    files = sorted((each.name for each in planned.files), key=lambda file: (file != METADATA, file))
    steps = [methodcaller("remove_file", (*path, file)) for file in files]
    yield Wait(appliance.clock.monotonic())
    request.manifests.remove(planned.system_name, planned.archive)
    for step in (*steps, methodcaller("remove_empty_dir", path)):
        yield Wait(appliance.clock.monotonic())  # an interruption ends the run here, as the next call is shielded
        try:
            yield from request.targets.use(request.access, step, shielded=True)
        except NotFoundError:
            continue
        except TargetAnswerError as error:
            hint = error.facts.hint or "the location user needs the right to delete there"
            raise error.with_facts(server=appliance.name, hint=hint) from None


def _find_again(
    target: Target, *, location: Location, planned: TargetArchive
) -> tuple[TargetPath, TargetArchive | None]:
    """Return a planned archive as it is now, None if it is gone. Raises NotFoundError: if it is no longer a folder."""
    path = (*find_system(target, planned.system_name), planned.archive)
    try:
        return path, read_archive(target, location, path)
    except NotFoundError:
        if any(each.name == path[-1] for each in target.list(path[:-1])):
            raise
        return path, None
