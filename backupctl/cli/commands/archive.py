"""``backupctl archive``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, options, secret_options, shared_options
from backupctl.config.option_table import LOCATION, LOCATION_PASSWORD, LOCATION_USER

if TYPE_CHECKING:
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import Work
    from backupctl.models import ArchiveFilter, LocationSpec
    from backupctl.operations.outcome import Outcome
    from backupctl.results.archive_results import ArchiveResult, ArchivesResult, SystemsResult
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task

    R = TypeVar("R", SystemsResult, ArchivesResult, ArchiveResult)

F = TypeVar("F", bound=Callable[..., object])


def _location_options(function: F) -> F:
    """Declare the options of the location with the archives."""
    password_in_url = click.option(
        "--allow-password-in-url",
        is_flag=True,
        help="Where only /rest is spoken (before 7.0U2), let the location's password stand in the URL.",
    )
    return options(LOCATION, LOCATION_USER)(secret_options(LOCATION_PASSWORD)(password_in_url(function)))


@click.group("archive")
def command() -> None:
    """List and show what lies at a backup location (6.7 and later)."""


@command.command(
    "systems",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl archive systems -s vc01.example.com -u administrator@vsphere.local \\
      --location sftp://backup.example.com/vcenter --location-user backup

Exit status: 0 the systems were listed, 10 there is nothing at the location.""",
)
@_location_options
@shared_options
@click.pass_obj
def systems(context: Context, allow_password_in_url: bool) -> int:
    """List the systems that have backups at a location."""
    from backupctl.cli.runner import run
    from backupctl.operations.archive import read_systems
    from backupctl.operations.outcome import Outcome
    from backupctl.results.archive_results import SystemsResult

    def work(location: LocationSpec, appliance: Appliance) -> Task[Outcome[SystemsResult]]:
        names = yield from read_systems(appliance, location, password_in_url=allow_password_in_url)
        return Outcome(SystemsResult(systems=names))

    return run(context, "archive systems", SystemsResult, _with_location(work))


@command.command(
    "list",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl archive list -s vc01.example.com -u administrator@vsphere.local \\
      --location sftp://backup.example.com/vcenter --location-user backup --since 30d --comment-contains upgrade

Exit status: 0 the archives were listed, 10 there is nothing at the location.""",
)
@click.option("--system", metavar="NAME", help="Only of this system, as `archive systems` names it.")
@click.option("--since", metavar="WHEN", help="Started then or later: 2026-03-01, 2026-03-01T02:00, or 30d for ago.")
@click.option("--until", metavar="WHEN", help="Started then or earlier.")
@click.option("--comment-contains", metavar="TEXT", help="Only those with this in their comment.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="At most so many, the newest; else 128 a system.")
@_location_options
@shared_options
@click.pass_obj
def list_command(  # noqa: PLR0917 - click passes arguments by name
    context: Context,
    system: str | None,
    allow_password_in_url: bool,
    since: str | None,
    until: str | None,
    comment_contains: str | None,
    limit: int | None,
) -> int:
    """List the archives at a location, newest first."""
    from backupctl.cli.runner import run
    from backupctl.operations.archive import read_archives
    from backupctl.operations.outcome import Outcome
    from backupctl.results.archive_results import ArchivesResult

    archive_filter = _archive_filter(context.clock.now(), since, until, comment_contains, limit)

    def work(location: LocationSpec, appliance: Appliance) -> Task[Outcome[ArchivesResult]]:
        archives, unreadable = yield from read_archives(
            appliance, location, system, archive_filter, password_in_url=allow_password_in_url
        )
        return Outcome(ArchivesResult(archives=archives, unreadable=unreadable))

    return run(context, "archive list", ArchivesResult, _with_location(work))


@command.command(
    "show",
    cls=ApplianceCommand,
    epilog="""\b
Example:
  backupctl archive show M_8.0.0.10000_20260301-020000_ -s vc01.example.com -u administrator@vsphere.local \\
      --location sftp://backup.example.com/vcenter --location-user backup

Exit status: 0 the archive was shown, 10 there is no such archive.""",
)
@click.argument("archive")
@click.option("--system", metavar="NAME", help="Of this system; not needed where the location has one only.")
@_location_options
@shared_options
@click.pass_obj
def show(context: Context, archive: str, system: str | None, allow_password_in_url: bool) -> int:
    """Show an archive: when, what, of which release."""
    from backupctl.cli.runner import run
    from backupctl.operations.archive import read_archive
    from backupctl.operations.outcome import Outcome
    from backupctl.results.archive_results import ArchiveResult

    def work(location: LocationSpec, appliance: Appliance) -> Task[Outcome[ArchiveResult]]:
        info = yield from read_archive(appliance, location, system, archive, password_in_url=allow_password_in_url)
        return Outcome(ArchiveResult(archive=info))

    return run(context, "archive show", ArchiveResult, _with_location(work))


def _with_location(
    work: Callable[[LocationSpec, Appliance], Task[Outcome[R]]],
) -> Callable[[ApplianceSettings], Work[R]]:
    """Return a function that prepares ``work`` with the location of an appliance."""
    from backupctl.cli.location_settings import location_spec

    return lambda settings: partial(work, location_spec(settings))


def _archive_filter(
    now: datetime, since: str | None, until: str | None, comment_contains: str | None, limit: int | None
) -> ArchiveFilter:
    from backupctl.cli.timestamps import parse_timestamp
    from backupctl.models import ArchiveFilter
    from backupctl.rules.request_fields import check_comment

    if comment_contains is not None:
        check_comment(comment_contains)
    return ArchiveFilter(
        start_timestamp=parse_timestamp("--since", since, now),
        end_timestamp=parse_timestamp("--until", until, now),
        comment_substring=comment_contains,
        max_results=limit,
    )
