"""``--simulate``: an embedded, simulated appliance in this process."""

from typing import TYPE_CHECKING, Final

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.config.option_table import API, AUTH
from backupctl.scheduler.appliance import Appliance
from backupctl.secrets.secret import Secret

if TYPE_CHECKING:
    from backupctl.api.transport import Observer

_BACKUP_SECONDS: Final = 10.0


def simulated_appliance(settings: ApplianceSettings, observe: "Observer", *, fresh: bool = False) -> Appliance:
    """Return an appliance that exists only in this process and has a few past jobs; print a warning that says so.

    ``fresh``: it waits for a restore.
    """
    from backupctl.api.connect import Login, connect
    from backupctl.simulator.simulated_appliance import SimulatedAppliance
    from backupctl.simulator.simulator_transport import SimulatorTransport
    from backupctl.simulator.user_sessions import DEFAULT_PASSWORD, DEFAULT_USERNAME

    settings.view.warn("--simulate: using an embedded appliance; no real backup is made")
    address, clock = settings.profile.address, settings.clock
    simulated = SimulatedAppliance(
        clock,
        host=address.host,
        job_duration=_BACKUP_SECONDS,
        history=True,
        fresh=fresh,
    )
    family = settings.value(API)
    api = connect(
        address.base_url,
        Login(DEFAULT_USERNAME, Secret(DEFAULT_PASSWORD), basic=fresh or settings.value(AUTH) == "basic"),
        clock=clock,
        observe=observe,
        family=None if family == "auto" else family,
        transport=SimulatorTransport(simulated, clock),
        redactor=settings.redactor,
    )
    return Appliance(
        name=address.name,
        host=address.host,
        user=DEFAULT_USERNAME,
        api=api,
        clock=clock,
        show=settings.view.event,
        attach=lambda _: None,
        simulated=True,
    )
