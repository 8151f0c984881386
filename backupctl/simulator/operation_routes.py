"""Which request is which operation: matching over a table of routes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from backupctl.simulator.api_errors import invalid_request
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.http_messages import API, REST, Family, Request
from backupctl.simulator.releases import Release
from backupctl.simulator.request_bodies import Structure

_ACTIONS = ("action", "~action")


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One call of an operation, as its handler sees it: who, on what, with what."""

    request: Request
    family: Family
    user: str
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperationRoute:
    """One row: where an operation is, since which feature, what it takes, and who answers.

    ``wrapper`` is the parameter name around the body in /rest, where /api takes it bare; without ``body`` none is
    looked at, and a GET takes it from its query. ``public``: the handler looks at the credentials itself. ``phase`` is
    what faults call it.
    """

    method: str
    path: str
    handler: Callable[[ApplianceState, OperationCall], object]
    families: tuple[Family, ...] = (REST, API)
    action: str = ""
    phase: str = ""
    feature: str = ""
    body: Structure | None = None
    wrapper: str = ""
    public: bool = False
    creates: bool = False

    def status(self, family: Family) -> int:
        """Return the status of a success: creating a job is 201 in /api, by VMware's OpenAPI files of 7.0.3 to 9.1."""
        return 201 if self.creates and family == API else 200


class RouteMatch(NamedTuple):
    """A route that answers a request, and the values of its path's placeholders."""

    route: OperationRoute
    path: dict[str, str]


def family_of(path: str) -> tuple[Family | None, str]:
    """Split a path into its family and the rest."""
    for family in (REST, API):
        if path.startswith(f"/{family}/"):
            return family, path[len(family) + 1 :]
    return None, path


def query_of(request: Request) -> dict[str, list[str]]:
    """Return the query of a request, each name with its values in order."""
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values


def structure_of(query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return what a query with dotted names says, such as ``loc_spec.location=U``: ``{"loc_spec": {"location": U}}``.

    Source of the form: the OpenAPI file of 6.7 in VMware's vsphere-automation-sdk-ruby.
    """
    structure: dict[str, Any] = {}
    for name, values in query.items():
        if name in _ACTIONS:
            continue
        *path, last = name.split(".")
        inner = structure
        for step in path:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                raise invalid_request(f"Unexpected parameter {name!r} in query")
        inner[last] = values[-1]
    return structure


def match_route(routes: Iterable[OperationRoute], request: Request, release: Release) -> RouteMatch | None:
    """Return the first route that answers; None is a 404, be it for the path, its verb, its action or the release.

    A trailing slash is another path. The vendor's own URLs spell the action ``~action`` in places.
    """
    family, rest = family_of(request.path)
    if family is None or not _family_answers(family, rest, release):
        return None
    segments = rest.split("/")
    query = query_of(request)
    action = next((query[name][0] for name in _ACTIONS if name in query), "")
    for route in routes:
        known = family in route.families and (not route.feature or route.feature in release.features)
        if known and route.method == request.method and route.action == action:
            values = _match_path(route.path.split("/"), segments)
            if values is not None:
                return RouteMatch(route, values)
    return None


def _family_answers(family: Family, rest: str, release: Release) -> bool:
    return family == REST or release.api == "all" or (release.api == "session" and rest == "/session")


def _match_path(template: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    values: dict[str, str] = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{") and segment:
            values[expected.strip("{}")] = unquote(segment)
        elif expected != segment:
            return None
    return values
