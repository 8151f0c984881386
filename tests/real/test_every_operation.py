"""Every operation, in both families, of every release, called once through ``RecoveryApi`` over a socket.

The operations are those of ``api.endpoints``, so that none is missing. The first release of each is in the table of the
simulator's own tests.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from backupctl.api import endpoints
from backupctl.api.connect import Login, connect
from backupctl.api.endpoint import Endpoint
from backupctl.api.recovery_api import RecoveryApi
from backupctl.errors import BackupctlError, NotSupportedError
from backupctl.location import Location
from backupctl.models import (
    ArchiveFilter,
    BackupRequest,
    LocationSpec,
    ReconciliationSpec,
    RecurrenceInfo,
    RestoreRequest,
    ScheduleSpec,
)
from backupctl.secrets.secret import Secret
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_server import SimulatorServer
from tests.simulator.operations_table import OPERATIONS, RELEASES
from tests.support.clock import FakeClock

pytestmark = pytest.mark.real

USER, PASSWORD = "administrator@vsphere.local", Secret("VMware1!")
RECONCILE = ReconciliationSpec(sso_admin_user_name=USER, sso_admin_user_password=PASSWORD)
FAMILIES = ("rest", "api")
JOB_SECONDS = 600.0


@dataclass(frozen=True)
class Facts:
    """The names that operations use on one appliance: a past scheduled backup, and a location for its release."""

    release: str
    location: str
    system: str
    archive: str
    archived: str

    @property
    def place(self) -> LocationSpec:
        return LocationSpec(
            location=Location.parse(self.location), location_user="backup", location_password=Secret("x")
        )

    @property
    def backup(self) -> BackupRequest:
        kind = self.location.partition(":")[0].upper()
        location = f"{self.location}/now" if self.release == "6.5" else self.location
        return BackupRequest(
            parts=("seat",),
            location_type=kind,
            location=Location.parse(location),
            location_user="backup",
            location_password=Secret("x"),
        )

    @property
    def spec(self) -> ScheduleSpec:
        return ScheduleSpec(location=Location.parse(self.location), recurrence_info=RecurrenceInfo(hour=1, minute=0))

    @property
    def restore(self) -> RestoreRequest:
        sso = {} if self.release == "6.5" else {"sso_admin_user_name": USER, "sso_admin_user_password": PASSWORD}
        kind = self.location.partition(":")[0].upper()
        return RestoreRequest(location_type=kind, location=Location.parse(self.archived), **sso)  # type: ignore[arg-type]


Ask = Callable[[RecoveryApi, Facts], Any]


def newest(api: RecoveryApi) -> str:
    try:
        return api.jobs()[0]
    except NotSupportedError:
        return "20260301-000000-1"


IN_SERVICE: dict[str, tuple[str, Ask]] = {
    "SYSTEM_VERSION": ("version", lambda api, _: api.version()),
    "RECOVERY_GET": ("recovery", lambda api, _: api.recovery_supported()),
    "SYSTEM_HEALTH": ("health", lambda api, _: api.system_health()),
    "TIME_ZONE": ("time zone", lambda api, _: api.time_zone()),
    "DATABASE_HEALTH": ("database health", lambda api, _: api.database_health()),
    "HEALTH_SETTINGS": ("health settings", lambda api, _: api.health_settings()),
    "JOB_LIST": ("job list", lambda api, _: api.jobs()),
    "JOB_DETAILS": ("job details", lambda api, _: api.job_details()),
    "PARTS_LIST": ("parts list", lambda api, _: api.parts()),
    "PARTS_GET": ("parts get", lambda api, _: api.part_size("seat")),
    "BACKUP_VALIDATE": ("validate", lambda api, facts: api.validate(facts.backup)),
    "JOB_CREATE": ("job create", lambda api, facts: api.create_job(facts.backup)),
    "JOB_GET": ("job get", lambda api, _: api.job(newest(api))),
    "JOB_CANCEL": ("job cancel", lambda api, _: api.cancel_job(newest(api))),
    "SCHEDULE_LIST": ("schedule list", lambda api, _: api.schedules()),
    "SCHEDULE_GET": ("schedule get", lambda api, _: api.schedule("default")),
    "SCHEDULE_UPDATE": ("schedule update", lambda api, _: api.update_schedule("default", ScheduleSpec(enable=False))),
    "SCHEDULE_RUN": ("schedule run", lambda api, _: api.run_schedule("default", "now")),
    "SCHEDULE_DELETE": ("schedule delete", lambda api, _: api.delete_schedule("default")),
    "SCHEDULE_CREATE": ("schedule create", lambda api, facts: api.create_schedule("default", facts.spec)),
    "SYSTEM_NAME_LIST": ("system names", lambda api, facts: api.system_names(facts.place)),
    "ARCHIVE_LIST": ("archive list", lambda api, facts: api.archives(facts.place, facts.system, ArchiveFilter())),
    "ARCHIVE_GET": ("archive get", lambda api, facts: api.archive(facts.place, facts.system, facts.archive)),
}
"""The calls to an appliance in service, in order: the name in the simulator's table, and the call."""

