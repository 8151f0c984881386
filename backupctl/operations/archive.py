"""Read the archives at a backup location."""

import contextlib
from functools import partial

from backupctl.errors import NotFoundError, NotSupportedError, UsageError
from backupctl.location import Location
from backupctl.models import ArchiveFilter, LocationSpec, as_utc
from backupctl.operations.unreadable_entries import readable
from backupctl.results.archive_results import Archive
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import retry
from backupctl.scheduler.task import Task


def fetch_systems(appliance: Appliance, location: LocationSpec, *, password_in_url: bool) -> Task[tuple[str, ...]]:
    """Return the names of the systems that have backups at a location.

    Raises UsageError: if the location's password would be in a URL (see ``_check_password_in_url``); nothing is sent.
    """
    yield from _check_password_in_url(appliance, location, allowed=password_in_url)
    return tuple((yield from retry(appliance, partial(appliance.api.system_names, location))))


def fetch_archives(
    appliance: Appliance,
    location: LocationSpec,
    system_name: str | None,
    selection: ArchiveFilter,
    *,
    password_in_url: bool,
) -> Task[tuple[tuple[Archive, ...], int]]:
    """Return the archives of one or all systems, newest first, and the number of unreadable ones."""
    if system_name is None:
        systems = yield from fetch_systems(appliance, location, password_in_url=password_in_url)
    else:
        yield from _check_password_in_url(appliance, location, allowed=password_in_url)
        systems = (system_name,)
    archives: list[Archive] = []
    unreadable = 0
    for system in systems:
        entries = yield from retry(appliance, partial(appliance.api.archives, location, system, selection))
        summaries = readable(appliance, entries, f"archives of {system}")
        unreadable += len(entries) - len(summaries)
        archives += [
            Archive(
                archive=summary.archive,
                system_name=system,
                start_time=as_utc(summary.timestamp),
                version=summary.version,
                comment=summary.comment,
            )
            for summary in summaries
        ]
    archives.sort(key=lambda archive: (archive.start_time.isoformat() if archive.start_time else "", archive.archive))
    return tuple(archives[::-1][: selection.max_results]), unreadable


def fetch_archive(
    appliance: Appliance, location: LocationSpec, system_name: str | None, archive: str, *, password_in_url: bool
) -> Task[Archive]:
    """Return one archive; without ``system_name``, the location must have exactly one system.

    Raises NotFoundError: if the archive does not exist. Raises UsageError: if ``system_name`` is needed.
    """
    if system_name is None:
        systems = yield from fetch_systems(appliance, location, password_in_url=password_in_url)
        if len(systems) != 1:
            raise UsageError(
                f"the location has {len(systems)} systems",
                hint="choose one with --system; `backupctl archive systems` lists them",
            )
        system_name = systems[0]
    else:
        yield from _check_password_in_url(appliance, location, allowed=password_in_url)
    try:
        info = yield from retry(appliance, partial(appliance.api.archive, location, system_name, archive))
    except NotFoundError as error:
        system = appliance.api.redact(system_name, skip_common_words=True)
        raise NotFoundError(
            f"archive {archive!r} of {system!r} not found at the location",
            hint="`backupctl archive list` lists the archives",
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


def _check_password_in_url(appliance: Appliance, location: LocationSpec, *, allowed: bool) -> Task[None]:
    """Check that the location's password is not sent in a URL, where proxies log it, unless that is ``allowed``.

    In ``/rest`` it is. Some releases have sessions in ``/api`` but recovery only in ``/rest``, so a request without the
    password finds out the API family first.

    Raises UsageError: if the password would be sent in a URL.
    """
    if location.location_password is None or allowed:
        return
    if appliance.api.family != "rest":
        with contextlib.suppress(NotSupportedError):
            yield from retry(appliance, appliance.api.recovery_supported)
    if appliance.api.family == "rest":
        raise UsageError(
            "$server has only /rest, which needs the location's password in the URL; refusing to send it",
            server=appliance.name,
            hint="use --allow-password-in-url to accept that proxies and servers may log it",
        )
