"""The appliance in this process: an httpx transport that spends the clock's time and no sockets."""

from collections.abc import Iterator

import httpx

from backupctl.clock import Clock
from backupctl.simulator.http_messages import Request, Response
from backupctl.simulator.simulated_appliance import SimulatedAppliance


class SimulatorTransport(httpx.BaseTransport):
    """Carries requests to ``appliance``; not thread-safe beyond what the appliance is.

    A delay or a trickle that outlasts the request's read timeout raises ``httpx.ReadTimeout`` after that timeout,
    a lost connection ``httpx.RemoteProtocolError``, a rebooting appliance ``httpx.ConnectError``.
    """

    def __init__(self, appliance: SimulatedAppliance, clock: Clock) -> None:
        self.appliance = appliance
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the appliance's answer; raises what httpx raises for a real one."""
        answer = self.appliance.handle(_neutral(request))
        if answer.delivery.refused:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        if trace := request.extensions.get("trace"):  # as httpcore tells of a request that goes out
            trace("http11.send_request_headers.started", {})
        read_timeout = request.extensions.get("timeout", {}).get("read")
        self._spend(answer.delivery.delay, read_timeout, request)
        if answer.delivery.lost:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        headers = list(answer.headers)
        if answer.status != 204:
            headers.append(("Content-Length", str(len(answer.body))))
        if not answer.delivery.seconds_per_byte:
            return httpx.Response(answer.status, headers=headers, content=answer.body, request=request)
        stream = _Trickle(self, answer, read_timeout, request)
        return httpx.Response(answer.status, headers=headers, stream=stream, request=request)

    def _spend(self, seconds: float, read_timeout: float | None, request: httpx.Request) -> None:
        if read_timeout is not None and seconds > read_timeout:
            self._clock.sleep(read_timeout)
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        if seconds:
            self._clock.sleep(seconds)


class _Trickle(httpx.SyncByteStream):
    """A body that arrives byte by byte."""

    def __init__(
        self, transport: SimulatorTransport, answer: Response, read_timeout: float | None, request: httpx.Request
    ) -> None:
        self._transport = transport
        self._answer = answer
        self._read_timeout = read_timeout
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for index in range(len(self._answer.body)):
            self._transport._spend(self._answer.delivery.seconds_per_byte, self._read_timeout, self._request)  # noqa: SLF001
            yield self._answer.body[index : index + 1]


def _neutral(request: httpx.Request) -> Request:
    headers: dict[str, str] = {}
    for name, value in request.headers.multi_items():
        joined = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joined}{value}" if name in headers else value
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return Request(request.method, path, query, headers, request.read())
