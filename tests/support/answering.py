"""A simulated appliance that gives one kind of answer of its own."""

import httpx

from backupctl.simulator.appliance import Appliance
from backupctl.simulator.transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.command_line import HOST


class Answering(httpx.BaseTransport):
    """The simulator, with another body in place of the answers to one kind of request."""

    def __init__(self, clock: FakeClock, method: str, path: str, body: dict[str, object]) -> None:
        self.appliance = Appliance(clock, host=HOST)
        self._inner = SimulatorTransport(self.appliance, clock)
        self._replaced = (method, path, body)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        method, path, body = self._replaced
        if request.method == method and path in request.url.path:
            return httpx.Response(200, json=body)
        return response
