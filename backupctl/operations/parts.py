"""Parts: what a backup can include, and how large it would be."""

from functools import partial

from backupctl.errors import ApplianceAnswerError, AuthorizationError, NotFoundError
from backupctl.models import Part
from backupctl.operations import job_conversion
from backupctl.operations.unreadable_entries import readable
from backupctl.results.backup_results import PartSize
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task, retry


def read_parts(appliance: Appliance) -> Task[tuple[tuple[PartSize, ...], int]]:
    """Return the parts with their sizes, and how many more cannot be read; an unknown size is None.

    Raises what says that nothing can be asked at all: unreachable, refused.
    """
    listed = yield from retry(appliance, appliance.api.parts)
    parts, found = readable(appliance, listed, "parts"), []
    for part in parts:
        try:
            size = yield from retry(appliance, partial(appliance.api.part_size, part.id))
        except (ApplianceAnswerError, AuthorizationError, NotFoundError):
            size = None
        found.append(_sized(part, size))
    return tuple(found), len(listed) - len(parts)


def total_mb(parts: tuple[PartSize, ...]) -> int | None:
    """Return the sum of the known sizes, None where none is known."""
    sizes = [part.size_mb for part in parts if part.size_mb is not None]
    return sum(sizes) if sizes else None


def _sized(part: Part, size_mb: int | None) -> PartSize:
    return PartSize(
        id=part.id,
        name=part.name.text if part.name else part.id,
        description=part.description.text if part.description else "",
        selected_by_default=part.selected_by_default,
        optional=part.optional,
        size_mb=job_conversion.whole_number(size_mb),
    )
