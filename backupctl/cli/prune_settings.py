"""What to prune at the location of an appliance, from settings, and the question about it."""

from collections.abc import Mapping, Sequence

import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.confirmation import confirm
from backupctl.cli.context import Context
from backupctl.cli.direct import owner_of
from backupctl.cli.location_settings import ResolvedLocation
from backupctl.cli.target_settings import system_of, target_access
from backupctl.config.option_table import KEEP_RULES, NO_WAIT, PRUNE, SERVER, VERIFY
from backupctl.errors import UsageError
from backupctl.operations.prune_archives import PrunePlan, PruneRequest
from backupctl.output.terminal.prune_text import amount, plan_texts
from backupctl.rules.retention import KeepRules
from backupctl.scheduler.appliance import Appliance
from backupctl.state.manifests import Manifests


def prune_request(settings: ApplianceSettings, resolved: ResolvedLocation | None = None) -> PruneRequest:
    """Return what to prune. Raises UsageError: without a rule that keeps something, or in another server's folder."""
    context = settings.context
    values = {option.name.removeprefix("keep-"): settings.value(option) or 0 for option in KEEP_RULES}
    rules = msgspec.convert(values, KeepRules)
    if rules == KeepRules():
        flags = ", ".join(option.flag for option in KEEP_RULES)
        raise UsageError("no rule says which archives to keep", hint=f"give one or more of {flags}")
    access, manifests = target_access(settings, resolved), Manifests(lambda: context.state_directory)
    system = system_of(settings)
    owner = owner_of(context, system)
    if owner not in {None, settings.name}:
        hint = f"choose it with {SERVER.flag}, whose jobs must be checked first"
        raise UsageError("$1 is the folder of $2, not of $3", texts=(system, str(owner), settings.name), hint=hint)
    return PruneRequest(targets=context.targets, access=access, system=system, rules=rules, manifests=manifests)


def check_pruning(settings: ApplianceSettings, resolved: ResolvedLocation) -> None:
    """Check the settings of ``create --prune``. Raises UsageError and ConfigError: for an invalid one."""
    context = settings.context
    if not context.value(PRUNE):
        raise UsageError(f"the rules of archives to keep need {PRUNE.flag}")
    if settings.value(NO_WAIT) or context.given_text(VERIFY.flag) == "none":
        raise UsageError(f"{PRUNE.flag} needs a verified backup", hint=f"omit {NO_WAIT.flag} and {VERIFY.flag} none")
    prune_request(settings, resolved)


def confirm_plans(context: Context, plans: Mapping[str, PrunePlan], appliances: Sequence[Appliance]) -> None:
    """Show what will be kept and removed, and ask once. Raises UsageError: if the answer is no."""
    results = {each.name: plans[each.name].result for each in appliances if each.name in plans}
    removed = amount([each for result in results.values() for each in result.remove])
    shown = [text for name, result in results.items() for text in plan_texts(name, result, context.clock.now())]
    if any(result.remove for result in results.values()):
        confirm(context, f"remove {removed}", shown, f"Remove {removed} of {', '.join(results)}?")
