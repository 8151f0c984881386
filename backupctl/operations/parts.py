"""Read the parts that a backup can include, with their sizes."""

from functools import partial

from backupctl.errors import ApplianceAnswerError, AuthorizationError, NotFoundError
from backupctl.models import Part
from backupctl.operations import job_conversion
from backupctl.operations.unreadable_entries import readable
from backupctl.results.backup_results import PartSize
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import retry
from backupctl.scheduler.task import Task


def read_parts(appliance: Appliance) -> Task[tuple[tuple[PartSize, ...], int]]:
    """Return the parts with their sizes (None if unknown), and the number of unreadable parts.

    Raises ApplianceUnreachableError and AuthenticationError: for any request. A size is unknown after other errors.
    """
    entries = yield from retry(appliance, appliance.api.parts)
    parts, sized = readable(appliance, entries, "parts"), []
    for part in parts:
        try:
            size = yield from retry(appliance, partial(appliance.api.part_size, part.id))
        except (ApplianceAnswerError, AuthorizationError, NotFoundError):
            size = None
        sized.append(_part_size(part, size))
    return tuple(sized), len(entries) - len(parts)


def total_mb(parts: tuple[PartSize, ...]) -> int | None:
    """Return the sum of the known sizes, None if none is known."""
    sizes = [part.size_mb for part in parts if part.size_mb is not None]
    return sum(sizes) if sizes else None


def _part_size(part: Part, size_mb: int | None) -> PartSize:
    return PartSize(
        id=part.id,
        name=part.name.text if part.name else part.id,
        description=part.description.text if part.description else "",
        selected_by_default=part.selected_by_default,
        optional=part.optional,
        size_mb=job_conversion.whole_number(size_mb),
    )
