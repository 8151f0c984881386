"""An httpx transport to an appliance in this process: it uses no sockets, and spends time only on the clock."""

from collections.abc import Iterator

import httpx

from backupctl.clock import Clock
from backupctl.simulator.http_messages import Request, Response, join_headers
from backupctl.simulator.simulated_appliance import SimulatedAppliance


class SimulatorTransport(httpx.BaseTransport):
    """Passes requests to ``appliance``; not thread-safe, as the appliance is not.

    Raises ``httpx.ReadTimeout``: after the read timeout, when a delay is longer.
    Raises ``httpx.RemoteProtocolError``: when the connection is lost.
    Raises ``httpx.ConnectError``: when the appliance refuses connections, as during a reboot.
    """

    def __init__(self, appliance: SimulatedAppliance, clock: Clock) -> None:
        self.appliance = appliance
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response of the appliance."""
        response = self.appliance.handle(_request_of(request))
        delivery = response.delivery
        if delivery.refused:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        # httpcore reports each request that it starts to send in the same way.
        if trace := request.extensions.get("trace"):
            trace("http11.send_request_headers.started", {})
        self._spend(delivery.delay, request)
        if delivery.lost:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        headers = list(response.headers)
        if response.status != 204:
            headers.append(("Content-Length", str(len(response.body))))
        content = self._trickle(response, request) if delivery.seconds_per_byte else response.body
        return httpx.Response(response.status, headers=headers, content=content, request=request)

    def _trickle(self, response: Response, request: httpx.Request) -> Iterator[bytes]:
        for index in range(len(response.body)):
            self._spend(response.delivery.seconds_per_byte, request)
            yield response.body[index : index + 1]

    def _spend(self, seconds: float, request: httpx.Request) -> None:
        read_timeout = request.extensions.get("timeout", {}).get("read")
        if read_timeout is not None and seconds > read_timeout:
            self._clock.sleep(read_timeout)
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        if seconds:
            self._clock.sleep(seconds)


def _request_of(request: httpx.Request) -> Request:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return Request(request.method, path, query, join_headers(request.headers.multi_items()), request.read())
