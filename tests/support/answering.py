"""A simulated appliance that gives one kind of answer of its own."""

import httpx

from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.command_line import HOST


class Answering(httpx.BaseTransport):
    """The simulator, with another body in place of the answers to one kind of request.

    ``body`` is JSON unless it is bytes. After so many ``times`` the answers are those of the simulator again.
    """

    def __init__(
        self, clock: FakeClock, method: str, path: str, body: object, *, status: int = 200, times: int | None = None
    ) -> None:
        self.appliance = SimulatedAppliance(clock, host=HOST)
        self._inner = SimulatorTransport(self.appliance, clock)
        self._replaced = (method, path)
        self._body, self._status = body, status
        self._left = times
        self.asked = 0
        """How many requests were of that kind."""

    def replace(self, body: object) -> None:
        """Answer so from now on."""
        self._body = body

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        method, path = self._replaced
        if request.method != method or path not in request.url.path:
            return response
        self.asked += 1
        if self._left is not None and self.asked > self._left:
            return response
        if isinstance(self._body, bytes):
            return httpx.Response(self._status, content=self._body)
        return httpx.Response(self._status, json=self._body)
