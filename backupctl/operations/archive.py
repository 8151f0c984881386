"""Archives: what lies at a backup location."""

import contextlib
from functools import partial

from backupctl.errors import NotFoundError, NotSupportedError, UsageError
from backupctl.location import Location
from backupctl.models import ArchiveFilter, LocationSpec, as_utc
from backupctl.operations.unreadable_entries import readable
from backupctl.results.archive_results import Archive
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task, retry


def read_systems(appliance: Appliance, location: LocationSpec, *, password_in_url: bool) -> Task[tuple[str, ...]]:
    """Return the names of the systems that have backups at a location.

    In ``/rest`` the password of the location travels in the URL, where proxies log it: without ``password_in_url``
    that raises UsageError, and nothing is sent.
    """
    yield from _guard(appliance, location, allowed=password_in_url)
    return tuple((yield from retry(appliance, partial(appliance.api.system_names, location))))


def read_archives(
    appliance: Appliance,
    location: LocationSpec,
    system_name: str | None,
    only: ArchiveFilter,
    *,
    password_in_url: bool,
) -> Task[tuple[tuple[Archive, ...], int]]:
    """Return the archives of a system, of all where none is named, newest first, and how many cannot be read."""
    yield from _guard(appliance, location, allowed=password_in_url)
    if system_name is None:
        systems = yield from read_systems(appliance, location, password_in_url=password_in_url)
    else:
        systems = (system_name,)
    found: list[Archive] = []
    unreadable = 0
    for system in systems:
        listed = yield from retry(appliance, partial(appliance.api.archives, location, system, only))
        summaries = readable(appliance, listed, f"archives of {system}")
        unreadable += len(listed) - len(summaries)
        found += [
            Archive(
                archive=summary.archive,
                system_name=system,
                start_time=as_utc(summary.timestamp),
                version=summary.version,
                comment=summary.comment,
            )
            for summary in summaries
        ]
    found.sort(key=lambda archive: (archive.start_time.isoformat() if archive.start_time else "", archive.archive))
    return tuple(found[::-1][: only.max_results]), unreadable


def read_archive(
    appliance: Appliance, location: LocationSpec, system_name: str | None, archive: str, *, password_in_url: bool
) -> Task[Archive]:
    """Return one archive; without a system name, that of the only system at the location.

    Raises NotFoundError where it does not exist.
    """
    yield from _guard(appliance, location, allowed=password_in_url)
    if system_name is None:
        systems = yield from read_systems(appliance, location, password_in_url=password_in_url)
        if len(systems) != 1:
            raise UsageError(
                f"there are {len(systems)} systems at the location",
                hint="name one with --system; `archive systems` lists",
            )
        system_name = systems[0]
    try:
        info = yield from retry(appliance, partial(appliance.api.archive, location, system_name, archive))
    except NotFoundError as error:
        system = appliance.api.redact(system_name, skip_common_words=True)
        raise NotFoundError(
            f"there is no archive {archive!r} of {system!r} at the location",
            hint="`backupctl archive list` shows those that are there",
            details=error.facts.details,
        ) from error
    return Archive(
        archive=archive,
        system_name=info.system_name or system_name,
        end_time=as_utc(info.timestamp),
        version=info.version,
        comment=info.comment,
        location=Location.reported(info.location).masked if info.location else None,
        parts=None if info.parts is None else tuple(info.parts),
    )


def _guard(appliance: Appliance, location: LocationSpec, *, allowed: bool) -> Task[None]:
    """Raise UsageError where the password would stand in a URL.

    Some releases have sessions in ``/api`` and their recovery in ``/rest`` only: so that is found out first, with a
    request that holds no password.
    """
    if location.location_password is None or allowed:
        return
    if appliance.api.family != "rest":
        with contextlib.suppress(NotSupportedError):
            yield from retry(appliance, appliance.api.recovery_supported)
    if appliance.api.family == "rest":
        raise UsageError(
            "$server speaks only /rest, where the location's password would stand in the URL of the request",
            server=appliance.host,
            hint="proxies and servers log URLs; --allow-password-in-url accepts that",
        )
