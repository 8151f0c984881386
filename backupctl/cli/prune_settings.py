"""What to prune at the location of an appliance, from settings, and the question about it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.confirmation import confirm
from backupctl.cli.context import Context
from backupctl.cli.location_settings import ResolvedLocation
from backupctl.cli.target_settings import system_of, target_access
from backupctl.config.option_table import KEEP_RULES, NO_WAIT, PRUNE, VERIFY
from backupctl.errors import UsageError
from backupctl.location import Location
from backupctl.operations.outcome import Outcome
from backupctl.operations.prune_archives import PrunePlan, PruneRequest, prune_after_backup
from backupctl.output.terminal.prune_text import amount, prune_rows
from backupctl.output.terminal.table import table_lines
from backupctl.results.backup_results import JobResult
from backupctl.rules.retention import KeepRules
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task
from backupctl.state.manifests import Manifests

PruneBackup = Callable[[Appliance, Outcome[JobResult], Location], Task[Outcome[JobResult]]]
"""Prunes after a backup that has succeeded at a location."""


def prune_request(
    settings: ApplianceSettings,
    resolved: ResolvedLocation | None = None,
    *,
    scheduled: bool = False,
    comment: str = "",
) -> PruneRequest:
    """Return what to prune. Raises UsageError: without a rule that keeps something."""
    values = {option.name.removeprefix("keep-"): settings.value(option) or 0 for option in KEEP_RULES}
    rules = msgspec.convert(values, KeepRules)
    if rules == KeepRules():
        flags = ", ".join(option.flag for option in KEEP_RULES)
        raise UsageError("no rule says which archives to keep", hint=f"give one or more of {flags}")
    return PruneRequest(
        access=target_access(settings, resolved),
        system=system_of(settings),
        rules=rules,
        manifests=Manifests(lambda: settings.context.state_directory),
        scheduled=scheduled,
        comment=comment,
    )


def backup_pruning(settings: ApplianceSettings, resolved: ResolvedLocation) -> PruneBackup | None:
    """Return how to prune after a backup, None unless that is wanted.

    Raises UsageError and ConfigError: for an invalid setting, before the backup.
    """
    context = settings.context
    if not context.value(PRUNE):
        rule = next((option.flag for option in KEEP_RULES if option.key in context.given), None)
        if rule is not None:
            raise UsageError(f"{rule} needs {PRUNE.flag}")
        return None
    if settings.value(NO_WAIT) or context.given_text(VERIFY.flag) == "none":
        raise UsageError(f"{PRUNE.flag} needs a verified backup", hint=f"omit {NO_WAIT.flag} and {VERIFY.flag} none")
    prune_request(settings, resolved)

    def prune(appliance: Appliance, ended: Outcome[JobResult], location: Location) -> Task[Outcome[JobResult]]:
        request = partial(prune_request, settings, replace(resolved, location=location))
        return prune_after_backup(appliance, context.targets, request, ended)

    return prune


def confirm_plans(context: Context, plans: Mapping[str, PrunePlan], appliances: Sequence[Appliance]) -> None:
    """Show what will be kept and removed, and ask once. Raises UsageError: if the answer is no."""
    results = {each.name: plans[each.name].result for each in appliances if each.name in plans}
    removed = [each for result in results.values() for each in result.remove]
    tables = [table_lines(prune_rows(result).named(name), None) for name, result in results.items()]
    if removed:
        confirm(context, f"remove {amount(removed)}", [line.plain for table in tables for line in table])
