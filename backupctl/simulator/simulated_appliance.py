"""The simulated appliance: it turns a request into a response, over a state that follows the clock."""

from dataclasses import replace

from backupctl.simulator import (
    archive_handlers,
    backup_handlers,
    restore_handlers,
    schedule_handlers,
    session_handlers,
    system_handlers,
)
from backupctl.simulator.api_errors import RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.fault_responses import fault_response
from backupctl.simulator.faults import PHASES, FaultEffects
from backupctl.simulator.http_messages import (
    JSON_TYPE,
    REST,
    DeliveryFaults,
    Family,
    RecordedRequest,
    Request,
    Response,
    with_date,
)
from backupctl.simulator.operation_routes import (
    OperationCall,
    OperationRoute,
    RouteMatch,
    match_route,
    nest_query,
    parse_query,
    split_family,
)
from backupctl.simulator.request_bodies import decode_body, read_body
from backupctl.simulator.response_envelopes import failure, proxy_page, success, unknown_path
from backupctl.simulator.simulated_runs import SimulatedRun

ROUTES: tuple[OperationRoute, ...] = (
    *session_handlers.ROUTES,
    *backup_handlers.ROUTES,
    *schedule_handlers.ROUTES,
    *archive_handlers.ROUTES,
    *restore_handlers.ROUTES,
    *system_handlers.ROUTES,
)


class SimulatedAppliance(ApplianceState):
    """A vCenter Server appliance; not thread-safe, its server holds a lock.

    The options are those of ``ApplianceState``.
    """

    _polled_run: SimulatedRun | None = None

    @property
    def newest_run(self) -> SimulatedRun | None:
        """The backup, restore or reconciliation that was started last."""
        runs: list[SimulatedRun | None] = [*self.jobs[-1:], self.restore, self.reconciliation]
        return max((run for run in runs if run), key=lambda run: run.started, default=None)

    def handle(self, request: Request) -> Response:
        """Return the response to a request at this moment of the clock."""
        self.advance()
        response = self._outage() or self._handle_and_record(request)
        return response if self.faults.find("no-date") else with_date(response, self.clock.now())

    def _outage(self) -> Response | None:
        """Return the response of an appliance whose services are down, None while they are up.

        During a reboot the connection is refused at first, then the proxy is up with nothing behind it. During a
        restore the connection is refused for a while.
        """
        refused = Response(0, delivery=DeliveryFaults(refused=True))
        if self.restore is not None and self.restore.is_unreachable(self.moment):
            return refused
        for begin, end in self.reboots:
            if begin <= self.moment < end:
                return proxy_page(503, "Service Unavailable") if self.moment >= (begin + end) / 2 else refused
        return None

    def _handle_and_record(self, request: Request) -> Response:
        phase = ""
        if request.method == "GET" and request.path in self.downloads:
            response = self.downloads[request.path]
        else:
            match = match_route(ROUTES, request, self.release)
            phase = self._phase(match)
            response = self._respond_with_faults(request, match, phase)
        status = 0 if response.delivery.lost else response.status
        self.record(RecordedRequest(request.method, request.path, request.query, phase, status))
        return response

    def _phase(self, match: RouteMatch | None) -> str:
        """Return the phase of a request, as faults name it."""
        phase = match.route.phase if match else ""
        if phase != "poll":
            return phase
        run = self.newest_run
        if run is None or run.ended(self.moment):
            return "last-poll"
        return "mid-poll" if run is self._polled_run else "first-poll"

    def _respond_with_faults(self, request: Request, match: RouteMatch | None, phase: str) -> Response:
        effects = self.faults.take_request(phase)
        family = split_family(request.path)[0]
        if effects.replace:
            response = fault_response(effects.replace, family, self.host, self.release)
        else:
            response = self._respond(request, match, family, phase)
        if PHASES.get(phase) == "poll" and effects == FaultEffects() and response.status == 200:
            self._polled_run = self.newest_run
        if effects.corrupt == "empty":
            response = replace(response, body=b"")
        elif effects.corrupt == "bad-json":
            response = replace(response, body=b'{"value": {"state": "INPRO')
        elif effects.corrupt:
            response = fault_response(effects.corrupt, family, self.host, self.release)
        seconds_per_byte = 1.0 if effects.trickle else 0.0
        delivery = replace(response.delivery, delay=effects.delay, seconds_per_byte=seconds_per_byte)
        return replace(response, delivery=delivery)

    def _respond(self, request: Request, match: RouteMatch | None, family: Family | None, phase: str) -> Response:
        if match is None or family is None:
            return unknown_path(family, self.release)
        try:
            value = self._call_handler(request, match, family, phase)
        except RefusedError as error:
            return failure(family, error, self.release)
        if isinstance(value, Response):
            return value
        return success(family, value, request.method, match.route.status(family))

    def _call_handler(self, request: Request, match: RouteMatch, family: Family, phase: str) -> object:
        """Check a request in the order of an appliance, then call its handler.

        The order: is the body JSON, is the user authenticated, is the user authorized, is the body valid.
        """
        route = match.route
        query = parse_query(request)
        has_body = request.method in {"POST", "PUT", "PATCH"}
        given = decode_body(request.body, request.headers.get("content-type", "")) if has_body else None
        user = "" if route.public else self._authorized_user(request, phase)
        fields = {}
        if route.body is not None:
            if not has_body:
                # Where the query is empty, read the body, even without a content type: VMware's Python SDK in its
                # REST mode puts the fields there. The specification wants a query; that an appliance reads the body
                # is UNCONFIRMED.
                given = nest_query(query) or decode_body(request.body, JSON_TYPE)
            fields = read_body(given, route.wrapper if family == REST else "", route.body, self.release)
        return route.handler(self, OperationCall(request, family, user, match.path, query, fields))

    def _authorized_user(self, request: Request, phase: str) -> str:
        headers = request.headers
        if not self.basic:
            headers = {name: value for name, value in headers.items() if name != "authorization"}
        user = self.sessions.authenticate(headers)
        problems = session_handlers.account_problems(self) if "authorization" in headers else []
        if user is None or problems:
            raise session_handlers.unauthenticated(*problems)
        if self.faults.find("forbidden", phase):
            text = "User needs to have operator privileges."
            raise RefusedError("unauthorized", message("com.vmware.appliance.unauthorized", text))
        return user
