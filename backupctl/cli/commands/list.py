"""``backupctl list``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, shared_options

if TYPE_CHECKING:
    from backupctl.scheduler.appliance import Appliance
    from backupctl.scheduler.task import Task

TYPES: Final = ("MANUAL", "SCHEDULED", "LOCAL_BACKUP")
"""Known job types; LOCAL_BACKUP exists since 9.0."""


def _complete_state(_ctx: click.Context, _parameter: click.Parameter, _start: str) -> list[str]:
    from backupctl.models import JobState

    return list(JobState)


@click.command("list", cls=ApplianceCommand)
@click.option(
    "--state",
    metavar="STATE",
    shell_complete=_complete_state,
    help="Only jobs in this state: INPROGRESS, SUCCEEDED, FAILED, NONE.",
)
@click.option(
    "--type",
    "job_type",
    metavar="TYPE",
    shell_complete=lambda _ctx, _parameter, _start: list(TYPES),
    help="Only jobs of this type: MANUAL, SCHEDULED, LOCAL_BACKUP.",
)
@click.option("--since", metavar="WHEN", help="Started since 2026-03-01, 2026-03-01T02:00 or 30d (ago).")
@click.option("--until", metavar="WHEN", help="Started until then.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Only the newest N jobs.")
@shared_options
@click.pass_obj
def command(  # noqa: PLR0917 - click passes arguments by name
    context: Context, state: str | None, job_type: str | None, since: str | None, until: str | None, limit: int | None
) -> int:
    """List the backup jobs that the appliance remembers, newest first."""
    from backupctl.cli.runner import run
    from backupctl.cli.timestamps import parse_timestamp
    from backupctl.models import JobState
    from backupctl.operations.job_selection import JobFilter
    from backupctl.operations.jobs import read_all
    from backupctl.operations.outcome import Outcome
    from backupctl.results.backup_results import JobsResult

    now = context.clock.now()
    job_filter = JobFilter(
        state=state and state.upper(),
        type=job_type and job_type.upper(),
        since=parse_timestamp("--since", since, now),
        until=parse_timestamp("--until", until, now),
        limit=limit,
    )
    _warn_if_unknown(context, "--state", job_filter.state, list(JobState))
    _warn_if_unknown(context, "--type", job_filter.type, TYPES)

    def work(appliance: Appliance) -> Task[Outcome[JobsResult]]:
        jobs, unreadable = yield from read_all(appliance)
        selected = job_filter.select(jobs)
        return Outcome(JobsResult(jobs=selected, remembers=len(jobs) + len(unreadable), unreadable=len(unreadable)))

    return run(context, JobsResult, lambda _: work)


def _warn_if_unknown(context: Context, option: str, value: str | None, known: Sequence[str]) -> None:
    """Warn about an unknown value; it is used anyway, as a later release may have added it."""
    if value is not None and value not in known:
        context.view.warn(
            f"{option}: unknown value {value}, which may match nothing",
            hint=f"choose from {', '.join(known)}",
            always=True,
        )
