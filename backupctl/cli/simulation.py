"""``--simulate``: the embedded appliance, in this process, in place of a real one."""

from typing import TYPE_CHECKING, Final

from backupctl.cli.app import App
from backupctl.errors import UsageError
from backupctl.operations.appliance import Appliance
from backupctl.secret import Secret
from backupctl.settings.options import API, AUTH, SERVER

if TYPE_CHECKING:
    from backupctl.api.transport import Observer

SIMULATED_NAME: Final = "simulated"
SIMULATED_HOST: Final = "vcsa.simulator.test"
SIMULATED_USER: Final = "administrator@vsphere.local"
_PASSWORD: Final = "VMware1!"  # noqa: S105 - documented, and it opens nothing but this simulator
_SECONDS: Final = 10.0


def simulated_appliance(app: App, observe: "Observer", *, fresh: bool = False) -> Appliance:
    """Return an appliance that lives in this process only, with a small past; says so on standard error.

    ``fresh`` makes it one that waits for a restore.
    """
    from backupctl.api.connect import Login, connect
    from backupctl.simulator.appliance import Appliance as Simulated
    from backupctl.simulator.transport import SimulatorTransport

    if "server" in app.given:
        raise UsageError(f"--simulate and {SERVER.flag} exclude each other", hint="leave one of them out")
    app.view.warn("--simulate: this is an embedded appliance; no real backup is made")
    simulated = Simulated(
        app.clock,
        username=SIMULATED_USER,
        password=_PASSWORD,
        host=SIMULATED_HOST,
        job_duration=_SECONDS,
        history=True,
        fresh=fresh,
    )
    family = app.value(API)
    api = connect(
        f"https://{SIMULATED_HOST}",
        Login(SIMULATED_USER, Secret(_PASSWORD), basic=fresh or app.value(AUTH) == "basic"),
        clock=app.clock,
        observe=observe,
        family=None if family == "auto" else family,
        transport=SimulatorTransport(simulated, app.clock),
    )
    return Appliance(
        name=SIMULATED_NAME,
        host=SIMULATED_HOST,
        user=SIMULATED_USER,
        api=api,
        clock=app.clock,
        emit=app.view.event,
        attach=lambda _: None,
        simulated=True,
    )
