"""The simulator, with fields of its jobs replaced: what an appliance says in words that the simulator does not know."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, CommandLine

JOBS = "/api/appliance/recovery/backup/job/"


class Amending(httpx.BaseTransport):
    """Puts ``job`` into each job's status and ``details`` into its details."""

    def __init__(
        self, appliance: SimulatedAppliance, clock: FakeClock, job: Mapping[str, Any], details: Mapping[str, Any]
    ) -> None:
        self._inner = SimulatorTransport(appliance, clock)
        self._job = job
        self._details = details

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if request.method != "GET" or not request.url.path.startswith(JOBS) or not response.is_success:
            return response
        body = json.loads(response.read())
        if request.url.path == f"{JOBS}details":
            return httpx.Response(200, json={job_id: each | self._details for job_id, each in body.items()})
        return httpx.Response(200, json=body | self._job)


def amended(
    job: Mapping[str, Any] = {},
    details: Mapping[str, Any] = {},
    others: Mapping[str, Mapping[str, Any]] = {},
    **options: Any,
) -> CommandLine:
    """Return a command line to an appliance whose jobs say ``job`` and ``details`` as well; ``others`` do not."""
    clock = FakeClock()
    appliance = SimulatedAppliance(clock, host=HOST, **options)
    return CommandLine(appliance, clock=clock, transport=Amending(appliance, clock, job, details), others=others)


def message(text: str | None, *args: Any, **fields: Any) -> dict[str, Any]:
    """Return a message as the appliance words it."""
    return {"id": "", "default_message": text, "args": list(args), **fields}
