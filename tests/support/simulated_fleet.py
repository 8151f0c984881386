"""Many simulated appliances in one run, on the fake clock."""

import queue
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backupctl.api.credential_state import CredentialState
from backupctl.location import Location
from backupctl.models import BackupRequest
from backupctl.operations.appliance_run import run_on
from backupctl.operations.create import BackupPlan, create
from backupctl.operations.follow import Timeouts
from backupctl.operations.outcome import Outcome
from backupctl.operations.preflight import preflight as check_first
from backupctl.operations.validate import validate
from backupctl.results.backup_results import JobResult
from backupctl.results.events import RunEvent, Started
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import Coordinator, Slot
from backupctl.scheduler.scheduler import Interruption, Mailbox, Scheduler
from backupctl.scheduler.task import Task
from backupctl.scheduler.workers import Workers
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.scripted_transport import USER, api_over
from tests.support.workers import TimedWorkers

REQUEST = BackupRequest(
    parts=("common",), location_type="NFS", location=Location.parse("nfs://nfs.example.com/vcenter")
)
JOB_SECONDS = 100.0


class SimulatedFleet:
    """Appliances ``vc1`` to ``vcN`` that share one account; ``faults`` are by name."""

    def __init__(
        self, clock: FakeClock, size: int, *, faults: Mapping[str, Sequence[str]] | None = None, **options: Any
    ) -> None:
        self.clock = clock
        self.events: list[RunEvent] = []
        self.credential_state = CredentialState()
        self.simulated: dict[str, SimulatedAppliance] = {}
        self.appliances: list[Appliance] = []
        self.plan = BackupPlan(REQUEST, Timeouts(interval=10))
        for number in range(1, size + 1):
            name = f"vc{number}"
            host = f"{name}.example.com"
            state = SimulatedAppliance(
                clock, host=host, faults=(faults or {}).get(name, ()), **{"job_duration": JOB_SECONDS, **options}
            )
            self.simulated[name] = state
            api = api_over(SimulatorTransport(state, clock), clock, credential_state=self.credential_state, host=host)
            self.appliances.append(
                Appliance(name, host, USER, api, clock, self.events.append, lambda job: f"watch {job}")
            )

    def run(
        self,
        coordinator: Coordinator,
        *,
        interrupt_at: float | None = None,
        preflight: bool = False,
        workers: Workers | None = None,
    ) -> dict[str, JobResult]:
        """Back up all appliances and return the results by name."""

        def work(appliance: Appliance, slot: Slot) -> Task[Outcome[JobResult]]:
            if preflight:
                yield from check_first(appliance, validate(appliance, REQUEST))
            ended = yield from create(appliance, self.plan, slot)
            return Outcome(JobResult(job=ended.value), ended.error)

        mailbox: Mailbox = queue.SimpleQueue()
        if interrupt_at is not None:
            self.clock.at(interrupt_at, lambda: mailbox.put(Interruption()))
        scheduler: Scheduler[JobResult] = Scheduler(self.clock, workers or TimedWorkers(self.clock), mailbox)
        slots = {each.name: coordinator.slot(each) for each in self.appliances}
        tasks = [
            run_on(each, JobResult, work(each, slots[each.name]), slot=slots[each.name]) for each in self.appliances
        ]
        return {result.server: result for result in scheduler.run(tasks)}

    def started_at(self) -> dict[str, float]:
        """Return the start of each backup, in seconds since the start of the clock."""
        begin = self.clock.now().timestamp() - self.clock.elapsed
        return {each.server: each.time.timestamp() - begin for each in self.events if isinstance(each, Started)}

    @property
    def jobs(self) -> int:
        """The number of backups on all appliances."""
        return sum(len(each.jobs) for each in self.simulated.values())

    @property
    def requests(self) -> dict[str, int]:
        """The number of requests to each appliance."""
        return {name: len(each.requests) for name, each in self.simulated.items()}

    def total(self, value_of: Callable[[SimulatedAppliance], int]) -> int:
        """Return the sum of a value over all appliances."""
        return sum(value_of(state) for state in self.simulated.values())
