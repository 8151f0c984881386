"""The routing table: its rows, and the row that matches a request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from backupctl.simulator.api_errors import invalid_request
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.http_messages import API, REST, Family, Request
from backupctl.simulator.releases import Release
from backupctl.simulator.request_bodies import Structure

_ACTION_PARAMETERS = ("action", "~action")
"""The vendor's own URLs spell the parameter ``~action`` in places."""


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One call of an operation, as its handler gets it: the user, the values of the path, the query, the body."""

    request: Request
    family: Family
    user: str
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperationRoute:
    """One row of the routing table.

    ``wrapper`` is the parameter around the body in /rest; /api takes the body without it. A route without ``body``
    ignores the body of a request; a GET with ``body`` takes its fields from the query. ``public``: the handler checks
    the credentials itself. ``phase`` is the name of such requests in faults. ``feature`` must be in the release.
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
        """Return the status of a success: 201 for a new job in /api (VMware's OpenAPI files of 7.0.3 to 9.1)."""
        return 201 if self.creates and family == API else 200


class RouteMatch(NamedTuple):
    """The route of a request, and the values of the placeholders in its path."""

    route: OperationRoute
    path: dict[str, str]


def split_family(path: str) -> tuple[Family | None, str]:
    """Split a path into its family and the rest."""
    for family in (REST, API):
        if path.startswith(f"/{family}/"):
            return family, path[len(family) + 1 :]
    return None, path


def parse_query(request: Request) -> dict[str, list[str]]:
    """Return the parameters of the query, each with its values in order."""
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values


def nest_query(query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return dotted parameters as a structure: ``loc_spec.location=U`` is ``{"loc_spec": {"location": U}}``.

    Source: the OpenAPI file of 6.7 in VMware's vsphere-automation-sdk-ruby.
    Raises ``RefusedError``: when a parameter is both a value and a structure.
    """
    structure: dict[str, Any] = {}
    for name, values in query.items():
        if name in _ACTION_PARAMETERS:
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
    """Return the first route with this path, method and action on this release; None means 404.

    A trailing slash makes another path.
    """
    family, rest = split_family(request.path)
    if family is None or not _has_family(release, family, rest):
        return None
    segments = rest.split("/")
    query = parse_query(request)
    action = next((query[name][0] for name in _ACTION_PARAMETERS if name in query), "")
    for route in routes:
        known = family in route.families and (not route.feature or route.feature in release.features)
        if known and route.method == request.method and route.action == action:
            values = _match_path(route.path.split("/"), segments)
            if values is not None:
                return RouteMatch(route, values)
    return None


def _has_family(release: Release, family: Family, rest: str) -> bool:
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
