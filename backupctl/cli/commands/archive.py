"""``backupctl archive``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.confirmation import check_terminal, yes_option
from backupctl.cli.context import Context
from backupctl.cli.options import (
    CommandGroup,
    ExampleArgument,
    in_group,
    options,
    secret_options,
    shared_options,
    target_options,
)
from backupctl.config.option import OptionGroup
from backupctl.config.option_table import (
    CONFIG,
    DRY_RUN,
    KEEP_RULES,
    LOCATION,
    LOCATION_PASSWORD,
    LOCATION_USER,
    SERVER,
    STATE_DIR,
)

if TYPE_CHECKING:
    from backupctl.cli.appliance_settings import ApplianceSettings
    from backupctl.cli.runner import Work
    from backupctl.models import ArchiveFilter, LocationSpec
    from backupctl.operations.outcome import Outcome
    from backupctl.results.result import Result
    from backupctl.results.verification_results import VerificationResult
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task
    from backupctl.targets.access import TargetAccess

    R = TypeVar("R", bound=Result)

F = TypeVar("F", bound=Callable[..., object])

direct_option = click.option(
    "--direct", is_flag=True, help="Read the backup server from this host, without the appliance."
)


def _location_options(function: F) -> F:
    """Declare the options of the location with the archives."""
    password_in_url = click.option(
        "--allow-password-in-url",
        is_flag=True,
        help="Allow the location's password in request URLs (before 7.0U2).",
    )
    declared = secret_options(LOCATION_PASSWORD)(target_options(password_in_url(function)))
    return options(LOCATION, LOCATION_USER)(declared)


command = CommandGroup("archive")


@command.command("systems")
@direct_option
@_location_options
@shared_options
@click.pass_obj
def systems(context: Context, direct: bool, allow_password_in_url: bool) -> int:
    """List the systems that have backups at a location."""
    from backupctl.cli.direct import run_direct
    from backupctl.operations.archive import fetch_systems
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.target_archives import find_systems
    from backupctl.results.archive_results import SystemsResult

    def read(_settings: ApplianceSettings, access: TargetAccess, _system: str | None) -> Task[Outcome[SystemsResult]]:
        found = yield from context.targets.use(access, find_systems)
        return Outcome(SystemsResult(systems=tuple(path[-1] for path in found)))

    def work(_system: str | None, location: LocationSpec, appliance: Appliance) -> Task[Outcome[SystemsResult]]:
        names = yield from fetch_systems(appliance, location, password_in_url=allow_password_in_url)
        return Outcome(SystemsResult(systems=names))

    return run_direct(context, SystemsResult, read) if direct else _run(context, SystemsResult, work)


@command.command("list")
@direct_option
@click.option("--since", metavar="WHEN", help="Started since 2026-03-01, 2026-03-01T02:00 or 30d (ago).")
@click.option("--until", metavar="WHEN", help="Started until then.")
@click.option("--comment-contains", metavar="TEXT", help="Only archives with this text in their comment.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1), help="Only the newest N (default: 128 per system; directly, all)."
)
@_location_options
@shared_options
@click.pass_obj
def list_command(  # noqa: PLR0917 - click passes arguments by name
    context: Context,
    direct: bool,
    allow_password_in_url: bool,
    since: str | None,
    until: str | None,
    comment_contains: str | None,
    limit: int | None,
) -> int:
    """List the archives at a location, newest first."""
    from backupctl.cli.direct import run_direct, with_restore_command
    from backupctl.operations.archive import fetch_archives
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.target_archives import list_archives
    from backupctl.results.archive_results import ArchivesResult
    from backupctl.results.target_archive import DirectArchivesResult

    archive_filter = _archive_filter(context.clock.now(), since, until, comment_contains, limit)

    def read(
        settings: ApplianceSettings, access: TargetAccess, system: str | None
    ) -> Task[Outcome[DirectArchivesResult]]:
        reader = partial(list_archives, location=access.location, system=system, selection=archive_filter)
        found = yield from context.targets.use(access, reader)
        archives = tuple(with_restore_command(settings, access, each) for each in found.archives)
        return Outcome(DirectArchivesResult(archives=archives, other_entries=found.others))

    def work(system: str | None, location: LocationSpec, appliance: Appliance) -> Task[Outcome[ArchivesResult]]:
        archives, unreadable = yield from fetch_archives(
            appliance, location, system, archive_filter, password_in_url=allow_password_in_url
        )
        return Outcome(ArchivesResult(archives=archives, unreadable=unreadable))

    return run_direct(context, DirectArchivesResult, read) if direct else _run(context, ArchivesResult, work)


@command.command("show")
@click.argument("archive")
@direct_option
@_location_options
@shared_options
@click.pass_obj
def show(context: Context, archive: str, direct: bool, allow_password_in_url: bool) -> int:
    """Show an archive: when, what, of which release."""
    from backupctl.cli.direct import run_direct, with_restore_command
    from backupctl.operations.archive import fetch_archive
    from backupctl.operations.outcome import Outcome
    from backupctl.operations.verify_archive import find_archive
    from backupctl.results.archive_results import ArchiveResult

    def read(settings: ApplianceSettings, access: TargetAccess, system: str | None) -> Task[Outcome[ArchiveResult]]:
        reader = partial(find_archive, location=access.location, system=str(system), name=archive)
        found = yield from context.targets.use(access, reader)
        return Outcome(ArchiveResult(archive=with_restore_command(settings, access, found.archive)))

    def work(system: str | None, location: LocationSpec, appliance: Appliance) -> Task[Outcome[ArchiveResult]]:
        info = yield from fetch_archive(appliance, location, system, archive, password_in_url=allow_password_in_url)
        return Outcome(ArchiveResult(archive=info))

    if direct:
        return run_direct(context, ArchiveResult, read, needs_system=True)
    return _run(context, ArchiveResult, work)


@command.command("verify")
@click.argument("archive", cls=ExampleArgument, example="latest", metavar="[ARCHIVE]", default="latest")
@click.option(
    "--level",
    type=click.Choice(("present", "unchanged", "readable")),
    default="present",
    help="What to verify (default: present).",
)
@options(LOCATION, LOCATION_USER)
@secret_options(LOCATION_PASSWORD)
@target_options
@options(CONFIG, STATE_DIR, SERVER, *in_group(OptionGroup.SEVERAL), *in_group(OptionGroup.OUTPUT))
@click.pass_obj
def verify(context: Context, archive: str, level: str) -> int:
    """Verify an archive from this host, without the appliance."""
    from backupctl.cli.direct import run_direct
    from backupctl.cli.verification import archive_verifier
    from backupctl.operations.verify_archive import find_archive, verify_archive
    from backupctl.results.verification_results import VerificationResult

    verifier = archive_verifier(context, level)

    def work(
        _settings: ApplianceSettings, access: TargetAccess, system: str | None
    ) -> Task[Outcome[VerificationResult]]:
        return verify_archive(verifier, access, partial(find_archive, system=str(system), name=archive))

    return run_direct(context, VerificationResult, work, needs_system=True)


@command.command("prune")
@click.option("--scheduled", is_flag=True, help="Prune scheduled backups instead of manual ones.")
@click.option("--comment-contains", metavar="TEXT", default="", help="Only archives with this text in their comment.")
@options(*KEEP_RULES)
@options(DRY_RUN)
@yes_option
@options(LOCATION, LOCATION_USER)
@secret_options(LOCATION_PASSWORD)
@target_options
@shared_options
@click.pass_obj
def prune(context: Context, scheduled: bool, comment_contains: str, yes: bool) -> int:
    """Remove old archives from a location, except those that a rule keeps."""
    from msgspec.structs import replace

    from backupctl.cli.prune_settings import confirm_plans, prune_request
    from backupctl.cli.runner import run
    from backupctl.operations.prune_archives import PrunePlan, plan_prune, prune_archives
    from backupctl.results.prune_results import PruneResult

    hint = f"look at it with {DRY_RUN.flag}, then confirm it with --yes"
    plans, dry_run = dict[str, PrunePlan](), context.value(DRY_RUN)

    def prepare(settings: ApplianceSettings) -> Work[PruneResult]:
        chosen = {"scheduled": scheduled, "comment": comment_contains, "dry_run": dry_run}
        request, contact = replace(prune_request(settings), **chosen), context.contact
        if not yes and not dry_run:
            assert contact is not None  # noqa: S101 - the runner prepares the work in its first contact
            check_terminal(context, "remove archives", [each.name for each in contact.selected], hint)
            plans[settings.name] = contact.run(settings, partial(plan_prune, request=request))
        return partial(prune_archives, request=request, confirmed=plans.get(settings.name))

    traits = CommandTraits(changes=not dry_run)
    return run(context, PruneResult, prepare, traits, confirm=partial(confirm_plans, context, plans))


def _run(
    context: Context, result_type: type[R], work: Callable[[str | None, LocationSpec, Appliance], Task[Outcome[R]]]
) -> int:
    """Run ``work`` with system and location of each appliance; for one that does not answer, point to ``--direct``."""
    from backupctl.cli.location_settings import location_spec
    from backupctl.cli.runner import collect
    from backupctl.cli.target_settings import named_system

    def prepare(settings: ApplianceSettings) -> Work[R]:
        return partial(work, named_system(settings), location_spec(settings))

    return context.finish([_with_hint(each) for each in collect(context, result_type, prepare)])


def _with_hint(result: R) -> R:
    """Add the way without an appliance to the error of one that does not answer."""
    from msgspec.structs import replace

    from backupctl.errors import ApplianceUnreachableError, CertificateError

    error = result.error
    if not isinstance(error, ApplianceUnreachableError) or isinstance(error, CertificateError):
        return result
    hints = filter(None, (error.facts.hint, "add --direct to read the backup server without the appliance"))
    return replace(result, error=error.with_facts(hint="; ".join(hints)))


def _archive_filter(
    now: datetime, since: str | None, until: str | None, comment_contains: str | None, limit: int | None
) -> ArchiveFilter:
    from backupctl.cli.timestamps import parse_timestamp
    from backupctl.models import ArchiveFilter
    from backupctl.rules.request_fields import parse_comment

    if comment_contains is not None:
        parse_comment(comment_contains)
    return ArchiveFilter(
        start_timestamp=parse_timestamp("--since", since, now),
        end_timestamp=parse_timestamp("--until", until, now),
        comment_substring=comment_contains,
        max_results=limit,
    )