FRESH: dict[str, tuple[str, Ask]] = {
    "RESTORE_VALIDATE": ("restore validate", lambda api, facts: api.validate_restore(facts.restore)),
    "RESTORE_CREATE": ("restore job create", lambda api, facts: api.create_restore(facts.restore)),
    "RESTORE_GET": ("restore job get", lambda api, _: api.restore_job()),
    "RESTORE_CANCEL": ("restore job cancel", lambda api, _: api.cancel_restore()),
}
"""The calls to an appliance that waits for a restore."""

RESTORED: dict[str, tuple[str, Ask]] = {
    "RECONCILIATION_CREATE": ("reconciliation create", lambda api, _: api.create_reconciliation(RECONCILE)),
    "RECONCILIATION_GET": ("reconciliation get", lambda api, _: api.reconciliation()),
}
"""The calls to a restored appliance."""

EVERY = IN_SERVICE | FRESH | RESTORED


@contextmanager
def served(release: str, family: str, *, fresh: bool) -> Iterator[tuple[RecoveryApi, Facts, FakeClock]]:
    """Serve an appliance on a socket; use basic authentication if the family has no sessions."""
    clock = FakeClock()
    options = ServerOptions(tls=False, release=release, history=True, fresh=fresh, job_duration=JOB_SECONDS)
    with SimulatorServer(options, clock) as server:
        basic = fresh or not offers(release, family)
        login = Login("root" if fresh else USER, PASSWORD, basic=basic)
        api = connect(server.appliances[0].url, login, clock=clock, observe=lambda _: None, family=family)
        try:
            yield api, facts_of(release), clock
        finally:
            api.log_out()
            api.close()


def facts_of(release: str) -> Facts:
    """Return the names that are the same on all appliances of a release with the same start time."""
    appliance = SimulatedAppliance(FakeClock(), release=release, history=True)
    job = appliance.jobs[0]
    location = "ftp://backup.example.com/vcenter"
    if RELEASES.index(release) >= RELEASES.index("7.0"):
        location = "sftp://backup.example.com/vcenter"
    system, archive = f"sn_{appliance.host}", f"S_{appliance.release.version}_{job.job_id.rpartition('-')[0]}_"
    archived = job.spec.location if release == "6.5" else f"{location}/vCenter/{system}/{archive}"
    return Facts(release, location, system, archive, archived)


def offers(release: str, family: str, since: str = "6.5") -> bool:
    first = max(RELEASES.index(since), RELEASES.index("7.0U2") if family == "api" else 0)
    return RELEASES.index(release) >= first


def sweep(release: str, family: str) -> dict[str, Any]:
    """Return the result of each operation, or the error that it raised."""
    outcomes: dict[str, Any] = {}

    def ask(operations: dict[str, tuple[str, Ask]], api: RecoveryApi, facts: Facts, clock: FakeClock) -> None:
        for name, (_, call) in operations.items():
            try:
                outcomes[name] = call(api, facts)
            except BackupctlError as error:
                outcomes[name] = error
            clock.sleep(30)  # a cancelled job needs a moment to end

    with served(release, family, fresh=False) as (api, facts, clock):
        ask(dict(list(IN_SERVICE.items())[:-3]), api, facts, clock)
        clock.sleep(JOB_SECONDS)
        ask(dict(list(IN_SERVICE.items())[-3:]), api, facts, clock)
    with served(release, family, fresh=True) as (api, facts, clock):
        ask(FRESH, api, facts, clock)
        if offers(release, family):
            clock.sleep(JOB_SECONDS)
            api.create_restore(facts.restore)
            clock.sleep(3 * JOB_SECONDS)
            assert api.restore_job().state == "SUCCEEDED"
        ask(RESTORED, api, facts, clock)
    return outcomes


def test_every_operation_of_every_release_works_in_both_families_over_a_socket() -> None:
    declared = {name for name, value in vars(endpoints).items() if isinstance(value, Endpoint)}
    assert declared == set(EVERY)
    since = {operation.name: operation.since for operation in OPERATIONS}
    outcomes = {(release, family): sweep(release, family) for release in RELEASES for family in FAMILIES}
    answered = refused = 0
    print(f"\n{'operation':<24}" + "".join(f"{release:>10}" for release in RELEASES))  # noqa: T201 - the table
    for name, (known, _) in EVERY.items():
        cells = []
        for release in RELEASES:
            has = [family for family in FAMILIES if offers(release, family, since[known])]
            for family in FAMILIES:
                outcome, where = outcomes[release, family][name], (name, release, family)
                if family in has:
                    assert not isinstance(outcome, BackupctlError), (where, outcome)
                    answered += 1
                else:
                    assert isinstance(outcome, NotSupportedError), (where, outcome)
                    assert outcome.exit_code == 6, where
                    assert getattr(endpoints, name).operation in outcome.message, where
                    assert "\n" not in outcome.message, where
                    refused += 1
            cells.append("+".join(has) or "-")
        print(f"{known:<24}" + "".join(f"{cell:>10}" for cell in cells))  # noqa: T201
    print(f"{len(EVERY)} operations, {answered} answered, {refused} refused in one sentence")  # noqa: T201
    assert answered + refused == len(EVERY) * len(RELEASES) * len(FAMILIES)
