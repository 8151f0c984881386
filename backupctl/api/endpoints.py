"""The operations of the appliance as data: method, path, body wrapper and result, in ``/rest`` and in ``/api``.

The families differ in more than the prefix: ``/rest`` wraps bodies by the name of the parameter and results in
``{"value": ...}``, and writes maps as lists of ``{"key", "value"}``; ``/api`` (7.0U2 and later) takes and gives the
structures themselves. Source: the vSphere Automation API reference of each release, e.g.
https://developer.broadcom.com/xapis/vsphere-automation-api/latest/appliance/recovery/backup/job/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar, get_args, get_origin
from urllib.parse import quote

import msgspec

from backupctl.models import (
    BackupJobStatus,
    JobDetails,
    Part,
    ReturnResult,
    SystemVersion,
)

T = TypeVar("T")


FIRST_RELEASE: Final = "6.5"
"""Every release has had the operations since; a 404 for another one is remembered and not asked for again."""


class Family(StrEnum):
    """The two families of the API, named by the first element of their paths."""

    REST = "rest"
    API = "api"


@dataclass(frozen=True)
class Route:
    """Where an operation lives in one family; ``path`` may hold ``{id}``, ``query`` is sent as it is.

    ``jobs`` says how the filter of jobs is spelled, ``wrapper`` under which name the body is sent (None: bare).
    """

    path: str
    query: tuple[tuple[str, str], ...] = ()
    wrapper: str | None = None
    jobs: str | None = None


@dataclass(frozen=True)
class Endpoint(Generic[T]):
    """An operation in both families; ``doing`` completes "could not ...", ``since`` is the first release with it.

    Without an ``api`` route the operation lives at the same path in both. A ``result`` of type dict is a map.
    """

    doing: str
    method: str
    result: type[T]
    rest: Route
    api: Route | None = None
    since: str = FIRST_RELEASE

    def route(self, family: Family) -> Route:
        """Return where the operation lives in a family."""
        return self.api if self.api and family is Family.API else self.rest

    def path(self, family: Family, identifier: str | None = None) -> str:
        """Return the path, its identifier percent-encoded."""
        path = self.route(family).path
        return f"/{family}{path if identifier is None else path.format(id=quote(identifier, safe=''))}"

    def query(self, family: Family, jobs: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return the query: what the operation always has, and the filter of jobs (1-based in ``/rest``)."""
        route = self.route(family)
        names = [route.jobs.format(n=number) if route.jobs else "" for number in range(1, len(jobs) + 1)]
        return [*route.query, *zip(names, jobs, strict=True)]

    def body(self, family: Family, content: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return the body as the family wants it: wrapped by the parameter's name, or bare."""
        if content is None:
            return None
        wrapper = self.route(family).wrapper
        return dict(content) if wrapper is None else {wrapper: dict(content)}

    def decode(self, family: Family, content: bytes) -> T:
        """Return the result in a body.

        Raises msgspec.DecodeError, whose text names the path of a wrong field. Numbers written as strings are
        taken, as the appliance itself writes some, and a map is taken in the spelling of either family.
        """
        expected: Any = self.result
        if get_origin(expected) is dict:
            expected = expected | list[_Entry[get_args(expected)[1]]]  # type: ignore[misc]
        if family is Family.REST:
            value = msgspec.json.decode(content, type=_Value[expected], strict=False).value
        else:
            value = msgspec.json.decode(content, type=expected, strict=False)
        if get_origin(self.result) is dict and isinstance(value, list):
            value = {entry.key: entry.value for entry in value}
        return value  # type: ignore[no-any-return]


class _Value(msgspec.Struct, Generic[T]):
    value: T


class _Entry(msgspec.Struct, Generic[T]):
    key: str
    value: T


_RECOVERY: Final = "/appliance/recovery"


SYSTEM_VERSION: Final = Endpoint("read its version", "GET", SystemVersion, Route("/appliance/system/version"))
JOB_CREATE: Final = Endpoint(
    "start a backup",
    "POST",
    BackupJobStatus,
    rest=Route(f"{_RECOVERY}/backup/job", wrapper="piece"),
    api=Route(f"{_RECOVERY}/backup/job"),
)
JOB_LIST: Final = Endpoint("list the backup jobs", "GET", list[str], Route(f"{_RECOVERY}/backup/job"))
JOB_GET: Final = Endpoint("read the backup job", "GET", BackupJobStatus, Route(f"{_RECOVERY}/backup/job/{{id}}"))
JOB_CANCEL: Final = Endpoint(
    "cancel the backup job",
    "POST",
    ReturnResult,
    rest=Route(f"{_RECOVERY}/backup/job/{{id}}/cancel"),
    api=Route(f"{_RECOVERY}/backup/job/{{id}}", query=(("action", "cancel"),)),
)
JOB_DETAILS: Final = Endpoint(
    "list the details of backup jobs",
    "GET",
    dict[str, JobDetails],
    rest=Route(f"{_RECOVERY}/backup/job/details", jobs="filter.jobs.{n}"),
    api=Route(f"{_RECOVERY}/backup/job/details", jobs="jobs"),
    since="6.7",
)
PARTS_LIST: Final = Endpoint("list the parts", "GET", list[Part], Route(f"{_RECOVERY}/backup/parts"))
PARTS_GET: Final = Endpoint("estimate a part", "GET", int, Route(f"{_RECOVERY}/backup/parts/{{id}}"))
BACKUP_VALIDATE: Final = Endpoint(
    "validate a backup",
    "POST",
    ReturnResult,
    rest=Route(f"{_RECOVERY}/backup/validate", wrapper="piece"),
    api=Route(f"{_RECOVERY}/backup", query=(("action", "validate"),)),
)
