"""``backupctl check``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import click

from backupctl.cli.command_traits import CommandTraits
from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, shared_options

_PARSERS = {"DURATION": "duration.parse_duration", "SIZE": "quantity.parse_size", "PERCENT": "quantity.parse_percent"}
"""The parser of each kind of value, below ``backupctl.rules``."""


def _value(*names: str, kind: str = "DURATION", **attributes: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - of click
    """Declare an option with a value of a kind in ``_PARSERS``."""

    def parse(_ctx: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
        from backupctl.config.value import FLAG, Source, parse_from

        module, _, function = _PARSERS[kind].partition(".")
        parser = getattr(import_module(f"backupctl.rules.{module}"), function)
        return None if text is None else parse_from(Source(FLAG, parameter.opts[-1]), parser, text)

    shown = attributes.get("default", "0") != "0"
    return click.option(*names, callback=parse, metavar=kind, show_default=shown, **attributes)


def _choice(name: str, *choices: str, text: str, **attributes: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - of click
    """Declare an option with fixed values, of which the first is the default."""
    shown: dict[str, Any] = {"metavar": "|".join(choices), "show_default": True, "help": text}
    return click.option(name, type=click.Choice(choices), default=choices[0], **shown, **attributes)


@click.command("check", cls=ApplianceCommand)
@_value("-w", "--warning", default="26h", help="WARNING if the newest success is older.")
@_value("-c", "--critical", default="50h", help="CRITICAL if it is older.")
@_choice("--type", "any", "scheduled", "manual", text="Backups that count.")
@_choice("--last-result", "warning", "critical", "ignore", text="State if the last one failed.")
@_value("--min-size", kind="SIZE", help="CRITICAL if the newest success is smaller.")
@_value("--size-deviation", kind="PERCENT", help="WARNING if it differs more from the median.")
@_value("--max-running", help="WARNING if a backup runs for longer.")
@_choice("--schedule", "optional", "required", text="WARNING if none is enabled.")
@_value("--grace", default="0", help="WARNING at first for an appliance without success.")
@_value("--timeout", default="50s", help="Time for the whole check.")
@_choice("--format", "nagios", "checkmk", "prtg", text="Monitoring system.", expose_value=False)
@shared_options
@click.pass_obj
def command(context: Context, /, timeout: float, **limits: Any) -> int:  # noqa: ANN401 - as parsed
    """Report to a monitoring system whether there is a fresh backup."""
    from backupctl.cli.runner import run
    from backupctl.errors import UsageError
    from backupctl.monitoring.verdict import Thresholds
    from backupctl.operations.check import check
    from backupctl.results.verdict_results import VerdictResult

    thresholds = Thresholds(**limits)
    if thresholds.warning > thresholds.critical:
        raise UsageError("--warning is longer than --critical", hint="give the shorter age with --warning")
    work = partial(check, limits=thresholds)
    return run(context, VerdictResult, lambda _: work, CommandTraits(deadline=timeout))
