"""What to prune at the location of an appliance, from settings, and the question about it."""

from collections.abc import Mapping, Sequence

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.confirmation import confirm
from backupctl.cli.context import Context
from backupctl.cli.target_settings import system_of, target_access
from backupctl.config.option_table import KEEP_DAILY, KEEP_LAST, KEEP_MONTHLY, KEEP_WEEKLY, KEEP_WITHIN
from backupctl.errors import UsageError
from backupctl.formatting import plural, size
from backupctl.operations.prune_archives import PrunePlan, PruneRequest
from backupctl.results.prune_results import PrunedArchive, total_bytes
from backupctl.rules.retention import KeepRules
from backupctl.scheduler.appliance import Appliance


def prune_request(settings: ApplianceSettings, *, scheduled: bool = False, comment: str = "") -> PruneRequest:
    """Return what to prune. Raises UsageError: without a rule that keeps something."""
    rules = KeepRules(
        last=settings.value(KEEP_LAST) or 0,
        daily=settings.value(KEEP_DAILY) or 0,
        weekly=settings.value(KEEP_WEEKLY) or 0,
        monthly=settings.value(KEEP_MONTHLY) or 0,
        within=settings.value(KEEP_WITHIN) or 0.0,
    )
    if rules == KeepRules():
        raise UsageError(
            "no rule says which archives to keep",
            hint="give --keep-last, --keep-daily, --keep-weekly, --keep-monthly or --keep-within",
        )
    access, system = target_access(settings), system_of(settings)
    shared = settings.context.run_once(("system", access.server, access.folder, system), lambda: settings.name)
    if shared != settings.name:
        raise UsageError(
            "$1 cannot be the folder of two appliances, $2 and $3",
            texts=(system, shared, settings.name),
            hint="run the command once for each, or set system in the table of each",
        )
    return PruneRequest(access=access, system=system, rules=rules, scheduled=scheduled, comment=comment)


def confirm_plans(context: Context, plans: Mapping[str, PrunePlan], appliances: Sequence[Appliance]) -> None:
    """Show what will be kept and removed, and ask once. Raises UsageError: if the answer is no."""
    planned = [(each.name, plans[each.name]) for each in appliances if each.name in plans]
    removed = [each for _, plan in planned for each in plan.remove]
    if not removed:
        return
    lines = [
        f"{name}: {verb:6}  {_described(each)}"
        for name, plan in planned
        for verb, archives in (("keep", plan.keep), ("remove", plan.remove))
        for each in archives
    ]
    confirm(context, f"remove {plural(len(removed), 'archive')} ({size(total_bytes(removed))})", lines)


def _described(archive: PrunedArchive) -> str:
    known = None if archive.size_bytes is None else size(archive.size_bytes)
    return "  ".join(filter(None, (archive.archive, known, ", ".join(archive.reasons))))
