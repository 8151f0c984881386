"""One appliance as its clients see it: how a request becomes an answer, over a state that follows the clock."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

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
from backupctl.simulator.fault_responses import answer_in_place
from backupctl.simulator.faults import PHASES
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

    Its options are those of ``ApplianceState``. ``jobs``, ``open_sessions``, ``failed_logins`` and ``requests`` are
    there for tests.
    """

    _heard_of: SimulatedRun | None = None

    @property
    def newest_run(self) -> SimulatedRun | None:
        """The backup, restore or reconciliation that was started last."""
        runs: list[SimulatedRun | None] = [*self.jobs[-1:], self.restore, self.reconciliation]
        return max((run for run in runs if run), key=lambda run: run.started, default=None)

    def handle(self, request: Request) -> Response:
        """Return the answer to one request, at this moment of the clock, with the Date of that moment."""
        self.advance()
        match = match_route(ROUTES, request, self.release)
        phase = self._phase(match)
        answer = self._outage() or self._answer(request, match, phase)
        return answer if self.faults.named("no-date") else with_date(answer, self.clock.now())

    def _answer(self, request: Request, match: RouteMatch | None, phase: str) -> Response:
        """Return the answer of an appliance that is up, and remember the request."""
        if request.method == "GET" and request.path in self.downloads:
            self.note(RecordedRequest(request.method, request.path, request.query, "", 200))
            return self.downloads[request.path]
        answer = self._struck(request, match, phase)
        status = 0 if answer.delivery.lost else answer.status
        self.note(RecordedRequest(request.method, request.path, request.query, phase, status))
        return answer

    def _outage(self) -> Response | None:
        """Return what an appliance does while its services are down.

        When it reboots nobody listens at first, then the proxy is up and nothing behind it. During a restore nobody
        listens for a while.
        """
        refused = Response(0, delivery=DeliveryFaults(refused=True))
        if self.restore is not None and self.restore.silent(self.moment):
            return refused
        for begin, end in self.reboots:
            if begin <= self.moment < end:
                return proxy_page(503, "Service Unavailable") if self.moment >= (begin + end) / 2 else refused
        return None

    def _phase(self, match: RouteMatch | None) -> str:
        """Return what the request is to faults: of the questions about a job, the first, the last or one in between."""
        phase = match.route.phase if match else ""
        if phase != "poll":
            return phase
        run = self.newest_run
        if run is None or run.ended(self.moment):
            return "last-poll"
        return "mid-poll" if run is self._heard_of else "first-poll"

    def _struck(self, request: Request, match: RouteMatch | None, phase: str) -> Response:
        """Return the answer with the faults of its phase worked in."""
        strike = self.faults.strike(phase)
        family = split_family(request.path)[0]
        if strike.instead:
            answer = answer_in_place(strike.instead, family, self.host, self.release)
        else:
            answer = self._serve(request, match, family, phase)
        if PHASES.get(phase) == "poll" and strike.harmless and answer.status == 200:
            self._heard_of = self.newest_run
        if strike.spoil == "empty":
            answer = Response(answer.status, answer.headers)
        elif strike.spoil == "bad-json":
            answer = Response(answer.status, answer.headers, b'{"value": {"state": "INPRO')
        elif strike.spoil:
            answer = answer_in_place(strike.spoil, family, self.host, self.release)
        lost = answer.delivery.lost
        delivery = DeliveryFaults(delay=strike.delay, seconds_per_byte=1.0 if strike.trickle else 0.0, lost=lost)
        return replace(answer, delivery=delivery)

    def _serve(self, request: Request, match: RouteMatch | None, family: Family | None, phase: str) -> Response:
        """Check in the appliance's order: is it routed, is the body JSON, who asks, may they, is the body right."""
        if match is None or family is None:
            return unknown_path(family, self.release)
        try:
            value = self._call(request, match, family, phase)
        except RefusedError as refused:
            return failure(family, refused, self.release)
        if isinstance(value, Response):
            return value
        return success(family, value, request.method, match.route.status(family))

    def _call(self, request: Request, match: RouteMatch, family: Family, phase: str) -> object:
        route = match.route
        query = parse_query(request)
        from_body = request.method in {"POST", "PUT", "PATCH"}
        given = None
        if from_body:
            given = decode_body(request.body, request.headers.get("content-type", ""))
        user = "" if route.public else self._user(request, phase)
        fields = {}
        if route.body is not None:
            if not from_body:
                given = _structure_of(request, query)
            fields = read_body(given, route.wrapper if family == REST else "", route.body, self.release)
        return route.handler(self, OperationCall(request, family, user, match.path, query, fields))

    def _user(self, request: Request, phase: str) -> str:
        headers = request.headers
        if not self.basic:
            headers = {name: value for name, value in headers.items() if name != "authorization"}
        user = self.sessions.user_of(headers)
        trouble = session_handlers.account_trouble(self) if "authorization" in headers else []
        if user is None or trouble:
            raise session_handlers.unauthenticated(*trouble)
        if self.faults.named("forbidden", phase):
            text = "User needs to have operator privileges."
            raise RefusedError("unauthorized", message("com.vmware.appliance.unauthorized", text))
        return user


def _structure_of(request: Request, query: Mapping[str, list[str]]) -> dict[str, Any] | None:
    """Return what a GET says in its query.

    VMware's Python SDK in its REST mode says it in a body without a content type, where the specification wants a
    query; that an appliance reads it where the query is empty is UNCONFIRMED.
    """
    return nest_query(query) or decode_body(request.body, JSON_TYPE)
