"""``backupctl check``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, shared_options


def _number(*names: str, kind: str = "duration", **attributes: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - of click
    """Declare an option with a number of a kind, for which there is a parser."""

    def parse(_ctx: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
        from backupctl.config import parsers
        from backupctl.config.value import FLAG, Source, parse_from

        parser: Callable[[str], float] = getattr(parsers, f"parse_{kind}")
        return None if text is None else parse_from(Source(FLAG, parameter.opts[-1]), parser, text)

    shown: dict[str, Any] = {"metavar": kind.upper(), "show_default": "default" in attributes}
    return click.option(*names, callback=parse, **shown, **attributes)


def _choice(name: str, *choices: str, **attributes: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - of click
    """Declare an option with fixed values, of which the first is the default."""
    shown: dict[str, Any] = {"metavar": "|".join(choices), "default": choices[0], "show_default": True}
    return click.option(name, type=click.Choice(choices), **shown, **attributes)


@click.command("check", cls=ApplianceCommand)
@_number("-w", "--warning", default="26h", help="WARNING if the newest success is older.")
@_number("-c", "--critical", default="50h", help="CRITICAL if the newest success is older.")
@_choice("--type", "any", "scheduled", "manual", help="Backups that count.")
@_choice("--last-result", "warning", "critical", "ignore", help="State if the last backup failed.")
@_number("--min-size", kind="size", help="CRITICAL if the newest success is smaller.")
@_number("--size-deviation", kind="percent", help="WARNING if the size is further from the median.")
@_number("--max-running", help="WARNING if a backup runs for longer.")
@_choice("--schedule", "optional", "required", help="WARNING if no schedule is enabled.")
@_number("--grace", default="0s", help="Report no success as WARNING for this long.")
@_number("--timeout", default="50s", help="Time limit of the whole check.")
@_choice("--format", "nagios", "checkmk", "prtg", help="Monitoring system.", expose_value=False)
@shared_options
@click.pass_obj
def command(context: Context, /, timeout: float, **limits: Any) -> int:  # noqa: ANN401 - the fields of Thresholds
    """Report to a monitoring system whether there is a fresh backup."""
    from msgspec.structs import replace

    from backupctl.cli.runner import collect
    from backupctl.errors import UsageError
    from backupctl.exit_codes import ServiceState
    from backupctl.monitoring.verdict import Thresholds
    from backupctl.operations.check import check
    from backupctl.results.verdict_results import VerdictResult

    thresholds = Thresholds(**limits)
    if thresholds.warning > thresholds.critical:
        raise UsageError("--warning is longer than --critical", hint="give --critical too: a longer age than --warning")
    work = partial(check, limits=thresholds)
    results = collect(context, VerdictResult, lambda _: work, CommandTraits(deadline=timeout))
    states = [each.check.state if each.check else ServiceState.UNKNOWN for each in results]
    return context.finish([replace(each, exit_code=state) for each, state in zip(results, states, strict=True)])
