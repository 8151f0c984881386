"""Send a test message through each configured way."""

from backupctl.cli.appliance_settings import ApplianceSettings, appliance_settings
from backupctl.cli.config_show import default_settings
from backupctl.cli.context import Context
from backupctl.cli.delivery import Way, deliver, find_ways
from backupctl.cli.tasks import run_tasks
from backupctl.config.option_table import ALL, GROUP, SERVER
from backupctl.errors import BackupctlError, ConfigError, InterruptedRunError, NotSentError
from backupctl.monitoring.notification import test_message
from backupctl.results.backup_results import FAIL, OK, Check, ChecksResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import complete_result


def send_test_messages(context: Context) -> ChecksResult:
    """Send a test message through each way of the selected appliances, or of all, and return what became of each.

    Raises ConfigError: if there is no way.
    """
    ways = find_ways(context, _selected(context))
    if not ways:
        raise ConfigError(
            "nothing to test: no ping and no Apprise URL is configured", hint="`backupctl help notifications`"
        )
    errors = run_tasks(context, [deliver(context, way, test_message()) for way in ways])
    if any(isinstance(error, InterruptedRunError) for error in errors):
        raise InterruptedRunError("interrupted")
    checks = tuple(_check(*each) for each in zip(ways, errors, strict=True))
    names = ", ".join(check.name for check in checks if check.status == FAIL)
    failure = NotSentError(f"not delivered: {names}") if names else None
    return complete_result(ChecksResult(checks=checks), server=DEFAULTS, host="", error=failure)


def _selected(context: Context) -> list[ApplianceSettings]:
    if any(context.value(option) for option in (SERVER, GROUP, ALL)):
        return appliance_settings(context)
    configured = [ApplianceSettings(context, profile) for profile in context.configuration.servers.values()]
    return configured or [default_settings(context)]


def _check(way: Way, error: BackupctlError | None) -> Check:
    about = f"for {', '.join(way.servers)}" if any(way.servers) else ""
    if error is None:
        return Check(name=way.name, status=OK, message=f"delivered {about}".rstrip())
    return Check(name=way.name, status=FAIL, message="; ".join(filter(None, (error.message, error.hint))))
