"""Find an archive at a location: by its name, the newest one, or that of a job."""

from collections.abc import Sequence
from typing import Final

from backupctl.errors import NotFoundError
from backupctl.operations.target_archives import METADATA, find_system, find_systems
from backupctl.results.job import TIME_ID
from backupctl.rules.archive_name import parse_archive_name
from backupctl.targets.target import Target, TargetPath
from backupctl.targets.target_errors import NotVerifiedError, VerifyFailedError

LATEST: Final = "latest"


def find_archive(target: Target, system: str, name: str) -> TargetPath:
    """Return the folder of an archive; ``latest`` is the newest by its name, even a damaged one.

    Raises NotFoundError: if the system is missing, or has no archives.
    """
    folder = find_system(target, system)
    if name != LATEST:
        return (*folder, name)
    if found := started_archives(target, folder):
        return (*folder, found[-1][1])
    raise NotFoundError("no archives of $1 at the location", texts=(folder[-1],))


def find_archive_of(target: Target, system: str, job: str, *, search: bool) -> TargetPath:
    """Return the folder of the archive of a job, which has the timestamp of its id.

    Source: public code for 7.0 that makes the path so; unconfirmed for other releases. ``search``: if the system has no
    folder, as that of an appliance that is configured by its address, all systems are searched.

    Raises VerifyFailedError: if it is missing. Raises NotVerifiedError: if it cannot be told.
    """
    if not TIME_ID.fullmatch(job):
        raise NotVerifiedError("cannot tell the archive from the job id")
    try:
        systems: Sequence[TargetPath] = (find_system(target, system),)
    except NotFoundError:
        if not search:
            raise
        systems = find_systems(target)
    time = job.rpartition("-")[0]
    found = [(*folder, name) for folder in systems for start, name in started_archives(target, folder) if start == time]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotVerifiedError("several archives have the time of this job", hint="choose one system with $--system")
    if any(each.name == METADATA for each in target.list(())):
        raise NotVerifiedError("the backup has no folder of its own, as 6.5 writes it")
    raise VerifyFailedError("it has no archive at the location")


def started_archives(target: Target, folder: TargetPath) -> list[tuple[str, str]]:
    """Return start, as in a job id, and name of the archives of a system, the newest last."""
    names = [(parse_archive_name(each.name), each.name) for each in target.list(folder) if each.kind == "folder"]
    return sorted((f"{name.start_time:%Y%m%d-%H%M%S}", text) for name, text in names if name is not None)
