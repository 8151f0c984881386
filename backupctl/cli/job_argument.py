"""The argument that names a job."""

from collections.abc import Callable
from typing import Final, TypeVar

import click

from backupctl.cli.options import ExampleArgument
from backupctl.rules.request_fields import check_job_id

LATEST: Final = "latest"

F = TypeVar("F", bound=Callable[..., object])


def single_appliance_reason(job_id: str) -> str | None:
    """Return why a command on this job accepts only one appliance, None for ``latest``, which every appliance has."""
    return None if job_id == LATEST else f"backup job {job_id} is on one appliance"


def job_argument(*, default: str | None = None) -> Callable[[F], F]:
    """Declare the argument ``JOB_ID``: the id of a job, or ``latest``."""

    def check(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
        check_job_id(value)
        return value

    return click.argument(
        "job_id",
        cls=ExampleArgument,
        example=LATEST,
        metavar="JOB_ID" if default is None else "[JOB_ID]",
        **({} if default is None else {"default": default}),
        callback=check,
    )
